"""Stage 1, prepare annotations: COCO JSON of the train and the test part, out of the manifest.

Boxes are `[x, y, width, height]` in pixels of the oriented artwork. Every image entry also names its artwork's id
and file.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.pipeline.manifest import SPLITS, ArtworkEntry, Key, Manifest

Coco = dict[str, Any]


def coco_path(workdir: Path, part: str) -> Path:
    """Where the COCO JSON of a part ("train", "test" or "train_augmented") is."""
    return workdir / "annotations" / f"{part}.json"


def prepare(manifest: Manifest, workdir: Path) -> dict[str, Path]:
    """Write annotations/train.json and annotations/test.json; return their paths by part."""
    return {split: save(to_coco(manifest, split), coco_path(workdir, split)) for split in SPLITS}


def to_coco(manifest: Manifest, split: str) -> Coco:
    """The COCO dictionary of one part.

    No image id occurs in both parts, so that records of the wrong one are noticed; category ids are the detector's
    class numbers.
    """
    classes, numbers = manifest.classes(), _image_numbers(manifest)
    artworks = manifest.part(split)
    annotations = [
        annotation
        for artwork in artworks
        for annotation in _annotations(artwork, numbers[artwork.id], lambda label: classes[label])
    ]
    for number, annotation in enumerate(annotations, start=1):
        annotation["id"] = number
    return {
        "info": {"description": manifest.dataset.name},
        "images": [_image(artwork, numbers[artwork.id]) for artwork in artworks],
        "annotations": annotations,
        "categories": categories(manifest),
    }


def categories(manifest: Manifest) -> list[dict[str, Any]]:
    """COCO categories; `label` is the dataset's id of the label."""
    classes = manifest.classes()
    return [{"id": classes[label.id], "name": label.name, "label": label.id} for label in manifest.labels]


def on_artworks(coco: Coco) -> set[int]:
    """The ids of the categories with a box on an image that is no simulated photograph (see `simulated`)."""
    photographs = {image["id"] for image in coco["images"] if image.get("simulated")}
    return {box["category_id"] for box in coco["annotations"] if box["image_id"] not in photographs}


def load(path: Path) -> Coco:
    """Read a COCO file that this module wrote."""
    data: Coco = json.loads(path.read_text(encoding="utf-8"))
    return data


def save(coco: Coco, path: Path) -> Path:
    """Write a COCO dictionary to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(coco, ensure_ascii=False), encoding="utf-8")
    return path


def boxes_by_image(coco: Coco) -> dict[int, list[dict[str, Any]]]:
    """Image id → its annotations; images without boxes have an empty list."""
    rows: dict[int, list[dict[str, Any]]] = {image["id"]: [] for image in coco["images"]}
    for annotation in coco["annotations"]:
        rows[annotation["image_id"]].append(annotation)
    return rows


def _image_numbers(manifest: Manifest) -> dict[Key, int]:
    """Artwork id → image id: 1, 2, … with the training part last, whose changed copies are numbered on from there."""
    artworks = [*manifest.part("test"), *manifest.part("train")]
    return {artwork.id: number for number, artwork in enumerate(artworks, start=1)}


def _image(artwork: ArtworkEntry, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "artwork": artwork.id,
        "file_name": str(artwork.file),
        "width": artwork.width,
        "height": artwork.height,
    }


def _annotations(artwork: ArtworkEntry, image: int, category: Callable[[Any], int]) -> list[dict[str, Any]]:
    rows = []
    for box in artwork.boxes:
        x, y = min(max(box.x, 0.0), artwork.width), min(max(box.y, 0.0), artwork.height)
        width, height = min(box.width, artwork.width - x), min(box.height, artwork.height - y)
        bbox = [x, y, width, height]
        row = {"image_id": image, "category_id": category(box.label), "bbox": bbox, "area": width * height}
        rows.append({**row, "iscrowd": 0})
    return rows
