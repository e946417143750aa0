"""The frozen dataset version that a training reads: WORKDIR/manifest.json, validated into dataclasses.

Boxes are in pixels of the oriented artwork (`width` × `height`, origin top left). The image file may hold fewer
pixels than that; whoever reads pixels scales.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from training.pipeline import durable

VERSION = 1
FILE_NAME = "manifest.json"
SPLITS = ("train", "test")
# Boxes of a concept from which one can tell how large it is.
ENOUGH = 10

Key = int | str


class ManifestError(ValueError):
    """The manifest cannot be trained on; the message names the place and the reason."""


@dataclass(frozen=True)
class DatasetEntry:
    """The dataset that the snapshot was made of."""

    id: Key
    name: str

    @property
    def folder(self) -> str:
        """A folder name for this dataset: its id without characters that mean something in a path."""
        return re.sub(r"[^A-Za-z0-9_-]+", "_", str(self.id))


@dataclass(frozen=True)
class LabelEntry:
    """One concept to detect."""

    id: Key
    name: str


@dataclass(frozen=True)
class BoxEntry:
    """One confirmed box: label id, and pixels of the oriented artwork."""

    label: Key
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class ArtworkEntry:
    """One artwork with its image file, its oriented size in pixels, its part of the split and its boxes.

    `rights`: what is recorded about the rights of the work or its picture; "" where nothing is.
    """

    id: Key
    file: Path
    sha256: str
    width: int
    height: int
    split: str
    nothing_to_mark: bool
    boxes: tuple[BoxEntry, ...]
    rights: str = ""


@dataclass(frozen=True)
class Manifest:
    """A frozen dataset version.

    `simulated_tests`: concepts that no test artwork shows are tested on simulated photographs (see `simulated`), and
    the test part may be empty. `left_out`: how many more artworks there are in the training part, for which a run has
    no time; `empty_left_out`: how many that show nothing would be too many (see `sample`).
    """

    version: int
    dataset: DatasetEntry
    seed: int
    suggestions: str
    labels: tuple[LabelEntry, ...]
    artworks: tuple[ArtworkEntry, ...]
    simulated_tests: bool = False
    left_out: int = 0
    empty_left_out: int = 0

    def part(self, split: str) -> tuple[ArtworkEntry, ...]:
        """The artworks of "train" or "test", in manifest order."""
        return tuple(artwork for artwork in self.artworks if artwork.split == split)

    @property
    def smallest(self) -> float | None:
        """How large the boxes to train on are of the concept that has the smallest ones: the median of their sides.

        A side is the root of a box's area, as a share of its picture's longer side. Concepts of fewer than `ENOUGH`
        boxes do not count; None where there is no other.
        """
        sides = defaultdict(list)
        for artwork in self.part("train"):
            for box in artwork.boxes:
                sides[box.label].append(math.sqrt(box.width * box.height) / max(artwork.width, artwork.height))
        return min((median(row) for row in sides.values() if len(row) >= ENOUGH), default=None)

    def classes(self) -> dict[Key, int]:
        """Label id → class number of the detector: 1, 2, … in manifest order (0 is the background)."""
        return {label.id: number for number, label in enumerate(self.labels, start=1)}


def manifest_sha256(data: Mapping[str, Any]) -> str:
    """Hash of the manifest's canonical JSON (sorted keys, no blanks, UTF-8): equal content gives an equal hash."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def save(data: Mapping[str, Any], workdir: Path) -> str:
    """Validate `data`, write WORKDIR/manifest.json and return its hash. Raises ManifestError."""
    parse(data, workdir)
    workdir.mkdir(parents=True, exist_ok=True)
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
    durable.write(workdir / FILE_NAME, text)
    return manifest_sha256(data)


def load(workdir: Path | str) -> Manifest:
    """Read and validate WORKDIR/manifest.json. Raises ManifestError with a sentence about what is wrong."""
    path = Path(workdir) / FILE_NAME
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ManifestError(f"There is no {FILE_NAME} in {workdir}.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path} is not valid JSON: {error}") from None
    return parse(data, Path(workdir))


def parse(data: Any, workdir: Path) -> Manifest:
    """Turn the manifest's JSON into dataclasses; relative files start at `workdir`. Raises ManifestError."""
    try:
        if data["version"] != VERSION:
            raise ManifestError(f"Manifest version {data['version']!r} is not supported (expected {VERSION}).")
        labels = tuple(LabelEntry(_key(row["id"]), str(row["name"])) for row in data["labels"])
        if not labels:
            raise ManifestError("The manifest names no label: there is nothing to detect.")
        known = {label.id for label in labels}
        return _checked(
            Manifest(
                version=VERSION,
                dataset=DatasetEntry(_key(data["dataset"]["id"]), str(data["dataset"]["name"])),
                seed=int(data["seed"]),
                suggestions=str(data.get("suggestions", "ignored")),
                labels=labels,
                artworks=tuple(_artwork(row, known, workdir) for row in data["artworks"]),
                simulated_tests=bool(data.get("simulated_tests", False)),
            )
        )
    except KeyError as error:
        raise ManifestError(f"The manifest lacks {error}.") from None
    except (TypeError, AttributeError) as error:
        raise ManifestError(f"The manifest has an unexpected shape: {error}") from None


def _checked(manifest: Manifest) -> Manifest:
    for what, rows in (("label", manifest.labels), ("artwork", manifest.artworks)):
        if len({row.id for row in rows}) != len(rows):
            raise ManifestError(f"Two entries of the manifest have the same {what} id.")
    for split in SPLITS:
        if not manifest.part(split) and not (split == "test" and manifest.simulated_tests):
            raise ManifestError(f"No artwork is in the {split} part of the manifest.")
    if not any(artwork.boxes for artwork in manifest.part("train")):
        raise ManifestError("No artwork of the train part has a box.")
    return manifest


def _key(value: Any) -> Key:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ManifestError(f"An id must be a number or a string, not {value!r}.")
    return value


def _artwork(row: Mapping[str, Any], labels: set[Key], workdir: Path) -> ArtworkEntry:
    where = f"artwork {row['id']!r}"
    width, height = row["width"], row["height"]
    if not (isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0):
        raise ManifestError(f"{where}: the size {width!r} × {height!r} is not positive whole pixels.")
    if row["split"] not in SPLITS:
        raise ManifestError(f"{where}: the split {row['split']!r} is neither train nor test.")
    return ArtworkEntry(
        id=_key(row["id"]),
        file=workdir / row["file"],
        sha256=str(row["sha256"]),
        width=width,
        height=height,
        split=row["split"],
        nothing_to_mark=bool(row.get("nothing_to_mark", False)),
        boxes=tuple(_box(box, labels, width, height, where) for box in row["boxes"]),
        rights=str(row.get("rights") or ""),
    )


def _box(row: Mapping[str, Any], labels: set[Key], width: int, height: int, where: str) -> BoxEntry:
    if row["label"] not in labels:
        raise ManifestError(f"{where}: a box has the unknown label {row['label']!r}.")
    sides = [float(row[name]) for name in ("x", "y", "width", "height")]
    x, y, w, h = sides
    # Half a pixel of slack: the last bits of a float coordinate are no reason to refuse a whole training.
    inside = x >= -0.5 and y >= -0.5 and x + w <= width + 0.5 and y + h <= height + 0.5
    if not (all(math.isfinite(side) for side in sides) and w > 0 and h > 0 and inside):
        raise ManifestError(f"{where}: the box {sides} does not lie inside {width} × {height} pixels.")
    return BoxEntry(row["label"], x, y, w, h)
