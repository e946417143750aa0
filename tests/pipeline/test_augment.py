"""Copies of training pictures: never blank, boxes still on their things, made of the training part alone."""

from pathlib import Path
from typing import Any

import albumentations
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.pipeline.shapes import artwork, manifest_of
from training.pipeline import annotations, augment, manifest
from training.pipeline.augment import PRESETS, Pixels, apply, is_blank
from training.pipeline.config import AUGMENTATIONS

WIDTH, HEIGHT = 160, 120
relaxed = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _ground(seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(60, 200, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def test_every_choice_with_copies_has_a_preset() -> None:
    assert set(PRESETS) == {key for key, choice in AUGMENTATIONS.items() if choice.copies}


@pytest.mark.parametrize("preset", PRESETS)
def test_no_preset_writes_a_black_or_empty_picture(preset: str) -> None:
    for seed in range(60):
        changed, _ = apply(preset, _ground(seed), [[20, 20, 90, 90]], [1], seed=seed)
        assert changed.dtype == np.uint8 and changed.shape[2] == 3
        assert not is_blank(changed)
        assert 30 < changed.mean() < 225


def test_a_black_and_a_plain_picture_count_as_blank() -> None:
    assert is_blank(np.zeros((9, 9, 3), np.uint8))
    assert is_blank(np.full((9, 9, 3), 200, np.uint8))
    assert not is_blank(_ground())


@pytest.mark.parametrize("preset", PRESETS)
@given(data=st.data(), seed=st.integers(0, 100_000))
@relaxed
def test_boxes_stay_inside_the_picture_and_keep_their_class(preset: str, data: st.DataObject, seed: int) -> None:
    left, top = data.draw(st.integers(0, WIDTH - 30)), data.draw(st.integers(0, HEIGHT - 30))
    width, height = data.draw(st.integers(8, WIDTH - left)), data.draw(st.integers(8, HEIGHT - top))
    changed, kept = apply(preset, _ground(), [[left, top, left + width, top + height]], [3], seed=seed)
    for (x, y, w, h), category in kept:
        assert category == 3
        assert x >= 0 and y >= 0 and w >= augment.MIN_SIDE - 0.01 and h >= augment.MIN_SIDE - 0.01
        assert x + w <= changed.shape[1] + 0.01 and y + h <= changed.shape[0] + 0.01


@pytest.mark.parametrize("preset", PRESETS)
def test_a_box_moves_with_the_thing_that_it_is_on(preset: str) -> None:
    for seed in range(40):
        empty = np.full((HEIGHT, WIDTH, 3), (40, 60, 200), np.uint8)
        pixels = empty.copy()
        pixels[30:80, 40:100] = (230, 60, 40)
        # The same seed changes both in the same way: they differ where the thing is to be seen.
        (changed, kept), (ground, _) = (
            apply(preset, each, [[40, 30, 100, 80]], [1], seed=seed) for each in (pixels, empty)
        )
        rows, columns = np.nonzero(np.abs(changed.astype(int) - ground).max(axis=2) > 50)
        if not kept or not rows.size:
            continue
        (x, y, w, h), _ = kept[0]
        assert abs(columns.mean() - (x + w / 2)) < 8 and abs(rows.mean() - (y + h / 2)) < 8
        assert x - 4 <= np.percentile(columns, 1) and np.percentile(columns, 99) <= x + w + 4
        assert y - 4 <= np.percentile(rows, 1) and np.percentile(rows, 99) <= y + h + 4


@given(
    cuts=st.lists(st.tuples(st.integers(0, 3), st.floats(0.0, 0.55)), min_size=1, max_size=5),
    box=st.tuples(st.integers(5, 80), st.integers(5, 50), st.integers(30, 70), st.integers(30, 60)),
)
@relaxed
def test_what_several_changes_have_cut_away_is_counted_together(
    cuts: list[tuple[int, float]], box: tuple[int, ...]
) -> None:
    """Each cuts off a share of what is left of the box, at one of its sides: never so much that it tells alone."""
    x, y, width, height = box
    whole, here, left = (0, 0, WIDTH, HEIGHT), (0, 0, WIDTH, HEIGHT), (x, y, x + width, y + height)
    steps: list[Any] = []
    for side, share in cuts:
        axis, first, last = side % 2, left[side % 2], left[side % 2 + 2]
        at = round(first + share * (last - first)) if side < 2 else round(last - share * (last - first))
        whole, here = here, tuple(at if place == side else old for place, old in enumerate(here))
        left = tuple(at if place == side else old for place, old in enumerate(left))
        assert left[axis] < left[axis + 2]
        steps.append(albumentations.Crop(*(here[n] - whole[n % 2] for n in range(4))))
    seen = (left[2] - left[0], left[3] - left[1])
    share = seen[0] * seen[1] / (width * height)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(augment, "PRESETS", {"cuts": lambda *_: steps})
        _, kept = apply("cuts", _ground(), [[x, y, x + width, y + height]], [1], seed=1)
    if abs(share - augment.MIN_VISIBILITY) > 0.13:
        assert bool(kept) == (share > augment.MIN_VISIBILITY and min(seen) >= augment.MIN_SIDE)
    for place, _category in kept:
        assert place == pytest.approx((left[0] - here[0], left[1] - here[1], *seen), abs=0.01)


@pytest.mark.parametrize("preset", PRESETS)
def test_hardly_a_copy_is_left_as_it_is(preset: str) -> None:
    """The steps of a preset decide one by one; if they drew the same numbers, one copy in ten would be none."""
    ground = _ground()
    same = sum(
        np.array_equal(apply(preset, ground, [[20, 20, 90, 90]], [1], seed=seed)[0], ground) for seed in range(150)
    )
    assert same <= 9


def test_the_same_seed_makes_the_same_copy() -> None:
    one, two = (apply("instances", _ground(), [[20, 20, 90, 90]], [1], seed=11) for _ in range(2))
    assert np.array_equal(one[0], two[0]) and one[1] == two[1]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_picture_without_boxes_can_be_changed_too(preset: str) -> None:
    changed, kept = apply(preset, _ground(), [], [], seed=1)
    assert kept == [] and not is_blank(changed)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> tuple[annotations.Coco, annotations.Coco, list[int]]:
    """The COCO of the training part, the COCO of its copies, and what was told on the way."""
    workdir = tmp_path_factory.mktemp("run")
    rows = [artwork(workdir, number, "test" if number % 3 == 0 else "train") for number in range(1, 8)]
    train = annotations.to_coco(manifest.parse(manifest_of(rows), workdir), "train")
    told: list[int] = []
    made = augment.augment(
        train,
        workdir / "copies",
        preset="categories",
        copies=[2] * len(train["images"]),
        most=99,
        longest=200,
        seed=1,
        on_copy=lambda: told.append(1),
    )
    return train, made, told


def test_where_time_is_short_some_copies_of_any_artwork_are_made(tmp_path: Path) -> None:
    rows = [artwork(tmp_path, number, "train" if number < 8 else "test") for number in range(1, 9)]
    train = annotations.to_coco(manifest.parse(manifest_of(rows), tmp_path), "train")
    options = {"preset": "gentle", "copies": [2] * 7, "most": 5, "longest": 100, "seed": 1}
    made = augment.augment(train, tmp_path / "copies", **options, on_copy=lambda: None)  # type: ignore[arg-type]
    assert len(made["images"]) == 5 and len({image["artwork"] for image in made["images"]}) > 2


def test_processes_make_the_same_copies_as_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [artwork(tmp_path, number, "test" if number == 5 else "train") for number in range(1, 6)]
    train = annotations.to_coco(manifest.parse(manifest_of(rows), tmp_path), "train")
    made = []
    for least in (1000, 0):
        monkeypatch.setattr(augment, "_LEAST_FOR_PROCESSES", least)
        folder = tmp_path / str(least)
        options = {"preset": "categories", "copies": [3] * 4, "most": 99, "longest": 100, "seed": 1}
        coco = augment.augment(train, folder, **options, on_copy=lambda: None)  # type: ignore[arg-type]
        made.append((coco["annotations"], [file.read_bytes() for file in sorted(folder.glob("*.jpg"))]))
    assert made[0] == made[1] and len(made[0][1]) > 10


def test_only_artworks_of_the_training_part_are_copied(
    copies: tuple[annotations.Coco, annotations.Coco, list[int]],
) -> None:
    train, made, told = copies
    assert {image["artwork"] for image in made["images"]} <= {1, 2, 4, 5, 7}
    assert len(made["images"]) >= 8 and len(told) == 10
    assert not {image["id"] for image in train["images"]} & {image["id"] for image in made["images"]}


def test_copies_are_files_of_the_size_that_they_claim(
    copies: tuple[annotations.Coco, annotations.Coco, list[int]],
) -> None:
    _, made, _ = copies
    for image in made["images"]:
        with Image.open(image["file_name"]) as opened:
            assert opened.size == (image["width"], image["height"])
            assert max(opened.size) <= 200
        assert Path(image["file_name"]).parent.name == "copies"
    assert made["annotations"] and len({row["id"] for row in made["annotations"]}) == len(made["annotations"])
