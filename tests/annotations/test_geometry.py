"""Rectangles are checked, clipped and compared in pixels of the artwork."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from annotations.geometry import OVERSHOOT, SMALLEST, Rect, checked, clipped, iou
from annotations.refusals import EditRefused

NUMBERS = some.floats(-5000, 5000)
RECTS = some.builds(Rect, NUMBERS, NUMBERS, some.floats(0, 5000), some.floats(0, 5000))
SIZES = some.integers(1, 4000)
ANYTHING = some.builds(Rect, *[some.floats(allow_nan=True, allow_infinity=True)] * 4)


@given(rect=ANYTHING, width=SIZES, height=SIZES)
def test_it_keeps_only_what_the_database_accepts(rect: Rect, width: int, height: int) -> None:
    try:
        kept = checked(rect, width, height)
    except EditRefused:
        return
    assert kept.width >= SMALLEST and kept.height >= SMALLEST
    assert kept.x >= 0 and kept.y >= 0
    assert kept.x <= width - kept.width + 0.001 and kept.y <= height - kept.height + 0.001
    assert all(abs(a - b) <= 2 * OVERSHOOT for a, b in zip(_sides(kept), _sides(rect), strict=True))


@given(rect=RECTS, width=SIZES, height=SIZES)
def test_clipping_stays_inside_and_changes_nothing_the_second_time(rect: Rect, width: int, height: int) -> None:
    once = clipped(rect, width, height)
    assert 0 <= once.x <= width and 0 <= once.y <= height
    assert 0 <= once.width <= width and 0 <= once.height <= height
    twice = clipped(once, width, height)
    assert all(math.isclose(a, b, abs_tol=1e-6) for a, b in zip(_sides(once), _sides(twice), strict=True))


@given(one=RECTS, other=RECTS)
def test_overlap_is_symmetric_and_between_none_and_all(one: Rect, other: Rect) -> None:
    assert iou(one, other) == pytest.approx(iou(other, one))
    assert 0 <= iou(one, other) <= 1.000001


@given(rect=some.builds(Rect, NUMBERS, NUMBERS, some.floats(1, 5000), some.floats(1, 5000)))
def test_a_rectangle_overlaps_itself_wholly(rect: Rect) -> None:
    assert iou(rect, rect) == pytest.approx(1, abs=1e-6)


def test_overlap_is_the_shared_part_of_both_together() -> None:
    assert iou(Rect(0, 0, 10, 10), Rect(5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert iou(Rect(0, 0, 10, 10), Rect(10, 0, 10, 10)) == 0
    assert iou(Rect(0, 0, 1e-200, 1e-200), Rect(0, 0, 1e-200, 1e-200)) == 0


@pytest.mark.parametrize(
    ("rect", "code"),
    [
        ((math.nan, 1, 10, 10), "not_finite"),
        ((1, 1, math.inf, 10), "not_finite"),
        ((1, 1, 0, 10), "no_size"),
        ((30, 30, -10, 10), "no_size"),
        ((-2, 1, 10, 10), "outside"),
        ((1, 1, 201, 10), "outside"),
        ((195, 1, 10, 10), "outside"),
        ((1e300, 1e300, 10, 10), "outside"),
        ((1, 1, 0.5, 10), "too_small"),
        ((199.9, 1, 1, 10), "too_small"),
    ],
)
def test_it_refuses_a_box_and_says_why(rect: Any, code: str) -> None:
    with pytest.raises(EditRefused) as refusal:
        checked(Rect(*rect), 200, 150)
    assert refusal.value.get_codes() == code


def test_an_overshoot_of_a_pixel_is_clipped_without_a_word() -> None:
    assert checked(Rect(-0.5, 0, 100, 150.8), 200, 150) == Rect(0, 0, 99.5, 150)


def _sides(rect: Rect) -> tuple[float, float, float, float]:
    return rect.x, rect.y, rect.right, rect.bottom
