"""The demo dataset: enough to train on, the same every time, boxes where the figures are."""

from collections import Counter
from random import Random

import pytest
import pyvips

from datasets import demo
from datasets.demo import collection
from datasets.demo.painting import paint
from datasets.demo.shapes import FIGURES, Paint, placed

SKETCHES = [collection.sketch(number) for number in range(demo.TOTAL)]
ANNOTATED = SKETCHES[: -collection.LEFT_FOR_THE_DETECTOR]


def test_there_is_enough_of_every_concept_and_something_left_to_do() -> None:
    counts = Counter(box[0] for one in ANNOTATED for box in one.boxes)
    assert len(SKETCHES) >= 60
    assert set(counts) == {name for name, _colour, _key in demo.LABELS} and min(counts.values()) >= 60
    assert sum(not one.boxes for one in ANNOTATED) == 2


def test_every_box_is_inside_and_large_enough() -> None:
    for one in SKETCHES:
        across, down = one.size
        assert 640 <= max(one.size) <= 1000
        for _label, x, y, width, height in one.boxes:
            assert x >= 0 and y >= 0 and x + width <= across and y + height <= down
            assert min(width, height) >= 50


def test_every_artwork_is_described_and_none_twice() -> None:
    for one in SKETCHES:
        assert all(one.metadata[name] for name in ("title", "creator", "date", "medium", "extent", "identifier"))
    assert len({one.metadata["identifier"] for one in SKETCHES}) == len({one.svg for one in SKETCHES}) == demo.TOTAL


def test_a_composition_is_a_jpeg_of_its_sketch() -> None:
    last, first = collection.composition(demo.TOTAL - 1), next(demo.compositions())
    image = pyvips.Image.new_from_buffer(last.image, "")
    assert (image.get("vips-loader"), (image.width, image.height)) == ("jpegload_buffer", SKETCHES[-1].size)
    assert last.boxes == SKETCHES[-1].boxes
    assert (first.annotated, last.annotated) == (True, False)


def test_the_same_number_gives_the_same_picture() -> None:
    assert collection.composition(3) == collection.composition(3)


def test_a_box_is_tight_around_its_figure() -> None:
    """What differs between a ground with and without a figure reaches up to the edges of its box."""
    ground = '<rect width="400" height="400" fill="#ffffff"/>'
    empty = pyvips.Image.new_from_buffer(paint(ground, 400, 400, 1), "")
    for seed in range(3):
        for make in FIGURES.values():
            rng = Random(seed)
            svg, box = placed(make(rng, 180, Paint("#c8321f", "#7d1a12", "#26221f")), 200, 200, rng.uniform(-20, 20))
            figure = pyvips.Image.new_from_buffer(paint(ground + svg, 400, 400, 1), "")
            changed = ((figure - empty).abs().bandmean() > 40).ifthenelse(255, 0).median(3)
            found = changed.find_trim(background=0, threshold=128)
            ends = (found[0], found[1], found[0] + found[2], found[1] + found[3])
            assert ends == pytest.approx((box[0], box[1], box[0] + box[2], box[1] + box[3]), abs=7)
