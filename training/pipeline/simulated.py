"""Tests of what was photographed once: how well is it known again where a visitor's photograph shows it?

One particular work or thing, such as a painting that the museum's app is to recognise, is often on one artwork alone,
and that one must be learnt from. So concepts that no test artwork shows are tested on pictures of the artworks that
they were learnt from, changed as `augment` changes them for one particular thing, by other numbers than its copies in
training. They lie in a folder of their own and are named as what they are wherever scores are told. Such a score says
how well the thing itself is known again, not how well others of its kind are. So what real test artworks show too is
not counted on these photographs, neither where it is found nor where it is missed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from training.pipeline import augment
from training.pipeline.annotations import Coco, on_artworks

PRESET = "instances"
# Of each artwork, and of all of them together: each costs time whenever the detector is scored.
_EACH, _MOST = 5, 250


def folder(workdir: Path, dataset: str) -> Path:
    """Where the photographs are."""
    return workdir / "webnet_simulated_dataset" / dataset


def untested(train: Coco, test: Coco) -> Coco:
    """The images of `train` that show a concept without a box in `test`, with all their boxes."""
    known = on_artworks(test)
    shown = {box["image_id"] for box in train["annotations"] if box["category_id"] not in known}
    images = [image for image in train["images"] if image["id"] in shown]
    return {**train, "images": images, "annotations": [box for box in train["annotations"] if box["image_id"] in shown]}


def photographs(alone: Coco, target: Path, *, first: int, longest: int, seed: int, on_copy: Callable[[], None]) -> Coco:
    """Photographs of all images of `alone` in `target`, as COCO whose image ids begin with `first`.

    Their images are marked as "simulated". `longest`, `seed`, `on_copy`: as for `augment.augment`, whose copies for
    training of the same seed are others.
    """
    made = augment.augment(
        alone,
        target,
        preset=PRESET,
        copies=[_EACH] * len(alone["images"]),
        most=_MOST,
        longest=longest,
        seed=-1 - seed,  # no training has it
        on_copy=on_copy,
    )
    numbers = {image["id"]: number for number, image in enumerate(made["images"], start=first)}
    images = [{**image, "id": numbers[image["id"]], "simulated": True} for image in made["images"]]
    boxes = [{**box, "image_id": numbers[box["image_id"]]} for box in made["annotations"]]
    return {**made, "images": images, "annotations": boxes}


def added(test: Coco, photographs: Coco) -> Coco:
    """`test` with `photographs` in place of any that were in it, and with their boxes of what it does not show."""
    real = _real(test)
    known = on_artworks(test)
    only_there = (box for box in photographs["annotations"] if box["category_id"] not in known)
    boxes = [*real["annotations"], *only_there]
    numbered = [{**box, "id": number} for number, box in enumerate(boxes, start=1)]
    return {**test, "images": [*real["images"], *photographs["images"]], "annotations": numbered}


def _real(test: Coco) -> Coco:
    """What of a test part are artworks."""
    images = [image for image in test["images"] if not image.get("simulated")]
    real = {image["id"] for image in images}
    return {**test, "images": images, "annotations": [box for box in test["annotations"] if box["image_id"] in real]}
