"""Real paintings out of the shared data folder, for the end-to-end test: read there, never copied into the project.

Source: iconart_cc (IconArt on Roboflow Universe, object-detection/iconart-fycpb, CC BY 4.0), YOLO layout.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.installation import SHARED_DATA, skip_or_fail


@dataclass(frozen=True)
class Painting:
    """An image file and its boxes: (concept, x, y, width, height) with sides as fractions of the image's."""

    file: Path
    boxes: tuple[tuple[str, float, float, float, float], ...]


def paintings(count: int, concepts: tuple[str, ...]) -> list[Painting]:
    """`count` different paintings that show at least one of the concepts, those with most of them first."""
    folder = SHARED_DATA / "iconart_cc"
    if not folder.is_dir():
        skip_or_fail(f"The real paintings are not here: {folder}")
    names = class_names(folder)
    found: dict[str, Painting] = {}
    for file in sorted(folder.glob("**/images/*.jpg")) or sorted(folder.glob("images/**/*.jpg")):
        # The copies of one painting share what comes before Roboflow's mark.
        found.setdefault(file.name.split("_jpg.rf.")[0], Painting(file, boxes_of(file, names, concepts)))
    chosen = [painting for painting in found.values() if painting.boxes]
    chosen.sort(key=lambda painting: -len({box[0] for box in painting.boxes}))
    assert len(chosen) >= count, Counter(box[0] for painting in chosen for box in painting.boxes)
    return chosen[:count]


def class_names(folder: Path) -> list[str]:
    """The class names of data.yaml, in the order of their numbers."""
    import yaml

    names = yaml.safe_load(next(folder.glob("**/data.yaml")).read_text())["names"]
    return list(names.values()) if isinstance(names, dict) else list(names)


def boxes_of(
    file: Path, names: list[str], concepts: tuple[str, ...]
) -> tuple[tuple[str, float, float, float, float], ...]:
    """The boxes beside an image, of the wanted concepts, cut to the image."""
    text = Path(str(file).replace("/images/", "/labels/")).with_suffix(".txt")
    boxes = []
    for line in text.read_text().splitlines() if text.exists() else []:
        number, x, y, width, height = (float(word) for word in line.split()[:5])
        left, top = max(0.0, x - width / 2), max(0.0, y - height / 2)
        right, bottom = min(1.0, x + width / 2), min(1.0, y + height / 2)
        if names[int(number)] in concepts and right > left and bottom > top:
            boxes.append((names[int(number)], left, top, right - left, bottom - top))
    return tuple(boxes)
