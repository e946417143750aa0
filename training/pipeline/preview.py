"""What a training would see: `python -m training.pipeline.preview`, pictures as JSON on stdin, changed ones on stdout.

A process of its own, which ends after one answer: albumentations and OpenCV take 1.4 s to load and 96 MB, half of what
the web process may use, for something that is looked at for a minute before a training.

In: {"preset", "seed", "size", "flip", "scale_min", "scale_max", "pictures": [{"id", "file", "width", "height",
"boxes": [{"label", "x", "y", "width", "height"}]}]}, boxes in pixels of the artwork, `width` × `height`. Out:
{"pictures": [{"id", "image": "data:image/jpeg;base64,…", "width", "height", "boxes"}]}, boxes in pixels of that image.
A picture that cannot be read, or of which nothing would be left, is left out.
"""

from __future__ import annotations

import base64
import io
import json
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from training.pipeline.augment import FILL, Job, Kept, Pixels, change, read
from training.pipeline.config import AUGMENTATIONS
from training.pipeline.pixels import UnreadableImage

_QUALITY = 85
_LEAST_SIDE = 1.0


@dataclass(frozen=True)
class Seen:
    """How pictures are varied while training: the square's side in pixels, mirroring, and the range of zooming."""

    size: int
    flip: bool
    scale_min: float
    scale_max: float


def preview(request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Answer a request (see the module), one picture after the other."""
    seen = Seen(**{name: request[name] for name in ("size", "flip", "scale_min", "scale_max")})
    for place, picture in enumerate(request["pictures"]):
        dice = random.Random(f"{request['seed']}:{place}")  # noqa: S311  not for secrets
        try:
            changed = _varied(_job(picture, request["preset"], seen, seed=dice.randrange(2**31)))
        except UnreadableImage:
            continue
        if changed is not None:
            yield {"id": picture["id"], **_answer(*as_seen(*changed, seen, dice))}


def _varied(job: Job) -> tuple[Pixels, list[Kept]] | None:
    """The changed copy that the stage of augmentation makes, or the picture itself where it makes none."""
    source = read(job)
    if AUGMENTATIONS[job.preset].copies:
        return change(job, source)
    pixels, corners, labels = source
    boxes = [(left, top, right - left, bottom - top) for left, top, right, bottom in corners]
    return pixels, list(zip(boxes, labels, strict=True))


def as_seen(pixels: Pixels, boxes: Sequence[Kept], seen: Seen, dice: random.Random) -> tuple[Pixels, list[Kept]]:
    """Mirror and zoom a picture (height × width × 3) as Model Garden does before each step of a training.

    The picture is scaled to between `scale_min` and `scale_max` of the square, cut at its border at a place taken by
    chance, and lies in its upper left corner. Boxes are (x, y, width, height) in pixels; what is cut off is gone.
    """
    if seen.flip and dice.random() < 0.5:
        width = pixels.shape[1]
        pixels = pixels[:, ::-1]
        boxes = [((width - x - w, y, w, h), category) for (x, y, w, h), category in boxes]
    scale = dice.uniform(seen.scale_min, seen.scale_max) * seen.size / max(pixels.shape[:2])
    scaled = [max(1, round(side * scale)) for side in (pixels.shape[1], pixels.shape[0])]
    left, top = (dice.randint(0, max(0, side - seen.size)) for side in scaled)
    square = Image.new("RGB", (seen.size, seen.size), FILL)
    square.paste(Image.fromarray(np.ascontiguousarray(pixels)).resize((scaled[0], scaled[1])), (-left, -top))
    across, down = scaled[0] / pixels.shape[1], scaled[1] / pixels.shape[0]
    moved = (_cut(box, across, down, left, top, seen.size) for box, _category in boxes)
    kept = [(box, category) for box, (_old, category) in zip(moved, boxes, strict=True) if box is not None]
    return np.asarray(square), kept


def _cut(
    box: tuple[float, float, float, float], across: float, down: float, left: int, top: int, size: int
) -> tuple[float, float, float, float] | None:
    """A box after scaling and cutting; none where nothing of it is left."""
    x, y, width, height = box
    x1, x2 = (min(float(size), max(0.0, side * across - left)) for side in (x, x + width))
    y1, y2 = (min(float(size), max(0.0, side * down - top)) for side in (y, y + height))
    return (x1, y1, x2 - x1, y2 - y1) if x2 - x1 >= _LEAST_SIDE and y2 - y1 >= _LEAST_SIDE else None


def _job(picture: Mapping[str, Any], preset: str, seen: Seen, *, seed: int) -> Job:
    boxes = [
        {"bbox": [box["x"], box["y"], box["width"], box["height"]], "category_id": box["label"]}
        for box in picture["boxes"]
    ]
    image = {"file_name": picture["file"], "width": picture["width"], "height": picture["height"]}
    # Twice the square, as in the records, so that zooming in shows detail.
    return Job(image, boxes, preset, seed, 2 * seen.size, Path())


def _answer(pixels: Pixels, boxes: Sequence[Kept]) -> dict[str, Any]:
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "JPEG", quality=_QUALITY)
    names = ("x", "y", "width", "height")
    return {
        "image": "data:image/jpeg;base64," + base64.b64encode(encoded.getvalue()).decode(),
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "boxes": [
            {"label": label, **{name: round(side, 1) for name, side in zip(names, box, strict=True)}}
            for box, label in boxes
        ],
    }


if __name__ == "__main__":
    print(json.dumps({"pictures": list(preview(json.load(sys.stdin)))}))
