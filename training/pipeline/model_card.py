"""The page that travels with a detector: what it was trained on, how, how good it is, and what it is not for."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.pipeline.architectures import ARCHITECTURES, ONNX
from training.pipeline.card_code import onnx_program, programs
from training.pipeline.checks import Check
from training.pipeline.coco_metrics import WORDS
from training.pipeline.config import RunConfig
from training.pipeline.manifest import ArtworkEntry, Manifest
from training.pipeline.report import usable_threshold

# Below these numbers a reader is warned; what they are is a matter of experience, not of theory.
_FEW_ARTWORKS, _FEW_BOXES = 100, 30

_CARD = """# {name}

Finds {labels} in pictures of artworks. Trained with WebNet Trainer.

## What it is for
To suggest boxes in pictures of artworks that are like those it learnt from, to a person who looks at each suggestion.
Not to decide anything by itself, not to date, value or attribute a work, and not to recognise living people.

## What it learnt from
Dataset “{dataset}”: {train} artworks to learn from and {test} to test on. The artworks were split before anything
else was done with them (seed {seed}), copies of one file always into the same part, so that no test picture was seen
in training.{left_out}{simulated} Only boxes that a person confirmed were used, and artworks that a person marked
as showing none of these.

### Rights of the pictures
{rights}

The detector itself contains no picture. Whether it may be passed on depends on these rights and on your law.

## How it was trained
{architecture}, {size} × {size} pixels, {steps} steps of {batch} pictures, augmentation “{augmentation}”, seed
{run_seed}. Start weights: {weights}.

## How good it is
On the {test} test artworks{photographs}: AP {AP}, AP50 {AP50}, AP75 {AP75} (COCO; 1 is perfect{nothing}).

| concept | boxes learnt from | boxes tested on | AP | AP50 |
| --- | --- | --- | --- | --- |
{rows}

{coco}### The files, compared with the trained detector on the same test pictures
| file | AP | AP of the trained detector | difference | |
| --- | --- | --- | --- | --- |
{checks}

## What it cannot do
{limits}

## How to use it
`model.tflite` (float16 weights; the one that WebNet Trainer uses) and `model_int8.tflite` ({int8})
are used in the same way. `labels.txt` and `detector.json` lie beside them and inside them: each file
is also a ZIP archive. `saved_model/` is for TensorFlow and takes uint8 pictures of any size; shrink large ones to about
{twice} pixels yourself, by means of all their pixels, since TensorFlow looks at few of them. Its boxes are
{shares}.

- In: `image`, float32 [1, {size}, {size}, 3]. The upright picture is scaled so that its longer side has {size} pixels;
  it lies in the upper left corner of the square, and the rest is 0. Its values are (x / 255 - mean) / std in the order
  red, green, blue, with mean 0.485, 0.456, 0.406 and std 0.229, 0.224, 0.225.
- Out: `detection_boxes` [1, 100, 4], in pixels of the square: top, left, bottom, right; `detection_classes` [1, 100];
  `detection_scores` [1, 100], best first; `num_detections` [1], how many of the 100 count.
- Class 0 is the background: class 1 is the first line of `labels.txt`.
- Use one thread. With more, TFLite can lose all boxes of a concept (github.com/tensorflow/tensorflow/issues/56058).
- Boxes with a low score are mostly wrong: WebNet Trainer begins with those of {threshold:g} and more.
{onnx}
{programs}
"""

# tf2onnx cannot convert the suppression of a detector that looks twice.
_ONNX_OFFERED = (
    "- For programs with ONNX Runtime: `model.onnx` is made when somebody first asks for it on the detector's page.\n"
)

# Where a card begins to speak of the ONNX file, once that is there.
_ONNX_TITLE = "### ONNX in Python, with `pip install onnxruntime numpy pillow`"
_ONNX = """{title}
`model.onnx` was made of `saved_model/`, is compared with it above, and is used in the same way: in goes `image`, uint8
[1, height, width, 3], upright and of any size, best about {twice} pixels long; out come shares of the picture (top,
left, bottom, right), class numbers from 1 and scores. Its metadata hold the labels. The lines print pixels.
```python
{program}
```
"""
# What cards say while there is none; those of earlier versions named a command.
_ONNX_LATER = re.compile(r"^- (For programs with ONNX|An ONNX file can be made).*\n(  .*\n)*", re.MULTILINE)
_LAST_CHECK = re.compile(r"(### The files, compared[^\n]*\n(?:\|[^\n]*\n)*)")

# What model_int8.tflite is, where a detector looks once and where it looks twice (see `tflite`).
_INT8 = {
    1: "whole numbers up to its head, which is float32; smaller and faster on phones",
    2: "weights as whole numbers; half the size",
}

# Where the boxes of the SavedModel lie.
_SHARES = {1: "shares of the picture, 0 to 1", 2: "in pixels of the square"}

_LEFT_OUT = " For {number} more there was no time: which ones chance decided, with the rare concepts' artworks first."

_EMPTY_LEFT_OUT = " {number} more that show none of the concepts were left out, since they slow the learning down."

_PHOTOGRAPHS = " and {number} simulated photographs"
_SIMULATED = """ Of {labels} there are
too few artworks: these were tested on simulated photographs of the artworks that they were learnt from, which tell how
well the same thing is known again, not how well others of its kind are."""

_HEAD = "a pyramid and head that learnt on ByzArt2K"
_BEGUN = """

Its pyramid and head had learnt on the training part of ByzArt2K (Byzantine icons and frescoes; MIT License according to
its README) before: the rights in these pictures count too."""

_EARLIER = """

It went on from an earlier detector: the pictures and the rights that are named in that one's card count too."""

_FETCHED = """

It went on from {fetched}, which learnt from the photographs of COCO (cocodataset.org): their terms count too."""


def model_card(config: RunConfig, manifest: Manifest, scores: Mapping[str, Any], checks: Mapping[str, Check]) -> str:
    """The card as Markdown.

    `config`: with the `steps` that were trained; `scores`: as in evaluation.json; `checks`: file name → how it
    compares.
    """
    looks = ARCHITECTURES[config.architecture].looks
    return _CARD.format(
        name=f"{_plain(manifest.dataset.name)} · {ARCHITECTURES[config.architecture].title}",
        labels=", ".join(_plain(label.name) for label in manifest.labels),
        dataset=_plain(manifest.dataset.name),
        train=len(manifest.part("train")),
        left_out=_left_out(manifest),
        test=len(manifest.part("test")),
        simulated=_simulated(scores),
        photographs=_PHOTOGRAPHS.format(number=scores["simulated"]) if scores.get("simulated") else "",
        seed=manifest.seed,
        rights=_rights(manifest) + _rights_of_start(config),
        architecture=ARCHITECTURES[config.architecture].title,
        size=config.input_size,
        twice=2 * config.input_size,
        steps=config.steps,
        batch=config.batch_size,
        augmentation=config.augmentation,
        run_seed=config.seed,
        weights=_start_weights(config),
        threshold=usable_threshold(scores),
        coco=_all_twelve(scores.get("coco") or {}),
        rows="\n".join(_row(row, manifest) for row in scores["per_label"]),
        checks="\n".join(_check_row(name, check) for name, check in checks.items()),
        limits="\n".join(f"- {sentence}" for sentence in _limits(manifest, scores)),
        int8=_INT8[looks],
        shares=_SHARES[looks],
        onnx=_ONNX_OFFERED if looks == 1 else "",
        programs=programs(config.input_size),
        **{name: _number(scores[name]) for name in ("AP", "AP50", "AP75")},
        nothing="; –: there was no box to find" if scores["AP"] is None else "",
    )


def with_onnx(card: str, check: Check, size: int) -> str:
    """A card, of any version, with what there is to say of the detector's ONNX file; saying it again changes nothing.

    `size`: side in pixels of the square that the network sees.
    """
    told = "".join(line for line in card.splitlines(keepends=True) if not line.startswith(f"| `{ONNX}` |"))
    told = _LAST_CHECK.sub(lambda table: f"{table[0]}{_check_row(ONNX, check)}\n", told, count=1)
    told = _ONNX_LATER.sub("", told).partition(_ONNX_TITLE)[0].rstrip()
    return f"{told}\n\n{_ONNX.format(title=_ONNX_TITLE, twice=2 * size, program=onnx_program(size))}"


def _left_out(manifest: Manifest) -> str:
    counts = {_LEFT_OUT: manifest.left_out, _EMPTY_LEFT_OUT: manifest.empty_left_out}
    return "".join(text.format(number=number) for text, number in counts.items() if number)


def _simulated(scores: Mapping[str, Any]) -> str:
    names = [_plain(row["name"]) for row in scores["per_label"] if row.get("simulated")]
    return _SIMULATED.format(labels=", ".join(names)) if names else ""


def _start_weights(config: RunConfig) -> str:
    if not config.start:
        head = f", with {_HEAD} ({config.pretrained_head})" if config.pretrained_head else ""
        return (config.weights or "none") + head
    if fetched := _fetched(config.start):
        return fetched
    return "an earlier detector" + (f", begun with {config.weights}" if config.weights else "")


def _rights_of_start(config: RunConfig) -> str:
    if not config.start:
        return _BEGUN if config.pretrained_head else ""
    fetched = _fetched(config.start)
    return _FETCHED.format(fetched=fetched) if fetched else _EARLIER


def _fetched(start: str) -> str:
    """The name, address and licence of the detector in the folder `start`; "" for one that was trained here."""
    try:
        described = json.loads((Path(start) / "detector.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return f"{described['name']} ({described['source']})" if described.get("source") else ""


def _rights(manifest: Manifest) -> str:
    counts = Counter(artwork.rights.strip() for artwork in manifest.artworks)
    unknown = counts.pop("", 0)
    if not counts:
        return "Not recorded for any of the artworks."
    rows = [f"| {_plain(rights)} | {count} |" for rights, count in counts.most_common()]
    rows += [f"| not recorded | {unknown} |"] if unknown else []
    return "\n".join(["| rights, as recorded with the artworks | artworks |", "| --- | --- |", *rows])


def _all_twelve(coco: Mapping[str, float | None]) -> str:
    """A table of all COCO metrics; evaluations of earlier versions have none."""
    if not coco:
        return ""
    rows = (f"| {name} | {_number(coco.get(name))} | {words} |" for name, words in WORDS.items())
    return "\n".join(["### All COCO metrics", "", "| metric | | what it says |", "| --- | --- | --- |", *rows, "", ""])


def _number(score: float | None) -> str:
    return "–" if score is None else f"{score:.3f}"


def _row(row: Mapping[str, Any], manifest: Manifest) -> str:
    learnt, tested = (str(_boxes(manifest.part(split), row["label"])) for split in ("train", "test"))
    boxes = (learnt, f"{row['boxes']}, simulated" if row.get("simulated") else tested)
    numbers = (_number(row[name]) for name in ("AP", "AP50"))
    return f"| {_plain(row['name'])} | {' | '.join((*boxes, *numbers))} |"


def _check_row(name: str, check: Check) -> str:
    if not check.pictures:
        return f"| `{name}` | – | – | – | not compared: the test pictures are not there any more |"
    if check.difference is None:
        return f"| `{name}` | – | – | – | not compared: there was no box to find |"
    verdict = "as good" if check.passed else "**differs by more than allowed: test it before you use it**"
    return f"| `{name}` | {_number(check.AP)} | {_number(check.trained_AP)} | {check.difference:+.3f} | {verdict} |"


def _limits(manifest: Manifest, scores: Mapping[str, Any]) -> list[str]:
    simulated = {row["label"] for row in scores["per_label"] if row.get("simulated")}
    train, test = manifest.part("train"), manifest.part("test")
    sentences = [
        "It knows only the concepts above, and only as they look in this dataset. Other periods, techniques, kinds of"
        " photographs or views it has not seen, and it may be wrong about them and still sure.",
        "It may miss things, above all small ones: a picture is scaled down before it looks at it.",
    ]
    if len(train) < _FEW_ARTWORKS:
        sentences.append(f"It learnt from {len(train)} artworks, which is few. More would help it more than anything.")
    if len(test) < _FEW_ARTWORKS:
        sentences.append(f"It was tested on {len(test)} artworks: the scores may be some way off on others.")
    for label in manifest.labels:
        learnt, tested = (_boxes(part, label.id) for part in (train, test))
        if learnt < _FEW_BOXES:
            sentences.append(f"{_plain(label.name)}: only {learnt} boxes to learn from.")
        if not tested and label.id not in simulated:
            sentences.append(f"{_plain(label.name)}: not tested, no test artwork shows it.")
    return sentences


def _boxes(artworks: tuple[ArtworkEntry, ...], label: Any) -> int:
    return sum(box.label == label for artwork in artworks for box in artwork.boxes)


def _plain(text: str) -> str:
    """Names are people's own: keep them from breaking the page."""
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
