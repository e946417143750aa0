"""The split: by artwork, the same every time, each label on both sides; and when there is too little to train on."""

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.pipeline.partition import LabelCount, Readiness, assign_splits, readiness_of_counts

Artwork = dict[str, Any]


def _artwork(number: int, *labels: int, **fields: Any) -> Artwork:
    return {"id": number, "sha256": f"hash {number}", "boxes": [{"label": label} for label in labels], **fields}


_labels = st.lists(st.sets(st.integers(1, 6), max_size=3), min_size=2, max_size=60)


@given(_labels, st.integers(0, 10_000), st.randoms())
def test_the_split_is_the_same_for_any_order_of_the_artworks(
    rows: list[set[int]], seed: int, rng: random.Random
) -> None:
    artworks = [_artwork(number, *sorted(labels)) for number, labels in enumerate(rows)]
    first = assign_splits(artworks, seed=seed)
    rng.shuffle(artworks)
    assert assign_splits(artworks, seed=seed) == first


@given(_labels, st.integers(0, 10_000))
def test_both_parts_have_something_and_no_label_is_only_tested(rows: list[set[int]], seed: int) -> None:
    artworks = [_artwork(number, *labels) for number, labels in enumerate(rows)]
    splits = assign_splits(artworks, seed=seed)
    assert set(splits.values()) == {"train", "test"}
    holders = Counter(label for labels in rows for label in labels)
    for label in (label for label, count in holders.items() if count > 1):
        assert any(splits[number] == "train" for number, labels in enumerate(rows) if label in labels)


def test_every_label_on_two_artworks_of_its_own_is_on_both_sides() -> None:
    artworks = [_artwork(number, number % 10) for number in range(20)]
    splits = assign_splits(artworks, seed=5)
    for label in range(10):
        assert {splits[label], splits[label + 10]} == {"train", "test"}


def test_about_a_fifth_is_tested() -> None:
    artworks = [_artwork(number, *random.Random(number).sample(range(5), 2)) for number in range(200)]
    count = Counter(assign_splits(artworks, seed=1).values())
    assert 35 <= count["test"] <= 55


def test_empty_artworks_are_on_both_sides_too() -> None:
    artworks = [_artwork(number, *([1] if number < 20 else [])) for number in range(40)]
    splits = assign_splits(artworks, seed=1)
    assert {splits[number] for number in range(20, 40)} == {"train", "test"}


@given(st.integers(0, 1000))
def test_the_same_file_is_never_on_both_sides(seed: int) -> None:
    artworks = [_artwork(number, 1, sha256=f"hash {number // 2}") for number in range(20)]
    splits = assign_splits(artworks, seed=seed)
    assert all(splits[number] == splits[number + 1] for number in range(0, 20, 2))


def test_another_seed_gives_another_split() -> None:
    artworks = [_artwork(number, 1) for number in range(50)]
    assert assign_splits(artworks, seed=1) != assign_splits(artworks, seed=2)


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 2])
def test_it_refuses_a_fraction_that_is_none(fraction: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        assign_splits([_artwork(1, 1)], seed=1, test_fraction=fraction)


def judge(*labels: LabelCount, artworks: int = 5, boxed: int = 5, nothing_to_mark: int = 0) -> Readiness:
    return readiness_of_counts(labels, artworks=artworks, boxed=boxed, nothing_to_mark=nothing_to_mark)


def test_enough_is_ready_with_its_numbers() -> None:
    ready = judge(LabelCount("Angel", 4, 4), LabelCount("Book", 4, 8), boxed=4, nothing_to_mark=1)
    assert ready.ready and not ready.problems
    assert ready.counts == {"artworks": 5, "boxed": 4, "nothing_to_mark": 1, "labels": 2, "boxes": 12}


def test_too_few_artworks_with_boxes_are_refused_with_the_numbers() -> None:
    problems = judge(LabelCount("Angel", 2, 2), LabelCount("Book", 2, 2), artworks=3, boxed=2).problems
    assert list(problems) == ["Artworks with confirmed boxes: 2. Training needs at least 4; draw boxes on 2 more."]


def test_a_label_without_boxes_is_named() -> None:
    problems = judge(LabelCount("Angel", 5, 5), LabelCount("Book", 0, 0)).problems
    assert len(problems) == 1 and "“Book” has no confirmed boxes" in problems[0]


def test_a_label_on_one_artwork_only_is_named_with_its_number() -> None:
    problems = judge(LabelCount("Angel", 5, 5), LabelCount("Book", 1, 2)).problems
    assert len(problems) == 1 and "“Book” is on 1 artwork only" in problems[0]


def test_a_label_on_one_artwork_is_enough_where_it_is_tested_on_simulated_photographs() -> None:
    ready = judge(LabelCount("Angel", 5, 5), LabelCount("Book", 1, 2), LabelCount("Cup", 0, 0))
    assert len(ready.in_the_way(simulated=False)) == 2 and len(ready.lonely) == 1
    (left,) = ready.in_the_way(simulated=True)
    assert "“Cup” has no confirmed boxes" in left


def test_what_is_on_one_artwork_alone_is_learnt_even_where_nothing_is_left_to_test_on() -> None:
    single = [_artwork(number, number) for number in range(1, 7)]
    assert "test" in assign_splits(single, seed=1).values()
    assert set(assign_splits(single, seed=1, simulated=True).values()) == {"train"}
    several = [*single, *(_artwork(number, 1) for number in range(7, 12))]
    parts = assign_splits(several, seed=1, simulated=True)
    assert all(parts[number] == "train" for number in range(2, 7)) and "test" in parts.values()


def test_a_dataset_without_labels_is_refused() -> None:
    assert "no concept" in judge(artworks=0, boxed=0).problems[0]


def test_what_was_trained_on_before_is_never_tested_on_later() -> None:
    before = [_artwork(number, number % 3 + 1) for number in range(1, 21)]
    first = assign_splits(before, seed=1)
    known = {row["sha256"]: first[row["id"]] for row in before}
    grown = before + [_artwork(number, number % 4 + 1) for number in range(21, 61)]
    for seed in range(10):
        later = assign_splits(grown, seed=seed, known=known)
        assert {number: later[number] for number in first} == first
        assert 8 <= Counter(later.values())["test"] <= 20
        assert "test" in {later[number] for number in range(21, 61)}


def test_a_dataset_of_nothing_new_keeps_its_parts() -> None:
    rows = [_artwork(number, 1) for number in range(1, 11)]
    parts = {row["id"]: "test" if row["id"] > 7 else "train" for row in rows}
    known = {row["sha256"]: parts[row["id"]] for row in rows}
    assert assign_splits(rows, seed=4, known=known) == parts
