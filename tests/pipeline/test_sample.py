"""Drawing some of many artworks."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from training.pipeline.manifest import ArtworkEntry, BoxEntry, DatasetEntry, LabelEntry, Manifest
from training.pipeline.sample import drawn, few_empty


def _manifest(concepts: list[set[int]]) -> Manifest:
    """An artwork to train on for each set of concepts, a box for each concept; and one to test on."""
    artworks = [
        ArtworkEntry(
            id=number,
            file=Path(f"{number}.jpg"),
            sha256="",
            width=9,
            height=9,
            split="train" if number else "test",
            nothing_to_mark=not own,
            boxes=tuple(BoxEntry(concept, 1, 1, 5, 5) for concept in sorted(own)),
        )
        for number, own in enumerate([{1}, *concepts])
    ]
    labels = tuple(LabelEntry(number, str(number)) for number in range(1, 8))
    return Manifest(1, DatasetEntry(1, "x"), 1, "left out", labels, tuple(artworks))


def _concepts(manifest: Manifest) -> set[object]:
    return {box.label for artwork in manifest.part("train") for box in artwork.boxes}


def test_where_there_is_room_for_all_everything_stays() -> None:
    whole = _manifest([{1}, set(), {2}])
    assert drawn(whole, 3, 1) is whole
    assert whole.left_out == 0


def test_another_seed_draws_other_artworks_and_the_same_seed_the_same() -> None:
    whole = _manifest([{1}] * 100)
    first, again, other = (drawn(whole, 30, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert len(first.part("train")) == 30 and first.left_out == 70


def test_a_concept_of_one_artwork_among_a_thousand_is_always_drawn() -> None:
    for seed in range(20):
        assert 7 in _concepts(drawn(_manifest([{1}] * 500 + [{1, 7}] + [set()] * 499), 25, seed))


def test_artworks_that_show_nothing_are_drawn_too() -> None:
    some = drawn(_manifest([{1}] * 500 + [set()] * 500), 200, 1)
    assert 60 < sum(not artwork.boxes for artwork in some.part("train")) < 120


@given(st.lists(st.sets(st.integers(1, 6), max_size=3), max_size=60), st.integers(6, 40), st.integers(0, 99))
def test_every_concept_and_the_test_part_stay(concepts: list[set[int]], most: int, seed: int) -> None:
    whole = _manifest(concepts)
    some = drawn(whole, most, seed)
    assert len(some.part("train")) == min(most, len(concepts)) == len(concepts) - some.left_out
    assert _concepts(some) == _concepts(whole)
    assert some.part("test") == whole.part("test")
    assert [artwork for artwork in whole.artworks if artwork in some.artworks] == list(some.artworks)


def test_of_artworks_that_show_nothing_some_are_left_out_where_they_are_many() -> None:
    whole = _manifest([{1}] * 30 + [set()] * 100)
    some = few_empty(whole, 0.25, 1)
    assert sum(not artwork.boxes for artwork in some.part("train")) == 8 and some.empty_left_out == 92
    assert sum(bool(artwork.boxes) for artwork in some.part("train")) == 30
    assert some.part("test") == whole.part("test")
    assert few_empty(whole, 0.25, 1) == some != few_empty(whole, 0.25, 2)


def test_where_they_are_few_all_of_them_stay() -> None:
    whole = _manifest([{1}] * 8 + [set()] * 2)
    assert few_empty(whole, 0.25, 1) == whole
    assert few_empty(whole, 0.0, 1).part("train") == whole.part("train")[:8]
