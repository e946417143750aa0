"""COCO scores, and the overlap of two boxes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.pipeline.coco_metrics import NAMES
from training.pipeline.scores import average_precision, intersection_over_union, score

BOX = [10.0, 10.0, 40.0, 30.0]


def _truth() -> dict[str, Any]:
    return {
        "images": [{"id": number, "artwork": number * 100, "width": 200, "height": 100} for number in (1, 2)],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": BOX, "area": 1200.0, "iscrowd": 0},
            {"id": 2, "image_id": 1, "category_id": 2, "bbox": [100.0, 10.0, 50.0, 50.0], "area": 2500.0, "iscrowd": 0},
        ],
        "categories": [{"id": number, "name": f"n{number}", "label": number + 40} for number in (1, 2, 3)],
    }


def _found(image: int, category: int, bbox: list[float], value: float = 0.9) -> dict[str, Any]:
    return {"image_id": image, "category_id": category, "bbox": bbox, "score": value}


def test_perfect_detections_score_one() -> None:
    truth = _truth()
    scores = score(truth, [_found(row["image_id"], row["category_id"], row["bbox"]) for row in truth["annotations"]])
    assert (scores["AP"], scores["AP50"], scores["AP75"]) == (1.0, 1.0, 1.0)
    assert scores["per_label"][0] == {"label": 41, "name": "n1", "AP": 1.0, "AP50": 1.0}


def test_all_twelve_metrics_are_told_and_null_where_there_is_no_box_of_the_size() -> None:
    truth = _truth()  # two boxes of a medium size
    found = [_found(row["image_id"], row["category_id"], row["bbox"]) for row in truth["annotations"]]
    told = score(truth, found[:1])["coco"]
    assert list(told) == list(NAMES)
    assert {name: told[name] for name in ("AP_small", "AP_large", "AR_small", "AR_large")} == {
        "AP_small": None, "AP_large": None, "AR_small": None, "AR_large": None,
    }  # fmt: skip
    assert all(told[name] == 0.5 for name in ("AP", "AP50", "AP75", "AP_medium", "AR1", "AR10", "AR100", "AR_medium"))
    assert set(score({**truth, "annotations": []}, found)["coco"].values()) == {None}


@pytest.mark.parametrize("shift", [0, 4, 9])
def test_the_shorter_way_to_average_precision_comes_to_the_same(shift: int) -> None:
    truth = _truth()
    found = [_found(1, row["category_id"], [row["bbox"][0] + shift, *row["bbox"][1:]]) for row in truth["annotations"]]
    short, whole = (
        average_precision(truth, [*found, _found(2, 1, BOX, 0.95)]),
        score(truth, [*found, _found(2, 1, BOX, 0.95)]),
    )
    assert short == {name: whole[name] for name in ("AP", "AP50", "per_label")}
    assert average_precision({**truth, "annotations": []}, found)["AP"] is None


def test_a_label_without_test_boxes_has_no_score() -> None:
    assert score(_truth(), [])["per_label"][2] == {"label": 43, "name": "n3", "AP": None, "AP50": None}


@pytest.mark.parametrize("found", [[], [_found(1, 1, BOX)]], ids=["nothing-found", "something-found"])
def test_a_test_part_without_boxes_has_no_score(found: list[dict[str, Any]]) -> None:
    """Zero would say that the detector found nothing of what was there."""
    told = score({**_truth(), "annotations": []}, found)
    assert (told["AP"], told["AP50"], told["AP75"]) == (None, None, None)


def test_no_detection_scores_nothing() -> None:
    assert score(_truth(), [])["AP50"] == 0.0


def test_a_better_scored_box_on_an_empty_picture_costs_precision() -> None:
    hit = _found(1, 1, BOX, 0.5)
    assert score(_truth(), [hit])["per_label"][0]["AP50"] == 1.0
    assert score(_truth(), [hit, _found(2, 1, BOX, 0.9)])["per_label"][0]["AP50"] < 0.6


_box = st.tuples(st.floats(0, 50), st.floats(0, 50), st.floats(1, 50), st.floats(1, 50))


@given(_box, _box)
def test_the_overlap_lies_between_nothing_and_everything(one: tuple[float, ...], other: tuple[float, ...]) -> None:
    value = intersection_over_union(one, other)
    assert 0 <= value <= 1.0000001
    assert abs(value - intersection_over_union(other, one)) < 1e-9
    assert abs(intersection_over_union(one, one) - 1) < 1e-9
