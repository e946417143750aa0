"""Pictures are read upright, as RGB, and no larger than wanted."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.pipeline.pixels import UnreadableImage, read_rgb

# EXIF orientation → how a file must be stored so that it is seen upright.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def _upright() -> Image.Image:
    pixels = np.full((120, 200, 3), 128, np.uint8)
    pixels[:40, :50] = (250, 10, 10)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("orientation", STORED)
def test_every_orientation_is_read_upright(orientation: int, tmp_path: Path) -> None:
    turn = STORED[orientation]
    stored = _upright() if turn is None else _upright().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.jpg", exif=exif, quality=95)
    read = read_rgb(tmp_path / "a.jpg", 100)
    assert read.size == (100, 60)
    red = np.asarray(read, int)
    assert red[5, 5, 0] > 200 and red[5, 5, 1] < 80, "the red corner is not at the top left"


@pytest.mark.parametrize("longest", [700, 401, 130], ids=["a-little", "by-half", "by-seven"])
@pytest.mark.parametrize("size", [(1001, 601), (997, 40)], ids=["wide", "narrow"])
def test_a_shrunk_picture_shows_the_same_in_the_same_place(longest: int, size: tuple[int, int], tmp_path: Path) -> None:
    """A bright rectangle and two slopes: its sides are where they were, as fractions, and colours keep their order."""
    width, height = size
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 1] = np.linspace(0, 120, width)
    pixels[..., 2] = np.linspace(0, 120, height)[:, None]
    pixels[height // 4 : -height // 4, width // 8 : width // 3, 0] = 250
    Image.fromarray(pixels).save(tmp_path / "a.png")
    read = read_rgb(tmp_path / "a.png", longest)
    expected = Image.fromarray(pixels).resize(read.size, Image.Resampling.BOX)
    difference = np.abs(np.asarray(read, int) - np.asarray(expected, int))
    assert difference[..., 1:].max() <= 4
    assert difference[..., 0].mean() < 4, "the rectangle is not where it was"


@pytest.mark.parametrize(("size", "seen"), [((4000, 10), (512, 4)), ((1, 90), (4, 90)), ((4000, 400), (512, 51))])
def test_a_strip_is_never_thinner_than_training_can_scale(
    size: tuple[int, int], seen: tuple[int, int], tmp_path: Path
) -> None:
    Image.new("RGB", size, (9, 90, 190)).save(tmp_path / "a.png")
    assert read_rgb(tmp_path / "a.png", 512).size == seen


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "I;16"])
def test_every_kind_of_picture_becomes_rgb(mode: str, tmp_path: Path) -> None:
    picture = Image.new("RGB", (40, 30), (90, 90, 90))
    path = tmp_path / ("a.tif" if mode in ("CMYK", "I;16") else "a.png")
    (Image.new("I;16", (40, 30), 9000) if mode == "I;16" else picture.convert(mode)).save(path)
    assert read_rgb(path, 400).mode == "RGB"


def test_a_small_picture_is_not_enlarged(tmp_path: Path) -> None:
    _upright().save(tmp_path / "a.png")
    assert read_rgb(tmp_path / "a.png", 1000).size == (200, 120)


@pytest.mark.parametrize("content", [None, b"", b"no picture", b"\xff\xd8\xff\xe0 broken"])
def test_a_file_that_is_no_picture_is_refused_by_name(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "bad.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableImage, match=r"bad\.jpg"):
        read_rgb(path, 100)


def test_a_truncated_picture_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (300, 300, 3), dtype=np.uint8)).save(tmp_path / "a.jpg")
    data = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableImage):
        read_rgb(tmp_path / "a.jpg", 100)
