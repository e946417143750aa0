"""How good a detector is, told so that people understand it: curves, thresholds, mix-ups, and each test artwork.

A concept is judged at its own best threshold, since its detections below that one do more harm than good whatever the
other concepts need. The thresholds are chosen on the test part that they are judged on: a little is flattery, and more
of it the fewer boxes a concept has there. Boxes are [x, y, width, height] in pixels of the oriented artwork.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.cocoeval import COCOeval

from training.pipeline.annotations import Coco, boxes_by_image
from training.pipeline.scores import Detection, Scores, intersection_over_union, judge

MATCH_IOU = 0.5
# Below this score a box is never offered to people, and none of an artwork's is kept.
LOWEST_SCORE = 0.05
MOST_DETECTIONS = 100
# Where no threshold can be found, because there is nothing to judge by.
FALLBACK_SCORE = 0.3
# What becomes of boxes; each is counted once.
COUNTS = ("found", "swapped", "missed", "invented")

Row = dict[str, Any]
Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Ranked = tuple[Floats, Booleans, int]
Best = dict[str, float | None]


def report(truth: Coco, detections: Sequence[Detection], scores: Scores) -> Scores:
    """`scores` with what follows from the same detections.

    - `threshold`, `precision`, `recall`: the one score that serves all concepts best, and what comes of it;
    - `simulated`: how many of the test pictures are simulated photographs (see the module of that name);
    - `per_label`: also `boxes` (of the test part), `threshold`, `precision`, `recall` and `curve`, which is a list of
      [recall, precision, score] at IoU 0.5 up to the highest recall, where keeping boxes from about `score` on has the
      precision and at least the recall; null and empty where there is nothing to judge by;
    - `at_best`: boxes `found`, `swapped` (taken for another concept), `missed` and `invented`, each concept at its own
      threshold;
    - `confusion`: numbers of boxes, a row per true concept and one for none (invented), a column per drawn concept and
      one for none (missed), in the order of `per_label`;
    - `artworks`: each test artwork (no simulated photograph) with its boxes and detections and what became of them, the
      worst first.
    """
    judged = judge(truth, detections)
    ranked = [_ranked(judged, number) for number in range(len(truth["categories"]))]
    best = [best_threshold(*row) for row in ranked]
    everything = best_threshold(*_pooled(ranked))
    more = [{"boxes": row[2], **best[i], "curve": _curve(judged, i)} for i, row in enumerate(ranked)]
    artworks = _artworks(truth, detections, _needed(truth, best, everything))
    return {
        **scores,
        **everything,
        "simulated": sum(bool(image.get("simulated")) for image in truth["images"]),
        "per_label": [{**row, **more[i]} for i, row in enumerate(scores["per_label"])],
        "at_best": {name: sum(row[name] for row in artworks) for name in COUNTS},
        "confusion": _confusion(artworks, [category["id"] for category in truth["categories"]]),
        "artworks": _told(artworks, truth),
    }


def usable_threshold(scores: Mapping[str, Any]) -> float:
    """The score that a finished detector is to be used at, out of `report`'s answer."""
    return _usable(scores.get("threshold") or FALLBACK_SCORE)


def usable_thresholds(scores: Mapping[str, Any]) -> dict[Any, float]:
    """The same of each label, by its id, where there is anything to tell it by."""
    rows = scores.get("per_label", ())
    return {row["label"]: _usable(row["threshold"]) for row in rows if row.get("threshold") is not None}


def _usable(score: float) -> float:
    """Two digits, rounded down: float16 moves scores a little."""
    return math.floor(score * 100 + 1e-6) / 100


def _pooled(ranked: Sequence[Ranked]) -> Ranked:
    scores, right, boxes = zip(*ranked, strict=True)
    return np.concatenate(scores), np.concatenate(right), sum(boxes)


def _needed(truth: Coco, best: Sequence[Best], everything: Best) -> dict[int, float]:
    """The score that a detection needs, by category."""
    found = [(category["id"], best[i]["threshold"]) for i, category in enumerate(truth["categories"])]
    common = FALLBACK_SCORE if everything["threshold"] is None else everything["threshold"]
    return {category: common if own is None else own for category, own in found}


def best_threshold(scores: Floats, right: Booleans, boxes: int) -> Best:
    """The score from which keeping detections gives the highest F1, with precision and recall there.

    `scores` and `right` (whether it found a box) have an entry per detection, in any order; `boxes` is how many there
    were to find. Of thresholds that are equally good the highest wins, and what lies between its last detection and the
    next one is halved: on artworks that it was not chosen on, a box may be a little less sure. All null where no
    detection of at least `LOWEST_SCORE` is right, and where there is no box.
    """
    order = np.argsort(-scores, kind="mergesort")
    scores, hits = scores[order], np.cumsum(right[order])
    # Detections of the same score are kept or left out together.
    last = np.append(scores[1:] != scores[:-1], True) & (scores >= LOWEST_SCORE) if scores.size else np.zeros(0, bool)
    kept, hits, scores = np.flatnonzero(last) + 1, hits[last], scores[last]
    if not boxes or not hits.size or not hits[-1]:
        return {"threshold": None, "precision": None, "recall": None}
    at = int(np.argmax(2 * hits / (kept + boxes)))
    following = scores[at + 1] if at + 1 < scores.size else LOWEST_SCORE
    return {
        "threshold": math.floor((scores[at] + following) / 2 * 1e4) / 1e4,  # never above the score itself
        "precision": round(float(hits[at] / kept[at]), 4),
        "recall": round(float(hits[at] / boxes), 4),
    }


def _ranked(judged: COCOeval, number: int) -> Ranked:
    """Of a concept: the scores of its detections, whether each found a box at IoU 0.5, and how many boxes there are."""
    images, ranges = len(judged.params.imgIds), len(judged.params.areaRng)
    start = number * ranges * images  # ordered by concept, then by range of sizes (the first: all), then by image
    rows = [row for row in judged.evalImgs[start : start + images] if row is not None]
    scores = [np.asarray(row["dtScores"], dtype=float) for row in rows]
    right = [np.asarray(row["dtMatches"][0]) > 0 for row in rows]
    boxes = sum(len(row["gtIds"]) for row in rows)
    return np.concatenate([np.zeros(0), *scores]), np.concatenate([np.zeros(0, bool), *right]), boxes


def _curve(judged: COCOeval, number: int) -> list[list[float]]:
    precision = judged.eval["precision"][0, :, number, 0, -1]
    scores = judged.eval["scores"][0, :, number, 0, -1]
    # COCO's precision is the best at this recall or a higher one; the score is of where it is reached.
    reached = len(precision) - 1 - np.unique(precision[::-1], return_index=True)[1]
    last = dict(zip(precision[reached], scores[reached], strict=True))
    points = zip(judged.params.recThrs, precision, strict=True)
    return [[round(float(value), 4) for value in (*point, last[point[1]])] for point in points if point[1] > 0]


def _images(truth: Coco, detections: Sequence[Detection]) -> Iterator[tuple[Row, list[Row], list[Row]]]:
    """Each test image with its boxes and its detections, the surest first."""
    boxes = boxes_by_image(truth)
    drawn: dict[int, list[Row]] = {image["id"]: [] for image in truth["images"]}
    for detection in detections:
        if detection["score"] >= LOWEST_SCORE:
            drawn[detection["image_id"]].append(dict(detection))
    for image in truth["images"]:
        yield (
            image,
            [dict(box) for box in boxes[image["id"]]],
            sorted(drawn[image["id"]], key=lambda row: -row["score"]),
        )


def _artworks(truth: Coco, detections: Sequence[Detection], needed: Mapping[int, float]) -> list[Row]:
    """What became of the boxes and detections of each image, the worst first."""
    rows = [_artwork(*row, needed) for row in _images(truth, detections)]
    return sorted(rows, key=_mistakes)


def _artwork(image: Row, boxes: list[Row], drawn: list[Row], needed: Mapping[int, float]) -> Row:
    """What became of an image's boxes and detections; `needed`: the threshold of each category."""
    sure = [row for row in drawn if row["score"] >= needed[row["category_id"]]]
    pairs = match(boxes, sure)
    for row in drawn:
        row["outcome"] = "unsure"
    for row in sure:
        row["outcome"] = "invented"
    for box in boxes:
        box["outcome"] = "missed"
    for box, row in pairs:
        same = box["category_id"] == row["category_id"]
        box["outcome"], row["outcome"] = ("found", "right") if same else ("swapped", "swapped")
    counts = Counter(box["outcome"] for box in boxes)
    counts["invented"] = len(sure) - len(pairs)
    return {"image": image, "boxes": boxes, "drawn": drawn, "pairs": pairs, **{name: counts[name] for name in COUNTS}}


def match(boxes: Sequence[Row], drawn: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Pairs of a true box and the detection that found it at IoU 0.5; each is in one pair at most.

    `drawn`, the surest first, look for boxes of their own concept as COCO has them do; then those that are left look
    among the boxes that are left, which is a mix-up of two concepts.
    """
    free, pairs = list(boxes), []
    left = list(drawn)
    for same in (True, False):
        for row in list(left):
            there = [box for box in free if not same or box["category_id"] == row["category_id"]]
            box = max(there, key=lambda box: intersection_over_union(box["bbox"], row["bbox"]), default=None)
            if box is not None and intersection_over_union(box["bbox"], row["bbox"]) >= MATCH_IOU:
                pairs.append((box, row))
                free.remove(box)
                left.remove(row)
    return pairs


def _confusion(artworks: Sequence[Row], categories: Sequence[int]) -> list[list[int]]:
    place = {category: number for number, category in enumerate(categories)}
    table = [[0] * (len(place) + 1) for _ in range(len(place) + 1)]
    for artwork in artworks:
        for box, row in artwork["pairs"]:
            table[place[box["category_id"]]][place[row["category_id"]]] += 1
        for box in artwork["boxes"]:
            table[place[box["category_id"]]][-1] += box["outcome"] == "missed"
        for row in artwork["drawn"]:
            table[-1][place[row["category_id"]]] += row["outcome"] == "invented"
    return table


def _mistakes(artwork: Row) -> tuple[int, float]:
    """For sorting: most mistakes first, then the smallest share of boxes found."""
    mistakes = artwork["missed"] + artwork["swapped"] + artwork["invented"]
    return -mistakes, artwork["found"] / max(1, len(artwork["boxes"]))


def _told(artworks: Sequence[Row], truth: Coco) -> list[Row]:
    """Artworks as the file has them: the detections that people are offered, and what the dataset knows them by.

    Boxes of a simulated photograph lie elsewhere than on its artwork: it is left out.
    """
    labels = {category["id"]: category["label"] for category in truth["categories"]}
    return [
        {
            **{name: artwork["image"][name] for name in ("artwork", "width", "height")},
            **{name: artwork[name] for name in COUNTS},
            "boxes": [_told_box(row, labels) for row in artwork["boxes"]],
            "detections": [_told_box(row, labels) for row in _offered(artwork["drawn"])],
        }
        for artwork in artworks
        if not artwork["image"].get("simulated")
    ]


def _offered(drawn: Sequence[Row]) -> list[Row]:
    """At most MOST_DETECTIONS of those that are sure enough; of the others there are often ten times as many."""
    return [row for row in drawn if row["outcome"] != "unsure"][:MOST_DETECTIONS]


def _told_box(row: Row, labels: Mapping[int, Any]) -> Row:
    """A box or a detection with tenths of a pixel: nobody sees more, and the file stays small."""
    bbox = [round(float(side), 1) for side in row["bbox"]]
    score = {"score": round(float(row["score"]), 4)} if "score" in row else {}
    return {"label": labels[row["category_id"]], "bbox": bbox, "outcome": row["outcome"], **score}
