"""The tiles of a large image: upright, in the right place and colour, and read from the level that suffices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pyvips

from datasets import images, pyramids, rendering
from datasets.pyramids import Region
from tests.datasets.pictures import blue_corner, picture
from tests.datasets.test_rendering import CORNERS

WIDTH, HEIGHT = 2800, 800


def tile(path: Path, *region: int) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(pyramids.read(path, Region(*region)), "")


def painted(tmp_path: Path, suffix: str = ".jpg", orientation: int = 1, **options: Any) -> Path:
    """The pyramid of a large picture, red with a blue top left quarter, made by the real ingest."""
    image = picture(WIDTH, HEIGHT).copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    source = tmp_path / f"source{suffix}"
    source.write_bytes(image.write_to_buffer(suffix, **options))
    images.render(source, tmp_path)
    return tmp_path / "pyramid.tif"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_pyramid_is_upright_whatever_the_orientation(orientation: int, tmp_path: Path) -> None:
    path = painted(tmp_path, orientation=orientation)
    size = (WIDTH, HEIGHT) if orientation < 5 else (HEIGHT, WIDTH)
    assert pyramids.size_of(path) == size
    whole = tmp_path / "whole.jpg"
    whole.write_bytes(pyramids.read(path, Region(0, 0, *size, size[0] // 10, size[1] // 10)))
    assert blue_corner(whole) == CORNERS[orientation]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_a_tile_shows_its_own_pixels_at_its_own_size(suffix: str, tmp_path: Path) -> None:
    path = painted(tmp_path, suffix)
    across = tile(path, WIDTH // 2 - 256, 100, 512, 256, 512, 256)
    assert (across.width, across.height) == (512, 256)
    left, right = across.getpoint(200, 128), across.getpoint(312, 128)
    assert left[2] > 150 > left[0] and right[0] > 150 > right[2]
    last = tile(path, 2560, 512, 240, 288, 120, 144)
    assert (last.width, last.height) == (120, 144)


def test_colours_are_those_of_the_display_image(tmp_path: Path) -> None:
    wide = picture(WIDTH, HEIGHT).icc_transform("p3", input_profile="srgb")
    source = tmp_path / "source.jpg"
    source.write_bytes(wide.jpegsave_buffer(Q=95))
    images.render(source, tmp_path)
    display = pyvips.Image.new_from_file(str(tmp_path / "display.jpg"))
    shown = tile(tmp_path / "pyramid.tif", 0, 0, 300, 300, 300, 300)
    assert all(abs(a - b) < 6 for a, b in zip(shown.getpoint(150, 150), display.getpoint(140, 140), strict=True))


def test_a_picture_that_the_display_image_shows_whole_has_none(tmp_path: Path) -> None:
    source = tmp_path / "source.jpg"
    source.write_bytes(picture(rendering.DISPLAY_SIDE, 40).jpegsave_buffer())
    images.render(source, tmp_path)
    assert not (tmp_path / "pyramid.tif").exists()


def test_zooming_out_reads_a_small_level(tmp_path: Path) -> None:
    path = painted(tmp_path)
    assert pyramids._level(path, Region(0, 0, WIDTH, HEIGHT, WIDTH // 4, HEIGHT // 4)).width == WIDTH // 4
    assert pyramids._level(path, Region(0, 0, 512, 512, 512, 512)).width == WIDTH
