"""Evaluations for tests: what a detector with known faults is told to be like, by the pipeline's own report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.pipeline import compare
from training.pipeline.annotations import Coco
from training.pipeline.report import report
from training.pipeline.scores import Detection, score


def evaluation(artworks: Sequence[Any], labels: Sequence[tuple[int, str]]) -> Any:
    """The report on the detector of `results`."""
    truth, found = results(artworks, labels)
    return report(truth, found, score(truth, found))


def results(
    artworks: Sequence[tuple[int, int, int, Sequence[Any]]], labels: Sequence[tuple[int, str]]
) -> tuple[Coco, list[Detection]]:
    """The test part, and what a detector that finds most boxes has found there.

    `artworks`: (id, width, height, boxes), a box being (label id, x, y, width, height). Of every four boxes in a row it
    finds two, takes one for the next concept and misses one, and on every third artwork it invents one.
    """
    classes = {label: number for number, (label, _) in enumerate(labels, 1)}
    images, boxes, found = [], [], []
    for number, (artwork, width, height, rows) in enumerate(artworks, 1):
        images.append({"id": number, "artwork": artwork, "width": width, "height": height})
        for label, *bbox in rows:
            box = {"id": len(boxes) + 1, "image_id": number, "category_id": classes[label], "bbox": bbox}
            boxes.append({**box, "area": bbox[2] * bbox[3], "iscrowd": 0})
            found += _drawn(box, len(labels))
        if number % 3 == 0:
            corner = [width * 0.7, height * 0.7, width * 0.25, height * 0.25]
            found.append({"image_id": number, "category_id": 1, "bbox": corner, "score": 0.7})
    categories = [{"id": classes[label], "name": name, "label": label} for label, name in labels]
    return {"images": images, "annotations": boxes, "categories": categories}, found


def _drawn(box: dict[str, Any], classes: int) -> list[dict[str, Any]]:
    what = box["id"] % 4
    x, y, width, height = box["bbox"]
    near = {"image_id": box["image_id"], "bbox": [x + 0.06 * width, y + 0.04 * height, 0.92 * width, 0.95 * height]}
    if what == 0:
        return []
    if what == 3:
        return [{**near, "category_id": box["category_id"] % classes + 1, "score": 0.95}]
    return [{**near, "category_id": box["category_id"], "score": 0.9 - 0.01 * (box["id"] % 30)}]


# How the TFLite files of such a detector compare: the second one has lost accuracy.
_COMPARED = {"trained_AP": 0.5, "pictures": 6, "tolerance": 0.01}
CHECKS = {
    "model.tflite": {**_COMPARED, "AP": 0.4987, "difference": -0.0013, "passed": True},
    "model_int8.tflite": {**_COMPARED, "AP": 0.4321, "difference": -0.0679, "passed": False},
}


def keep(detector: Any, told: Any) -> None:
    """Put an evaluation, and the comparison of the files, where a training leaves them."""
    from training import files

    folder: Path = files.detector_folder(detector)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps(told), encoding="utf-8")
    (folder / "detector.json").write_text(json.dumps({"checks": CHECKS}), encoding="utf-8")


def keep_all(detector: Any, dataset: Any, every: int = 1, better: bool = False) -> None:
    """Put all that a training leaves of its test part where it leaves it; `better`: of a detector that finds all."""
    from training import files

    truth, found = results(*_rows(dataset, every))
    if better:
        found = [{key: box[key] for key in ("image_id", "category_id", "bbox")} for box in truth["annotations"]]
        found = [{**row, "score": 0.9} for row in found]
    keep(detector, report(truth, found, score(truth, found)))
    compare.keep(truth, found, files.detector_folder(detector))


def of_dataset(dataset: Any, every: int = 1) -> Any:
    """The evaluation of a detector that was tested on each `every`th artwork of a dataset."""
    return evaluation(*_rows(dataset, every))


def _rows(dataset: Any, every: int) -> tuple[list[Any], list[tuple[int, str]]]:
    """What `results` takes: each `every`th artwork of a dataset with its boxes, and the labels."""
    from annotations.models import Box, Label

    labels = [(label.pk, label.name) for label in Label.objects.filter(dataset=dataset).order_by("pk")]
    rows = []
    for artwork in list(dataset.artworks.present().order_by("pk"))[::every]:
        boxes = Box.objects.confirmed().filter(artwork=artwork).order_by("x", "y")
        rows.append(
            (artwork.pk, artwork.width, artwork.height, list(boxes.values_list("label", "x", "y", "width", "height")))
        )
    return rows, labels
