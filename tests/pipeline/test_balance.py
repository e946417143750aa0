"""What few training pictures show is copied more often, and no more copies are made for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.pipeline import balance


def _train(*shown: set[int]) -> dict[str, object]:
    """The COCO of pictures of which each shows these categories."""
    boxes = [{"image_id": image, "category_id": label} for image, labels in enumerate(shown) for label in labels]
    return {"images": [{"id": image} for image in range(len(shown))], "annotations": boxes}


def test_a_picture_is_as_rare_as_the_rarest_thing_on_it() -> None:
    """On one of nine pictures, of which a whole is the threshold: √9. On four of nine: √(9 / 4)."""
    train = _train({1}, {1}, {1}, {1, 2}, {3}, {3}, {3}, {3}, set())
    assert balance.repeat_factors(train, 1.0) == pytest.approx([1.5, 1.5, 1.5, 3, 1.5, 1.5, 1.5, 1.5, 1])


def test_what_enough_pictures_show_is_not_rare() -> None:
    train = _train({1}, {1}, {1}, {2})
    assert balance.repeat_factors(train, 0.25) == [1, 1, 1, 1]
    assert balance.repeat_factors(train, 0.0) == [1, 1, 1, 1]


@given(st.integers(0, 2000), st.lists(st.floats(1, 40), min_size=1, max_size=60))
def test_copies_are_shared_out_to_the_last_and_to_nobody_more_than_its_share(total: int, factors: list[float]) -> None:
    counts = balance.shared_out(total, factors)
    assert sum(counts) == total
    exact = [total * factor / sum(factors) for factor in factors]
    assert all(abs(count - share) < 1 + 1e-9 for count, share in zip(counts, exact, strict=True))


def test_equal_factors_give_equal_copies() -> None:
    assert balance.shared_out(12, [1.0] * 6) == [2] * 6 and balance.shared_out(0, []) == []
