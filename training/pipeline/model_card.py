"""The page that travels with a detector: what it was trained on, how, how good it is, and what it is not for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.pipeline.config import ARCHITECTURES, RunConfig
from training.pipeline.manifest import Manifest

_CARD = """# {name}

Finds {labels} in pictures of artworks. Trained with WebNet Trainer.

## Training data
Dataset “{dataset}”: {train} artworks to learn from and {test} to test on, split by artwork (seed {seed}) before any
augmentation. Only boxes that a person confirmed were used; artworks marked as showing none of these were used too.

## Training
{architecture}, {size} × {size} pixels, {steps} steps of {batch} pictures, augmentation “{augmentation}”, seed
{run_seed}. Start weights: {weights}.

## Results on the test part
AP {AP:.3f}, AP50 {AP50:.3f}, AP75 {AP75:.3f} (COCO).

| label | AP | AP50 |
| --- | --- | --- |
{rows}

## Use
`model.tflite` takes one picture, scaled into the upper left of a {size} × {size} square, as float32 (x / 255 - mean)
/ std with mean 0.485, 0.456, 0.406 and std 0.229, 0.224, 0.225. `saved_model/` takes uint8 pictures of any size.
Classes are numbered in the order of `labels.txt`. What it draws is a suggestion: a person should look at it before
it is taken as true.
"""


def model_card(config: RunConfig, manifest: Manifest, scores: Mapping[str, Any]) -> str:
    """The card as Markdown."""
    return _CARD.format(
        name=f"{_plain(manifest.dataset.name)} · {ARCHITECTURES[config.architecture].title}",
        labels=", ".join(_plain(label.name) for label in manifest.labels),
        dataset=_plain(manifest.dataset.name),
        train=len(manifest.part("train")),
        test=len(manifest.part("test")),
        seed=manifest.seed,
        architecture=ARCHITECTURES[config.architecture].title,
        size=config.input_size,
        steps=config.steps,
        batch=config.batch_size,
        augmentation=config.augmentation,
        run_seed=config.seed,
        weights=config.weights or "none",
        rows="\n".join(_row(row) for row in scores["per_label"]),
        **{name: scores[name] for name in ("AP", "AP50", "AP75")},
    )


def _row(row: Mapping[str, Any]) -> str:
    numbers = ("–" if row[name] is None else f"{row[name]:.3f}" for name in ("AP", "AP50"))
    return f"| {_plain(row['name'])} | {' | '.join(numbers)} |"


def _plain(text: str) -> str:
    """Names are people's own: keep them from breaking the page."""
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
