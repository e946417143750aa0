"""Drawing some of many pictures."""

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from training.pipeline.sample import drawn


def _coco(concepts: list[set[int]]) -> dict[str, Any]:
    """A picture for each set of concepts, a box for each concept."""
    boxes = [(number, concept) for number, own in enumerate(concepts, start=1) for concept in sorted(own)]
    return {
        "images": [{"id": number} for number in range(1, len(concepts) + 1)],
        "annotations": [
            {"id": place, "image_id": number, "category_id": concept} for place, (number, concept) in enumerate(boxes)
        ],
        "categories": [],
    }


def test_where_there_is_room_for_all_everything_stays() -> None:
    coco = _coco([{1}, set(), {2}])
    assert drawn(coco, 3, 1) == coco


def test_another_seed_draws_other_pictures_and_the_same_seed_the_same() -> None:
    coco = _coco([{1}] * 100)
    first, again, other = (drawn(coco, 30, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert len(first["images"]) == 30


def test_a_concept_of_one_picture_among_a_thousand_is_always_drawn() -> None:
    for seed in range(20):
        some = drawn(_coco([{1}] * 500 + [{1, 7}] + [set()] * 499), 25, seed)
        assert 7 in {box["category_id"] for box in some["annotations"]}


def test_pictures_that_show_nothing_are_drawn_too() -> None:
    some = drawn(_coco([{1}] * 500 + [set()] * 500), 200, 1)
    empty = len(some["images"]) - len(some["annotations"])
    assert 60 < empty < 120


@given(st.lists(st.sets(st.integers(1, 6), max_size=3), max_size=60), st.integers(6, 40), st.integers(0, 99))
def test_every_concept_stays_and_boxes_stay_with_their_pictures(concepts: list[set[int]], most: int, seed: int) -> None:
    coco = _coco(concepts)
    some = drawn(coco, most, seed)
    images = [image["id"] for image in some["images"]]
    assert len(images) == min(most, len(concepts)) and images == sorted(images)
    assert some["annotations"] == [box for box in coco["annotations"] if box["image_id"] in images]
    everything, left = (Counter(box["category_id"] for box in rows["annotations"]) for rows in (coco, some))
    assert left.keys() == everything.keys()
