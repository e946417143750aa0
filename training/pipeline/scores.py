"""COCO scores of boxes that a detector drew, and the overlap of two boxes. No TensorFlow here."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from training.pipeline.annotations import Coco, on_artworks
from training.pipeline.coco_metrics import NAMES

Scores = dict[str, Any]
Detection = dict[str, Any]


def judge(truth: Coco, detections: Sequence[Detection], *, sizes: bool = True) -> COCOeval:
    """pycocotools' evaluation of COCO results, accumulated and, with its twelve numbers in `stats`, summed up.

    `truth`: COCO of the test part; boxes are [x, y, width, height] in pixels of the oriented artwork. Without `sizes`,
    small and large boxes are not told apart, nothing is summed up, and it takes a third of the time.
    """
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
        coco = COCO()
        coco.dataset = {**truth, "info": {}}
        coco.createIndex()
        results = coco.loadRes([dict(row) for row in detections]) if detections else _no_results(truth)
        judged = COCOeval(coco, results, "bbox")
        if not sizes:
            judged.params.areaRng, judged.params.areaRngLbl = judged.params.areaRng[:1], ["all"]
        judged.evaluate()
        judged.accumulate()
        if sizes:
            judged.summarize()
    return judged


def score(truth: Coco, detections: Sequence[Detection]) -> Scores:
    """COCO's AP, AP50 and AP75 in all, AP and AP50 per label, and under `coco` all twelve numbers.

    Null where there is nothing to find: of a label without test boxes, of the twelve where there is no box of the kind.
    Labels that are on simulated photographs alone (see `simulated`) have `simulated` in `per_label`, and where there
    are any, `simulated_concepts` is how many.
    """
    judged = judge(truth, detections)
    told = {name: _clean(value) if value >= 0 else None for name, value in zip(NAMES, judged.stats, strict=True)}
    return {
        **{name: told[name] for name in NAMES[:3]},
        "coco": told,
        **_marked(_per_label(judged, truth), truth),
    }


def average_precision(truth: Coco, detections: Sequence[Detection]) -> Scores:
    """AP and AP50 in all and per label, as `score` has them; null in all where there is no box."""
    judged = judge(truth, detections, sizes=False)
    whole = _label_scores({"label": None, "name": ""}, judged.eval["precision"][:, :, :, 0, -1])
    return {"AP": whole["AP"], "AP50": whole["AP50"], "per_label": _per_label(judged, truth)}


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


def _per_label(judged: COCOeval, truth: Coco) -> list[dict[str, Any]]:
    precision = judged.eval["precision"][:, :, :, 0, -1]  # IoU thresholds × recall steps × labels
    return [_label_scores(row, precision[:, :, i]) for i, row in enumerate(truth["categories"])]


def _marked(rows: Sequence[dict[str, Any]], truth: Coco) -> Scores:
    alone = {box["category_id"] for box in truth["annotations"]} - on_artworks(truth)
    pairs = zip(rows, truth["categories"], strict=True)
    told = [row | ({"simulated": True} if category["id"] in alone else {}) for row, category in pairs]
    return {"per_label": told, **({"simulated_concepts": len(alone)} if alone else {})}


def _label_scores(category: Mapping[str, Any], precision: Any) -> dict[str, Any]:
    known = precision[precision > -1]
    row = {"label": category["label"], "name": category["name"]}
    if not known.size:
        return {**row, "AP": None, "AP50": None}
    half = precision[0]
    return {**row, "AP": _clean(known.mean()), "AP50": _clean(half[half > -1].mean())}


def _clean(value: Any) -> float:
    return round(max(0.0, float(value)), 4)
