"""COCO scores of boxes that a detector drew, and the overlap of two boxes. No TensorFlow here."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from training.pipeline.annotations import Coco

Scores = dict[str, Any]
Detection = dict[str, Any]


def judge(truth: Coco, detections: Sequence[Detection]) -> COCOeval:
    """pycocotools' evaluation of COCO results, accumulated and summed up.

    `truth`: COCO of the test part; boxes are [x, y, width, height] in pixels of the oriented artwork.
    """
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
        coco = COCO()
        coco.dataset = {**truth, "info": {}}
        coco.createIndex()
        results = coco.loadRes([dict(row) for row in detections]) if detections else _no_results(truth)
        judged = COCOeval(coco, results, "bbox")
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    return judged


def score(truth: Coco, detections: Sequence[Detection]) -> Scores:
    """COCO's AP, AP50 and AP75 in all and AP and AP50 per label. A label without test boxes has null scores."""
    judged = judge(truth, detections)
    precision = judged.eval["precision"][:, :, :, 0, -1]  # IoU thresholds × recall steps × labels
    return {
        "AP": _clean(judged.stats[0]),
        "AP50": _clean(judged.stats[1]),
        "AP75": _clean(judged.stats[2]),
        "per_label": [_label_scores(row, precision[:, :, i]) for i, row in enumerate(truth["categories"])],
    }


def intersection_over_union(one: Sequence[float], other: Sequence[float]) -> float:
    """IoU of two boxes [x, y, width, height]."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(0.0, width) * max(0.0, height)
    union = one[2] * one[3] + other[2] * other[3] - shared
    return shared / union if union > 0 else 0.0


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
