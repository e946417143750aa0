"""The image sets that the benchmarks train on, as manifests. They are made by others and are no part of the project.

Each is split by picture that no one could take for another: what is trained on and what is tested on never show the
same painting. Boxes are cut at the border of their picture, those without an area left out.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from PIL import Image

from training.pipeline import manifest

Named = dict[str, Any]
Corners = tuple[str, list[float]]

SIDES = ("xmin", "ymin", "xmax", "ymax")
# Of a hundred paintings of iconart_cc, so many are tested on.
_TESTED = 20


def read(name: str, data: Path, concepts: int, after: int = 0) -> Named:
    """The manifest of an image set below `data` with its most frequent concepts; pictures without one are empty."""
    return most_frequent(name, list(READERS[name](data / name)), concepts, after)


def most_frequent(name: str, artworks: list[Named], concepts: int, after: int = 0) -> Named:
    """A manifest with the labels that have the most training boxes; pictures without them are empty ones.

    `after`: so many that have still more are passed over.
    """
    counts = Counter(box["label"] for row in artworks if row["split"] == "train" for box in row["boxes"])
    chosen = [label for label, _ in counts.most_common(after + concepts)[after:]]
    numbers = {label: number for number, label in enumerate(chosen, start=1)}
    for row in artworks:
        row["boxes"] = [{**box, "label": numbers[box["label"]]} for box in row["boxes"] if box["label"] in numbers]
        row["nothing_to_mark"] = not row["boxes"]
    return {
        "version": manifest.VERSION,
        "dataset": {"id": name, "name": name},
        "seed": 1,
        "suggestions": "ignored",
        "labels": [{"id": number, "name": label} for label, number in numbers.items()],
        "artworks": artworks,
    }


def read_byzart(folder: Path) -> Iterator[Named]:
    """ByzArt2K (MIT): JPEG and Pascal VOC side by side in train, valid and test; valid is trained on."""
    for part in ("train", "valid", "test"):
        for file in sorted((folder / part).glob("*.jpg")):
            yield artwork(file, part, voc(file.with_suffix(".xml")))


def read_bccd(folder: Path) -> Iterator[Named]:
    """BCCD (MIT): blood cells under the microscope, Pascal VOC with lists of the parts."""
    for part in ("trainval", "test"):
        for name in (folder / "ImageSets" / "Main" / f"{part}.txt").read_text().split():
            yield artwork(folder / "JPEGImages" / f"{name}.jpg", part, voc(folder / "Annotations" / f"{name}.xml"))


def read_iconart(folder: Path) -> Iterator[Named]:
    """iconart_cc (CC BY 4.0, Roboflow Universe, object-detection/iconart-fycpb): YOLO, split by painting.

    Its own parts are not used: twenty pictures say little, and files are mirrored copies of each other.
    """
    names = (folder / "data.yaml").read_text().split("names:")[1].strip().strip("[]").replace("'", "").split(", ")
    for file in sorted((folder / "images").glob("*/*.jpg")):
        painting = file.name.split("_jpg.rf.")[0]
        part = "test" if int(hashlib.sha256(painting.encode()).hexdigest(), 16) % 100 < _TESTED else "train"
        yield artwork(file, part, yolo(file, folder / "labels" / file.parent.name / f"{file.stem}.txt", names))


READERS: dict[str, Callable[[Path], Iterator[Named]]] = {
    "byzart": read_byzart,
    "iconart_cc": read_iconart,
    "bccd": read_bccd,
}


def voc(file: Path) -> list[Corners]:
    """Names and corners (left, top, right, bottom, in pixels) of a Pascal VOC file."""
    root = ElementTree.parse(file).getroot()
    return [
        (str(row.findtext("name")), [float(row.findtext(f"bndbox/{side}") or 0) for side in SIDES])
        for row in root.iter("object")
    ]


def yolo(picture: Path, labels: Path, names: list[str]) -> list[Corners]:
    """Names and corners (left, top, right, bottom, in pixels) of a YOLO file."""
    with Image.open(picture) as opened:
        width, height = opened.size
    corners = []
    for line in labels.read_text().splitlines():
        label, x, y, w, h = (float(value) for value in line.split())
        left, top = (x - w / 2) * width, (y - h / 2) * height
        corners.append((names[int(label)], [left, top, left + w * width, top + h * height]))
    return corners


def artwork(file: Path, part: str, corners: list[Corners]) -> Named:
    """A manifest entry; whatever is not the part "test" is trained on."""
    with Image.open(file) as opened:
        width, height = opened.size
    boxes = []
    for label, (left, top, right, bottom) in corners:
        x, y = max(0.0, left), max(0.0, top)
        w, h = min(width, right) - x, min(height, bottom) - y
        if w > 0 and h > 0:
            boxes.append({"label": label, "x": x, "y": y, "width": w, "height": h})
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    size = {"width": width, "height": height}
    split = "test" if part == "test" else "train"
    return {"id": f"{part}/{file.name}", "file": str(file.resolve()), "sha256": digest, **size, "split": split} | {
        "nothing_to_mark": False,
        "boxes": boxes,
    }
