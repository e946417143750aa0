"""Looking at a picture in tiles too: small things are found, nothing twice, and nothing that a tile has cut."""

from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from training.pipeline import tiles
from training.pipeline.detectors import Found

SIZE = 100
# Of the artwork, to the picture that is looked at.
SCALE = 10


class Squares:
    """Finds the one bright square of what it is shown, if that is at least `least` pixels wide when shrunk to SIZE."""

    description = SimpleNamespace(input_size=SIZE)

    def __init__(self, least: float) -> None:
        self.least = least
        self.looks = 0

    def detect(self, picture: Image.Image, width: int, height: int, threshold: float) -> list[Found]:
        self.looks += 1
        down, across = np.nonzero(np.asarray(picture.convert("L")) > 128)
        if not len(down):
            return []
        x, y, w, h = across.min(), down.min(), np.ptp(across) + 1, np.ptp(down) + 1
        if w * SIZE / max(picture.size) < self.least:
            return []
        scale_x, scale_y = width / picture.width, height / picture.height
        return [Found("square", x * scale_x, y * scale_y, w * scale_x, h * scale_y, 0.5 + w * h / 1e6)]


def _picture(x: int, y: int, side: int, size: tuple[int, int]) -> Image.Image:
    picture = Image.new("RGB", size)
    ImageDraw.Draw(picture).rectangle((x, y, x + side - 1, y + side - 1), fill="white")
    return picture


def _look(detector: Squares, picture: Image.Image) -> list[Found]:
    return tiles.detect_closely(detector, picture, picture.width * SCALE, picture.height * SCALE, 0.3)  # type: ignore[arg-type]


@given(st.integers(0, 150), st.integers(0, 100), st.integers(3, 20))
def test_a_thing_is_found_once_and_where_it_is(x: int, y: int, side: int) -> None:
    (found,) = _look(Squares(least=0), _picture(x, y, side, (170, 120)))
    place = [found.x, found.y, found.width, found.height]
    # A pixel of the picture at most.
    np.testing.assert_allclose(place, [SCALE * value for value in (x, y, side, side)], atol=SCALE)
    assert found.x + found.width <= 1700 and found.y + found.height <= 1200


def test_what_is_too_small_in_the_whole_is_found_in_a_tile() -> None:
    picture = _picture(20, 20, 10, (170, 120))
    small = Squares(least=8)
    assert small.detect(picture, 1700, 1200, 0.3) == []
    assert len(_look(small, picture)) == 1


def test_what_a_tile_cuts_is_not_taken_for_a_thing() -> None:
    # Larger than the overlap of two tiles and across all of them: only the look at the whole sees it whole.
    (found,) = _look(Squares(least=0), _picture(40, 10, 100, (170, 120)))
    assert (found.width, found.height) == (1000, 1000)


def test_it_costs_five_looks() -> None:
    detector = Squares(least=0)
    _look(detector, _picture(1, 1, 5, (170, 120)))
    assert detector.looks == 1 + tiles.GRID**2


def test_a_picture_of_one_pixel_is_no_trouble() -> None:
    assert _look(Squares(least=0), Image.new("RGB", (1, 1))) == []


def test_of_boxes_that_show_the_same_thing_the_surest_is_left() -> None:
    row = [
        Found(1, 0, 0, 10, 10, 0.6),
        Found(1, 1, 0, 10, 10, 0.9),
        Found(2, 0, 0, 10, 10, 0.5),
        Found(1, 8, 8, 10, 10, 0.4),
    ]
    assert [(one.label, one.score) for one in tiles.merged(row)] == [(1, 0.9), (2, 0.5), (1, 0.4)]
