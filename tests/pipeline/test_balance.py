"""What few training pictures show is copied more often, and no more copies are made for it."""

import dataclasses
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pipeline.shapes import artwork, manifest_of
from training.pipeline import annotations, balance, config, manifest, stages
from training.pipeline.supervision import Stop


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


def test_one_work_among_many_artworks_gets_more_copies_where_one_particular_thing_is_looked_for(
    offline_weights: Path, tmp_path: Path
) -> None:
    """Seven show the square, one the triangle: its factor is √8, theirs √(8 / 7), and there are 24 copies in all."""
    rows = [artwork(tmp_path, number, "train") | {"boxes": _box(3 if number == 1 else 2)} for number in range(1, 9)]
    rows.append(artwork(tmp_path, 9, "test"))
    manifest.save(manifest_of(rows), tmp_path)
    plan = config.plan(architecture="retinanet_mobilenet_v2", budget="quick", augmentation="instances", seed=1)
    dataclasses.replace(plan, least_copies=24).save(tmp_path)
    run = stages.open_run(tmp_path, offline_weights, lambda event: None, Stop())
    for name in ("annotations", "partition", "augment"):
        stages.STAGES[name](run)
    made = annotations.load(annotations.coco_path(tmp_path, "train_augmented"))
    copies = Counter(image["artwork"] for image in made["images"])
    assert copies.total() == 24 and copies[1] == 7 and set(copies.values()) == {7, 2, 3}


def _box(label: int) -> list[dict[str, int]]:
    return [{"label": label, "x": 60, "y": 40, "width": 300, "height": 260}]
