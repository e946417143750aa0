"""Generated pictures of plain shapes with their boxes, and work folders made of them."""

from __future__ import annotations

import dataclasses
import hashlib
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from training.pipeline import config, manifest

NAMES = ("circle", "square", "triangle")


def draw(path: Path, *, seed: int, ground: int, size: tuple[int, int] = (480, 360)) -> list[dict[str, Any]]:
    """Draw one to three shapes on a mottled ground, save them as JPEG, return their boxes (label 1, 2, 3)."""
    rng, grain = random.Random(seed), np.random.default_rng(ground)
    width, height = size
    picture = Image.fromarray(grain.integers(70, 190, (9, 12, 3), dtype=np.uint8)).resize(
        size, Image.Resampling.BICUBIC
    )
    canvas = ImageDraw.Draw(picture)
    boxes: list[dict[str, Any]] = []
    for _ in range(rng.randint(1, 3)):
        side, label = rng.randint(height // 4, height // 2), rng.randint(1, 3)
        x, y = rng.randint(0, width - side - 1), rng.randint(0, height - side - 1)
        if any(abs(x - box["x"]) < box["width"] + 9 and abs(y - box["y"]) < box["width"] + 9 for box in boxes):
            continue
        _shape(canvas, label, x, y, side, tuple(rng.choice((10, 245)) for _ in range(3)))
        boxes.append({"label": label, "x": x, "y": y, "width": side, "height": side})
    picture.save(path, quality=92)
    return boxes


def _shape(canvas: ImageDraw.ImageDraw, label: int, x: int, y: int, side: int, colour: tuple[int, ...]) -> None:
    corners = (x, y, x + side, y + side)
    if label == 1:
        canvas.ellipse(corners, fill=colour)
    elif label == 2:
        canvas.rectangle(corners, fill=colour)
    else:
        canvas.polygon([(x + side / 2, y), (x, y + side), (x + side, y + side)], fill=colour)


def artwork(workdir: Path, number: int, split: str, *, seed: int | None = None) -> dict[str, Any]:
    """One manifest entry with its picture; equal seeds give equal shapes, each on a ground of its own."""
    file = workdir / "images" / f"{number}.jpg"
    file.parent.mkdir(parents=True, exist_ok=True)
    boxes = draw(file, seed=number if seed is None else seed, ground=number)
    return {
        "id": number,
        "file": f"images/{number}.jpg",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "width": 480,
        "height": 360,
        "split": split,
        "nothing_to_mark": False,
        "boxes": boxes,
    }


def manifest_of(artworks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A manifest of these artworks."""
    return {
        "version": 1,
        "dataset": {"id": 7, "name": "Shapes"},
        "seed": 1,
        "suggestions": "ignored",
        "labels": [{"id": number, "name": name} for number, name in enumerate(NAMES, start=1)],
        "artworks": list(artworks),
    }


def make_workdir(
    workdir: Path, artworks: Sequence[dict[str, Any]], *, augmentation: str = "none", **changes: Any
) -> Path:
    """Write manifest and configuration (a quick plan with `changes`) to `workdir`."""
    manifest.save(manifest_of(artworks), workdir)
    plan = config.plan(architecture="retinanet_mobilenet_v2", budget="quick", augmentation=augmentation, seed=3)
    dataclasses.replace(plan, **changes).save(workdir)
    return workdir
