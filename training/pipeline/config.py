"""What can be chosen for a training, what it costs, and the frozen configuration of one run."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from training.pipeline import durable
from training.pipeline.architectures import ARCHITECTURES, Architecture
from training.pipeline.translation import gettext_noop

FILE_NAME = "config.json"
# In a detector's folder: what a later training goes on from.
CHECKPOINT = "checkpoint/weights"

Option = TypeVar("Option")


class ConfigError(ValueError):
    """A configuration that cannot be run; the message says which value is wrong."""


@dataclass(frozen=True)
class Budget:
    """How long a run may take from its start to the usable detector, in minutes."""

    key: str
    title: str
    description: str
    minutes: float


@dataclass(frozen=True)
class Augmentation:
    """How training pictures are varied: `copies` changed copies of each on disk; `flip`: mirror them while training.

    Of few pictures more copies are made, `least_copies` in all, so that no two rounds through them are the same; and no
    more than that each, with the pictures themselves, is looked at `looks` times (0: whatever the time is).
    `empty`: of artworks that show nothing, so many are learnt from for each that shows something, and no more.
    `rare`: the share of the pictures below which a concept is rare, and more copies are made of those that show it.
    `simulated`: what is to be found is one thing, of which there may be one picture alone (see `simulated`).
    `backbone_rate`: the rate at which a released backbone learns, at most; see docs/decisions/training.md.
    """

    key: str
    title: str
    description: str
    copies: int
    flip: bool
    least_copies: int = 0
    looks: int = 0
    empty: float = 0.25
    rare: float = 0.0
    simulated: bool = False
    backbone_rate: float = 1e-3


BUDGETS: Mapping[str, Budget] = MappingProxyType(
    {
        "quick": Budget(
            "quick", gettext_noop("Quick"), gettext_noop("A first look at what the detector can learn."), 3
        ),
        "standard": Budget(
            "standard", gettext_noop("Standard"), gettext_noop("The usual choice for a detector to work with."), 10
        ),
        "thorough": Budget(
            "thorough", gettext_noop("Thorough"), gettext_noop("For the last few percent, over lunch."), 30
        ),
        "own": Budget("own", gettext_noop("Your own time"), gettext_noop("As many minutes as you have."), 0),
    }
)
# What may be chosen as one's own time, in minutes: in less nothing is learnt, a longer one is a slip of the finger.
LEAST_MINUTES, MOST_MINUTES = 2.0, 24 * 60.0
# What the budget "own" is until somebody says otherwise.
OWN_MINUTES = 20

# A picture may be looked at so often, each time a little larger or smaller, before changed copies do more good than
# harm: docs/decisions/training.md.
_LOOKS = 50

AUGMENTATIONS: Mapping[str, Augmentation] = MappingProxyType(
    {
        "none": Augmentation(
            "none", gettext_noop("None"), gettext_noop("Pictures are only zoomed in and out a little."), 0, False
        ),
        "gentle": Augmentation(
            "gentle",
            gettext_noop("Gentle"),
            gettext_noop(
                "Slight changes of light, colour and size, where artworks are few for the time. Nothing is mirrored."
            ),
            1,
            False,
            200,
            looks=_LOOKS,
        ),
        "categories": Augmentation(
            "categories",
            gettext_noop("Kinds of things"),
            gettext_noop(
                "Mirrored and, where artworks are few for the time, turned a little and relit: for concepts such as"
                " “angel” or “book”."
            ),
            2,
            True,
            200,
            looks=_LOOKS,
        ),
        "instances": Augmentation(
            "instances",
            gettext_noop("One particular thing"),
            gettext_noop(
                "Seen from an angle, in other light, blurred or cut off, never mirrored: to find one particular work"
                " again in visitors' photographs."
            ),
            3,
            False,
            800,
            # Works like the wanted ones hang beside them, and their copies are fewer anyway.
            empty=1.0,
            rare=1.0,
            simulated=True,
            backbone_rate=3e-4,
        ),
    }
)

# Seconds on two cores, measured.
_SECONDS_PER_COPY = 0.05
_SECONDS_PER_RECORD = 0.02
_SECONDS_PER_EVALUATED_IMAGE = 0.03
# Loading TensorFlow, and building and compiling the detector.
_BUILDING_SECONDS = 35.0
# Exporting and converting.
_EXPORT_SECONDS = 45.0
TEST_SHARE = 0.2
# How many times the test part is scored on the way, and once at the end, where there is time for it.
EVALUATIONS = 6
# Changed copies may take this share of a run's time to make.
_COPIES_SHARE = 0.15
# Reading training pictures may take this one: about as many then as a short training on two cores looks at.
_RECORDS_SHARE = 0.2
# After this share of the way the late stages of a pretrained backbone learn too; see docs/decisions/training.md.
_RELEASE_AT = 0.3
# What is good for a new head alone is too much where a backbone learns along, and makes an earlier detector forget.
_CAREFUL_RATE = 1e-3
# Things that would be smaller than a square of so many pixels are seen in a larger picture: docs/decisions/training.md.
# Its side is a multiple of 128, which the coarsest level of a pyramid needs.
_SMALL, _SIZE_FOR_SMALL = 24, 384
# A step takes more than twice as long then; in less time there would be too few.
_LEAST_MINUTES_FOR_SMALL = 10.0
# However little time is left when everything is prepared, so much of the run's is for training.
LEAST_TRAINING_SHARE = 0.4


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides a run, so that it can be repeated. Sizes are in pixels, `steps` counts batches.

    A run trains for exactly `steps`; where these are 0, as many as fit into its `minutes` (see `pace`), and at least
    `min_steps`. It starts from the detector in the folder `start`, where that is not "", else from `weights` and
    `pretrained_head`, and from nothing where these are "" too. Its rate falls from the share `falls_from` of the way
    on. Its backbone is frozen for the share `release_at` of the way; then its late blocks learn too
    (`backbones.release` with `release_channels`), at `backbone_rate` of the rate, then itself `released_rate` of what
    it was. While all of it is frozen, what it makes of a picture is used `feature_uses` times (see `replay`).
    Of changed copies, `copies` of each picture, at least `least_copies` in all are made and at most `most_copies`; with
    the pictures themselves there are at most `most_varied`, and at most `most_records` are read. Of pictures that show
    a concept which fewer than the share `rare` of them show, more copies are made (see `balance`). Of artworks that
    show nothing, at most `empty` times as many are learnt from as of others.
    """

    architecture: str
    backbone: str
    weights: str
    budget: str
    augmentation: str
    seed: int
    steps: int
    batch_size: int
    input_size: int
    copies: int
    flip: bool
    evaluations: int
    least_copies: int = 0
    most_copies: int = 100_000
    most_varied: int = 1_000_000
    empty: float = 1_000_000.0
    rare: float = 0.0
    most_records: int = 1_000_000
    learning_rate: float = 1e-3
    warmup_steps: int = 50
    falls_from: float = 0.1
    clip_norm: float = 10.0
    weight_decay: float = 4e-5
    freeze_backbone: bool = True
    release_at: float = 1.0
    release_channels: int = 64
    released_rate: float = 1.0
    backbone_rate: float = 1.0
    feature_uses: int = 8
    scale_min: float = 0.7
    scale_max: float = 1.4
    max_boxes: int = 100
    checkpoint_seconds: float = 20.0
    minutes: float = 0.0
    min_steps: int = 250
    start: str = ""
    pretrained_head: str = ""

    @property
    def enlarged(self) -> float:
        """How many times as many pixels it sees as its architecture usually does."""
        return _enlarged(ARCHITECTURES[self.architecture], self.input_size)

    def save(self, workdir: Path | str) -> Path:
        """Write WORKDIR/config.json and return its path."""
        path = Path(workdir) / FILE_NAME
        path.parent.mkdir(parents=True, exist_ok=True)
        durable.write(path, json.dumps(dataclasses.asdict(self), indent=1) + "\n")
        return path


def load(workdir: Path | str) -> RunConfig:
    """Read WORKDIR/config.json. Raises ConfigError when it is missing, no JSON, or has other fields than RunConfig."""
    path = Path(workdir) / FILE_NAME
    try:
        config = RunConfig(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{path} cannot be used as a configuration: {error}") from None
    if not config.steps and not config.minutes > 0:
        raise ConfigError(f"{path} cannot be used as a configuration: it names neither steps nor minutes.")
    return config


def plan(
    *,
    architecture: str,
    budget: str,
    augmentation: str,
    seed: int,
    minutes: float | None = None,
    start: str = "",
    start_size: int | None = None,
    smallest: float | None = None,
) -> RunConfig:
    """The configuration of a run; `minutes` is for the budget "own" alone.

    `start`: the folder of an earlier detector of this architecture to go on from, which sees squares of `start_size`
    pixels, as this one will then. `smallest`: how large the smallest things are (`Manifest.smallest`), where that is
    known.

    Raises ConfigError for an unknown key, naming the known ones, and for an impossible time.
    """
    chosen = _choose(ARCHITECTURES, "architecture", architecture)
    variety = _choose(AUGMENTATIONS, "augmentation", augmentation)
    duration = minutes_of(budget, minutes)
    # What was learnt at one size is worth less at another.
    side = start_size or input_size(architecture, duration, smallest)
    return RunConfig(
        architecture=chosen.key,
        backbone=chosen.backbone,
        weights=chosen.weights,
        budget=budget,
        augmentation=variety.key,
        seed=seed,
        minutes=duration,
        steps=0,
        batch_size=chosen.batch_size,
        input_size=side,
        most_records=most_records(architecture, duration, side),
        most_varied=most_varied(architecture, duration, side, variety),
        **_variation(variety, duration),
        evaluations=EVALUATIONS,
        # A backbone that knows nothing yet must learn.
        freeze_backbone=bool(chosen.weights or start),
        **_rates(chosen, variety, start),
        start=start,
        pretrained_head=chosen.head,
        # `replay` knows the targets of a RetinaNet.
        feature_uses=RunConfig.feature_uses if chosen.looks == 1 else 1,
    )


def _variation(variety: Augmentation, minutes: float) -> dict[str, Any]:
    """How the training pictures are chosen and varied; see RunConfig."""
    return {
        "copies": variety.copies,
        "least_copies": variety.least_copies,
        "most_copies": int(minutes * 60 * _COPIES_SHARE / _SECONDS_PER_COPY),
        "empty": variety.empty,
        "rare": variety.rare,
        "flip": variety.flip,
    }


def _rates(chosen: Architecture, variety: Augmentation, start: str) -> dict[str, Any]:
    """How fast a detector learns, alone and when its backbone is released, and when that is; see RunConfig."""
    careful = min(chosen.learning_rate, _CAREFUL_RATE)
    rate = careful if start else chosen.learning_rate
    return {
        "learning_rate": rate,
        "release_at": _RELEASE_AT if chosen.weights or start else 1.0,
        "released_rate": careful / rate,
        "backbone_rate": min(careful, variety.backbone_rate) / careful if chosen.weights or start else 1.0,
    }


def input_size(architecture: str, minutes: float, smallest: float | None) -> int:
    """Side in pixels of the square that is seen: a larger one where things are small and there is time for it.

    `smallest` as for `plan`. Architectures for GPUs see a larger one anyway.
    """
    chosen = _choose(ARCHITECTURES, "architecture", architecture)
    if smallest is None or minutes < _LEAST_MINUTES_FOR_SMALL or smallest * chosen.input_size >= _SMALL:
        return chosen.input_size
    return max(_SIZE_FOR_SMALL, chosen.input_size)


def minutes_of(budget: str, minutes: float | None) -> float:
    """How long a run may take. Raises ConfigError for an unknown budget, and for one's own without a possible time."""
    chosen = _choose(BUDGETS, "budget", budget)
    if chosen.minutes:
        return chosen.minutes
    if minutes is None or not LEAST_MINUTES <= minutes <= MOST_MINUTES:
        raise ConfigError(f"Your own time must be from {LEAST_MINUTES:g} to {MOST_MINUTES:g} minutes, not {minutes}.")
    return minutes


def estimate_seconds(
    architecture: str, minutes: float, images: int, side: int | None = None, train: int | None = None
) -> int:
    """Seconds that a run of `minutes` on `images` artworks will really take on two cores, from start to detector.

    Longer than asked where reading and scoring the pictures or the fewest steps that are worth it take longer.
    `side`: of the square that is seen, in pixels, where that is not the usual one; `train` as for `learnt_from`.
    """
    chosen = _choose(ARCHITECTURES, "architecture", architecture)
    enlarged = _enlarged(chosen, side or chosen.input_size)
    tested = round(images * TEST_SHARE)
    read = learnt_from(architecture, minutes, images, side, train) + tested
    before = _BUILDING_SECONDS + read * _SECONDS_PER_RECORD * enlarged
    after = _EXPORT_SECONDS + scoring_seconds(tested, enlarged)
    least = max(minutes * 60 * LEAST_TRAINING_SHARE, RunConfig.min_steps * chosen.step_seconds * enlarged)
    return round(max(minutes * 60, before + least + after))


def most_records(architecture: str, minutes: float, side: int) -> int:
    """How many pictures, changed copies among them, a training of `minutes` on two cores reads at most.

    No more than its steps look at, either. `side`: of the square that is seen, in pixels.
    """
    enlarged = _enlarged(_choose(ARCHITECTURES, "architecture", architecture), side)
    read = minutes * 60 * _RECORDS_SHARE / (_SECONDS_PER_RECORD * enlarged)
    return int(min(read, _looked_at(architecture, minutes, side)))


def most_varied(architecture: str, minutes: float, side: int, variety: Augmentation) -> int:
    """How many pictures, changed copies among them, are looked at often enough in `minutes`; `side`: of the square."""
    if not variety.looks:
        return RunConfig.most_varied
    return int(_looked_at(architecture, minutes, side) / variety.looks)


def _looked_at(architecture: str, minutes: float, side: int) -> float:
    """How many pictures the steps of `minutes` on two cores look at, one after the other; `side` as above."""
    chosen = ARCHITECTURES[architecture]
    steps = max(RunConfig.min_steps, minutes * 60 / (chosen.step_seconds * _enlarged(chosen, side)))
    return steps * chosen.batch_size


def learnt_from(
    architecture: str, minutes: float, images: int, side: int | None = None, train: int | None = None
) -> int:
    """Of so many artworks, those of the training part that a training of `minutes` has the time to read.

    `side` as for `estimate_seconds`; `train`: how many the training part has, where artworks were left out of it.
    """
    usual = _choose(ARCHITECTURES, "architecture", architecture).input_size
    part = images - round(images * TEST_SHARE) if train is None else train
    return min(part, most_records(architecture, minutes, side or usual))


def scoring_seconds(test_images: int, enlarged: float = 1.0) -> float:
    """Seconds that it takes to score a detector on `test_images` pictures; `enlarged`: see `RunConfig`."""
    return test_images * _SECONDS_PER_EVALUATED_IMAGE * enlarged


def _enlarged(chosen: Architecture, side: int) -> float:
    return (side / chosen.input_size) ** 2


def _choose(options: Mapping[str, Option], what: str, key: str) -> Option:
    if key not in options:
        raise ConfigError(f"Unknown {what} “{key}”. Choose one of: {', '.join(options)}.")
    return options[key]
