"""Stage 7, evaluate: COCO scores of the test part, per label and in all, and what was found on each picture.

Ground truth is annotations/test.json, pictures come from the test records. Boxes are in pixels of the oriented artwork.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from training.pipeline.annotations import Coco, boxes_by_image

FILE_NAME = "evaluation.json"
DETECTIONS = "detections.json"
MATCH_IOU = 0.5
# What a picture's report calls found; the scores themselves use every detection.
MATCH_SCORE = 0.3

Scores = dict[str, Any]
Detection = dict[str, Any]
# From a batch of pictures [n, size, size, 3] and their Model Garden labels to detection_boxes, _scores, _classes and
# num_detections of each, boxes in pixels of the network's input.
Look = Callable[[Any, Mapping[str, Any]], Mapping[str, Any]]


class Evaluator:
    """Runs a Model Garden detector over the test records, as often as asked."""

    def __init__(self, task: Any, experiment: Any, model: Any, truth: Coco) -> None:
        self._truth = truth
        self._task, self._data = task, experiment.task.validation_data
        self._images = {image["id"]: image for image in truth["images"]}

        @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
        def infer(pictures: Any, shape: Any, anchors: Any) -> Any:
            return model(pictures, image_shape=shape, anchor_boxes=anchors, training=False)

        self._infer = infer

    def detect(self, on_batch: Callable[[], None] = lambda: None) -> list[Detection]:
        """All detections on the test part, as COCO results; `on_batch`, called after each batch, may raise to stop."""
        return [row for rows in self.by_picture(self._look, on_batch).values() for row in rows]

    def by_picture(
        self, look: Look, on_batch: Callable[[], None] = lambda: None, *, batches: int = -1
    ) -> dict[int, list[Detection]]:
        """What `look` finds on the pictures of the first `batches` batches (-1: of all), by image id."""
        found: dict[int, list[Detection]] = {}
        for pictures, labels in self._task.build_inputs(self._data).take(batches):
            seen = look(pictures, labels)
            ids = labels["groundtruths"]["source_id"].numpy().reshape(-1)
            for row, image in enumerate(ids):
                found[int(image)] = self._results(int(image), labels["image_info"][row].numpy(), seen, row)
            on_batch()
        return found

    def evaluate(self, on_batch: Callable[[], None] = lambda: None) -> tuple[Scores, list[Detection]]:
        """Scores (see `score`) and the detections behind them."""
        detections = self.detect(on_batch)
        return score(self._truth, detections), detections

    def _look(self, pictures: Any, labels: Mapping[str, Any]) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._infer(pictures, labels["image_info"][:, 1, :], labels["anchor_boxes"])
        return found

    def _results(self, image: int, info: Any, found: Mapping[str, Any], row: int) -> list[Detection]:
        """`info` rows are Model Garden's: original size, wanted size, scale, offset; each (height, width)."""
        count = int(found["num_detections"][row])
        entry = self._images[image]
        # From pixels of the network's input to fractions of the stored picture to pixels of the artwork.
        factor = np.array([entry["height"], entry["width"]]) / (info[2] * info[0])
        limit = np.array([entry["height"], entry["width"]])
        rows = []
        for box, value, category in zip(
            np.asarray(found["detection_boxes"][row][:count]),
            np.asarray(found["detection_scores"][row][:count]),
            np.asarray(found["detection_classes"][row][:count]),
            strict=True,
        ):
            top_left = np.clip(box[:2] * factor, 0, limit)
            size = np.clip(box[2:] * factor, 0, limit) - top_left
            bbox = [float(top_left[1]), float(top_left[0]), float(size[1]), float(size[0])]
            rows.append({"image_id": image, "category_id": int(category), "bbox": bbox, "score": float(value)})
        return rows


def score(truth: Coco, detections: Sequence[Detection]) -> Scores:
    """COCO's AP, AP50 and AP75 in all and AP and AP50 per label. A label without test boxes has null scores."""
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
        coco = COCO()
        coco.dataset = {**truth, "info": {}}
        coco.createIndex()
        results = coco.loadRes(list(detections)) if detections else _no_results(truth)
        run = COCOeval(coco, results, "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    precision = run.eval["precision"][:, :, :, 0, -1]  # IoU thresholds × recall steps × labels
    return {
        "AP": _clean(run.stats[0]),
        "AP50": _clean(run.stats[1]),
        "AP75": _clean(run.stats[2]),
        "per_label": [_label_scores(row, precision[:, :, i]) for i, row in enumerate(truth["categories"])],
    }


def match(truth: Coco, detections: Sequence[Detection]) -> list[dict[str, Any]]:
    """Per image, at score ≥ 0.3 and IoU ≥ 0.5: how many boxes were found, missed, and drawn where there is nothing."""
    boxes = boxes_by_image(truth)
    by_image: dict[int, list[Detection]] = {}
    for detection in detections:
        if detection["score"] >= MATCH_SCORE:
            by_image.setdefault(detection["image_id"], []).append(detection)
    rows = []
    for image in truth["images"]:
        drawn = sorted(by_image.get(image["id"], []), key=lambda row: -row["score"])
        hits = _hits(boxes[image["id"]], drawn)
        counts = {"found": hits, "missed": len(boxes[image["id"]]) - hits, "wrong": len(drawn) - hits}
        rows.append({"artwork": image["artwork"], **counts})
    return rows


def save(workdir: Path, truth: Coco, scores: Scores, detections: Sequence[Detection]) -> Path:
    """Write WORKDIR/evaluation.json: the scores, and under "images" each test picture's matches; and the detections.

    WORKDIR/detections.json holds all of them as COCO results, for those who compare.
    """
    path = workdir / FILE_NAME
    (workdir / DETECTIONS).write_text(json.dumps(list(detections)), encoding="utf-8")
    path.write_text(json.dumps({**scores, "images": match(truth, detections)}, indent=1), encoding="utf-8")
    return path


def load_detections(workdir: Path) -> list[Detection]:
    """What `save` left in WORKDIR/detections.json."""
    detections: list[Detection] = json.loads((workdir / DETECTIONS).read_text(encoding="utf-8"))
    return detections


def intersection_over_union(one: Sequence[float], other: Sequence[float]) -> float:
    """IoU of two boxes [x, y, width, height]."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(0.0, width) * max(0.0, height)
    union = one[2] * one[3] + other[2] * other[3] - shared
    return shared / union if union > 0 else 0.0


def _hits(boxes: Sequence[Mapping[str, Any]], drawn: Sequence[Detection]) -> int:
    free = list(boxes)
    hits = 0
    for detection in drawn:
        same = [box for box in free if box["category_id"] == detection["category_id"]]
        best = max(same, key=lambda box: intersection_over_union(box["bbox"], detection["bbox"]), default=None)
        if best is not None and intersection_over_union(best["bbox"], detection["bbox"]) >= MATCH_IOU:
            free.remove(best)
            hits += 1
    return hits


def _no_results(truth: Coco) -> COCO:
    empty = COCO()
    empty.dataset = {**truth, "annotations": []}
    empty.createIndex()
    return empty


def _label_scores(category: Mapping[str, Any], precision: Any) -> dict[str, Any]:
    known = precision[precision > -1]
    row = {"label": category["label"], "name": category["name"]}
    if not known.size:
        return {**row, "AP": None, "AP50": None}
    return {**row, "AP": _clean(known.mean()), "AP50": _clean(precision[0].mean())}


def _clean(value: Any) -> float:
    return round(max(0.0, float(value)), 4)
