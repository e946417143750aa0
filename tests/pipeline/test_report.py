"""What a detector's scores mean: curves, thresholds, mix-ups and artworks, on cases small enough to count by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from training.pipeline.report import best_threshold, report
from training.pipeline.scores import score

ONE, TWO = [10.0, 10.0, 40.0, 30.0], [100.0, 10.0, 50.0, 50.0]
NOTHING = {"threshold": None, "precision": None, "recall": None}


def box(number: int, image: int, category: int, bbox: list[float]) -> dict[str, Any]:
    area = bbox[2] * bbox[3]
    return {"id": number, "image_id": image, "category_id": category, "bbox": bbox, "area": area, "iscrowd": 0}


# Artwork 100 shows one box of each of two concepts, artwork 200 one of the first, artwork 300 nothing; of the third
# concept there is none.
TRUTH = {
    "images": [{"id": n, "artwork": n * 100, "width": 200, "height": 100} for n in (1, 2, 3)],
    "annotations": [box(1, 1, 1, ONE), box(2, 1, 2, TWO), box(3, 2, 1, ONE)],
    "categories": [{"id": n, "name": f"n{n}", "label": n + 40} for n in (1, 2, 3)],
}


def found(image: int, category: int, bbox: list[float], value: float = 0.9) -> dict[str, Any]:
    return {"image_id": image, "category_id": category, "bbox": bbox, "score": value}


def test_simulated_photographs_are_counted_and_named_but_are_no_artworks() -> None:
    """Of the second concept all boxes are on one, of the first a box is on a real artwork."""
    images = [image | {"simulated": True} if image["id"] == 1 else image for image in TRUTH["images"]]
    truth, detections = TRUTH | {"images": images}, [found(1, 2, TWO), found(2, 1, ONE)]
    told = report(truth, detections, score(truth, detections))
    assert told["simulated"] == 1 and [row["artwork"] for row in told["artworks"]] == [300, 200]
    assert [row.get("simulated") for row in told["per_label"]] == [None, True, None]
    assert told["at_best"] == {"found": 2, "swapped": 0, "missed": 1, "invented": 0}
    assert told["AP50"] == pytest.approx((1 + 51 / 101) / 2, abs=1e-3)
    assert reported()["simulated"] == 0


def reported(*detections: dict[str, Any]) -> dict[str, Any]:
    """The report, as it is after a way through JSON."""
    return dict(json.loads(json.dumps(report(TRUTH, detections, score(TRUTH, detections)), allow_nan=False)))


def test_a_perfect_detector_is_right_at_every_recall_and_its_threshold_keeps_all() -> None:
    told = reported(found(1, 1, ONE, 0.8), found(1, 2, TWO), found(2, 1, ONE, 0.6))
    assert (told["precision"], told["recall"]) == (1.0, 1.0)
    assert told["threshold"] == pytest.approx((0.6 + 0.05) / 2, abs=1e-4)  # 0.05: the least that anybody is offered
    assert told["at_best"] == {"found": 3, "swapped": 0, "missed": 0, "invented": 0}
    assert told["confusion"] == [[2, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    first, second, third = told["per_label"]
    thresholds = [first["threshold"], second["threshold"]]
    assert first["boxes"] == 2 and thresholds == pytest.approx([(0.6 + 0.05) / 2, (0.9 + 0.05) / 2], abs=1e-4)
    assert len(first["curve"]) == 101
    # Nobody who wants a precision of 1 needs to leave out the second one.
    assert first["curve"][0] == [0.0, 1.0, 0.6] and first["curve"][-1] == [1.0, 1.0, 0.6]
    assert third == {"label": 43, "name": "n3", "AP": None, "AP50": None, "boxes": 0, **NOTHING, "curve": []}


def test_a_detector_that_misses_everything_has_no_threshold_and_misses_in_the_table() -> None:
    told = reported()
    assert {name: told[name] for name in NOTHING} == NOTHING
    assert told["confusion"] == [[0, 0, 0, 2], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert told["per_label"][0]["curve"] == [] and told["per_label"][0]["threshold"] is None
    assert [(row["artwork"], row["missed"]) for row in told["artworks"]] == [(100, 2), (200, 1), (300, 0)]


def test_a_detector_that_swaps_two_concepts_shows_it_beside_the_diagonal() -> None:
    told = reported(found(1, 2, ONE), found(1, 1, TWO), found(2, 2, ONE))
    assert told["confusion"] == [[0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert told["at_best"] == {"found": 0, "swapped": 3, "missed": 0, "invented": 0}
    worst = told["artworks"][0]
    assert (worst["artwork"], worst["swapped"]) == (100, 2)
    assert {row["outcome"] for row in [*worst["boxes"], *worst["detections"]]} == {"swapped"}


def test_a_right_detection_takes_its_box_before_a_surer_one_of_another_concept() -> None:
    told = reported(found(1, 2, ONE, 0.95), found(1, 1, ONE, 0.9))
    assert told["confusion"][0][:2] == [1, 0]


def test_what_became_of_each_box_and_each_detection_is_told_the_worst_artwork_first() -> None:
    told = reported(found(1, 1, ONE, 0.9), found(3, 1, TWO, 0.95), found(2, 1, TWO, 0.2), found(2, 1, ONE, 0.04))
    third, second, first = sorted(told["artworks"], key=lambda row: -row["artwork"])
    assert [row["outcome"] for row in first["boxes"]] == ["found", "missed"]
    assert [row["outcome"] for row in third["detections"]] == ["invented"]
    assert second["detections"] == [], "below the threshold nobody is shown any"
    assert first["detections"][0] == {"label": 41, "bbox": ONE, "outcome": "right", "score": 0.9}
    assert told["confusion"][-1] == [1, 0, 0, 0]
    assert [row["artwork"] for row in told["artworks"]] == [200, 300, 100]  # equally many: the smaller share found


def test_the_curve_falls_where_a_surer_detection_is_wrong() -> None:
    curve = reported(found(3, 1, ONE, 0.95), found(1, 1, ONE, 0.9))["per_label"][0]["curve"]
    # Half of the boxes are found, with one of two detections right; the other half never.
    # Keeping boxes from .95 on, none would be right.
    assert curve[0] == [0.0, 0.5, 0.9] and curve[-1] == [0.5, 0.5, 0.9]


@pytest.mark.parametrize(
    ("rows", "boxes", "expected"),
    [
        ([(0.9, True), (0.8, False), (0.7, True), (0.6, False)], 2, (0.65, 0.6667, 1.0)),
        ([(0.9, True), (0.5, False), (0.4, False), (0.3, True)], 2, (0.7, 1.0, 0.5)),
        ([(0.5, True), (0.5, False)], 1, (0.275, 0.5, 1.0)),  # of one score: kept together or not at all
        ([(0.6, False), (0.04, True)], 1, (None, None, None)),  # too unsure ever to be offered
        ([(0.9, False)], 0, (None, None, None)),
        ([], 3, (None, None, None)),
    ],
)
def test_the_best_threshold_has_the_highest_f1(
    rows: list[tuple[float, bool]], boxes: int, expected: tuple[float | None, ...]
) -> None:
    scores, right = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], dtype=bool)
    threshold, *shares = best_threshold(scores, right, boxes).values()
    assert tuple(shares) == expected[1:]
    assert threshold == (expected[0] and pytest.approx(expected[0], abs=1e-4))


def test_an_artwork_keeps_its_hundred_surest_detections() -> None:
    many = [found(3, 1, [float(n), 0.0, 10.0, 10.0], 0.9 - n / 1000) for n in range(150)]
    told = reported(*many)  # none is right, so there is no better threshold than the usual one
    kept = next(row for row in told["artworks"] if row["artwork"] == 300)["detections"]
    assert len(kept) == 100 and kept[0]["score"] == 0.9
