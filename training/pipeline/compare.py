"""Two detectors scored on the same artworks: `python -m training.pipeline.compare`, JSON on stdin and on stdout.

A process of its own, which ends after one answer: pycocotools takes hundreds of megabytes for thousands of artworks,
and the web process may use 200. In: {"folders": [one, other], "artworks": [id, …], "labels": [{"label", "name"}, …]},
`folders` being those of two finished detectors. Out: {"scores": [of one, of the other]}, each with AP, AP50 and
per_label as in `scores.average_precision`, on the boxes that the first one was tested on.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from training.pipeline.annotations import Coco
from training.pipeline.scores import Detection, Scores, average_precision

# In a folder of a detector's folder, since it is nothing that people download.
FILE_NAME = Path("tested", "detections.json.gz")
EVALUATION = "evaluation.json"

Kept = list[list[float]]


def keep(truth: Coco, detections: Sequence[Detection], folder: Path) -> None:
    """Write FOLDER/tested/detections.json.gz: artwork id → [label id, x, y, width, height, score] of each detection.

    With hundredths of a pixel, which move no score that anybody sees, 2,000 artworks take a few megabytes.
    """
    labels = {category["id"]: category["label"] for category in truth["categories"]}
    # A simulated photograph is none that another detector was tested on too.
    artworks = {image["id"]: image["artwork"] for image in truth["images"] if not image.get("simulated")}
    rows: dict[Any, Kept] = {artwork: [] for artwork in artworks.values()}
    for row in detections:
        if row["image_id"] not in artworks:
            continue
        sides = (round(float(side), 2) for side in row["bbox"])
        rows[artworks[row["image_id"]]].append([labels[row["category_id"]], *sides, round(float(row["score"]), 5)])
    path = folder / FILE_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=6) as file:
        json.dump(rows, file)


def compare(folders: Sequence[Path], artworks: Collection[int], labels: Sequence[Mapping[str, Any]]) -> list[Scores]:
    """The scores of the detectors in `folders` on these artworks and labels, on the first one's boxes."""
    numbers = {row["label"]: number for number, row in enumerate(labels, 1)}
    truth = _truth(folders[0], set(artworks), numbers)
    truth["categories"] = [{"id": numbers[row["label"]], **row} for row in labels]
    return [average_precision(truth, _detections(folder, set(artworks), numbers)) for folder in folders]


def _truth(folder: Path, artworks: Collection[int], numbers: Mapping[Any, int]) -> Coco:
    told = json.loads((folder / EVALUATION).read_text(encoding="utf-8"))["artworks"]
    images = [{**row, "id": row["artwork"]} for row in told if row["artwork"] in artworks]
    boxes: list[dict[str, Any]] = []
    for image in images:
        for box in image.pop("boxes"):
            if box["label"] in numbers:
                area = box["bbox"][2] * box["bbox"][3]
                box = {"bbox": box["bbox"], "area": area, "category_id": numbers[box["label"]], "iscrowd": 0}
                boxes.append({**box, "id": len(boxes) + 1, "image_id": image["id"]})
    return {"images": images, "annotations": boxes}


def _detections(folder: Path, artworks: Collection[int], numbers: Mapping[Any, int]) -> list[Detection]:
    with gzip.open(folder / FILE_NAME, "rt", encoding="utf-8") as file:
        kept: dict[str, Kept] = json.load(file)
    return [
        {"image_id": int(artwork), "category_id": numbers[label], "bbox": bbox, "score": score}
        for artwork, rows in kept.items()
        if int(artwork) in artworks
        for label, *bbox, score in rows
        if label in numbers
    ]


def main() -> None:
    """Answer the request on stdin."""
    request = json.load(sys.stdin)
    folders = [Path(folder) for folder in request["folders"]]
    print(json.dumps({"scores": compare(folders, request["artworks"], request["labels"])}))


if __name__ == "__main__":
    main()
