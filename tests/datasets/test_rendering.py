"""What comes out of every kind of image file, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pyvips

from datasets import images, ingest, rendering
from tests.datasets.pictures import BLUE, RED, SIZE, blue_corner, oriented, picture, png_header

CORNERS = {
    1: "top left",
    2: "top right",
    3: "bottom right",
    4: "bottom left",
    5: "top left",
    6: "top right",
    7: "bottom right",
    8: "bottom left",
}


@pytest.fixture
def rendered(tmp_path: Path) -> Callable[[bytes], images.Rendering]:
    """Render bytes; the results lie in `tmp_path`."""

    def render(data: bytes) -> images.Rendering:
        source = tmp_path / "source"
        source.write_bytes(data)
        return images.render(source, tmp_path)

    return render


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_applies_every_exif_orientation_once(orientation: int, suffix: str, rendered: Any, tmp_path: Path) -> None:
    result = rendered(oriented(orientation).write_to_buffer(suffix))
    size = SIZE if orientation < 5 else SIZE[::-1]
    display = pyvips.Image.new_from_buffer((tmp_path / "display.jpg").read_bytes(), "")
    assert (result.width, result.height) == size == (display.width, display.height)
    assert display.get_typeof("orientation") == 0
    assert blue_corner(tmp_path / "display.jpg") == CORNERS[orientation] == blue_corner(tmp_path / "thumbnail.webp")


KINDS = {
    "16-bit RGB PNG": lambda: picture().colourspace("rgb16").pngsave_buffer(),
    "16-bit RGB TIFF": lambda: picture().colourspace("rgb16").tiffsave_buffer(),
    "Lab TIFF": lambda: picture().colourspace("lab").tiffsave_buffer(),
    "float TIFF": lambda: picture().colourspace("scrgb").tiffsave_buffer(),
    "palette PNG": lambda: picture().pngsave_buffer(palette=True),
    "Display P3 JPEG": lambda: picture().icc_transform("p3", input_profile="srgb").jpegsave_buffer(Q=95),
    "tiled JPEG TIFF": lambda: picture().tiffsave_buffer(compression="jpeg", tile=True, pyramid=True),
    "TIFF of two pages": lambda: picture().join(picture().invert(), "vertical").tiffsave_buffer(page_height=40),
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_keeps_the_colours_of_unusual_kinds(kind: str, rendered: Any, tmp_path: Path) -> None:
    result = rendered(KINDS[kind]())
    display = pyvips.Image.new_from_buffer((tmp_path / "display.jpg").read_bytes(), "")
    assert (result.width, result.height) == SIZE
    assert display.getpoint(5, 5) == pytest.approx(BLUE, abs=8)
    assert display.getpoint(50, 30) == pytest.approx(RED, abs=8)


def test_it_converts_cmyk_by_its_profile(rendered: Any, tmp_path: Path) -> None:
    rendered(picture().icc_transform("cmyk", input_profile="srgb").jpegsave_buffer(Q=95))
    display = pyvips.Image.new_from_buffer((tmp_path / "display.jpg").read_bytes(), "")
    assert display.bands == 3
    assert display.getpoint(50, 30) == pytest.approx(RED, abs=20)


def test_it_does_not_clip_16_bit_grey(rendered: Any, tmp_path: Path) -> None:
    grey = (pyvips.Image.black(60, 40) + 32768).cast("ushort").copy(interpretation="grey16")
    rendered(grey.pngsave_buffer())
    display = pyvips.Image.new_from_buffer((tmp_path / "display.jpg").read_bytes(), "")
    assert display.getpoint(5, 5) == pytest.approx([128] * 3, abs=2)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_it_puts_what_is_transparent_on_white(suffix: str, rendered: Any, tmp_path: Path) -> None:
    clear = picture().bandjoin(pyvips.Image.black(*SIZE).cast("uchar")).copy(interpretation="srgb")
    rendered(clear.write_to_buffer(suffix))
    display = pyvips.Image.new_from_buffer((tmp_path / "display.jpg").read_bytes(), "")
    assert display.getpoint(50, 30) == pytest.approx([255] * 3, abs=2)


def test_it_makes_large_images_smaller_and_leaves_small_ones_alone(rendered: Any) -> None:
    large = rendered(picture(3000, 1500).jpegsave_buffer())
    assert (large.width, large.height) == (3000, 1500)
    assert (large.display_width, large.display_height) == (2560, 1280)
    small = rendered(picture().jpegsave_buffer())
    assert (small.display_width, small.display_height) == SIZE


def cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


NOISE = pyvips.Image.gaussnoise(60, 40, mean=128, sigma=40).cast("uchar").copy(interpretation="b-w")
REFUSED = {
    "empty": ("empty", b""),
    "text under another name": ("unsupported", b"This is no picture."),
    "GIF": ("unsupported", picture().gifsave_buffer()),
    "SVG": ("unsupported", b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
    "SVG behind the sign of a JPEG": ("unreadable", b"\xff\xd8\xff" + b"<svg/>" * 20),
    "HTML behind the sign of a PNG": ("unreadable", b"\x89PNG\r\n\x1a\n<script>" + b"x" * 200),
    "cut off JPEG": ("truncated", cut(NOISE.jpegsave_buffer())),
    "cut off PNG": ("truncated", cut(NOISE.pngsave_buffer())),
    "cut off WebP": ("truncated", cut(NOISE.webpsave_buffer())),
    "cut off TIFF": ("truncated", cut(NOISE.tiffsave_buffer())),
    "huge header": ("too_large", png_header(60_000, 60_000)),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_it_refuses_with_a_code_and_a_sentence(kind: str, rendered: Any, tmp_path: Path) -> None:
    code, data = REFUSED[kind]
    with pytest.raises(images.UnreadableImage) as refused:
        rendered(data)
    assert refused.value.get_codes() == code
    assert str(refused.value.detail).endswith(".")
    assert not (tmp_path / "thumbnail.webp").exists()


def test_it_refuses_what_takes_too_long(rendered: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "SECONDS", 0.001)
    with pytest.raises(images.UnreadableImage) as refused:
        rendered(picture().jpegsave_buffer())
    assert refused.value.get_codes() == "timeout"


def test_a_full_disk_is_not_the_image_s_fault(rendered: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rendering.refusal_of("unable to write: No space left on device").code == "disk_full"
    monkeypatch.setattr(images, "_answer", lambda printed: {"error": "disk_full", "detail": ""})
    with pytest.raises(OSError, match="No space left"):
        rendered(picture().jpegsave_buffer())


def test_a_child_that_dies_is_a_damaged_image(rendered: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images.sys, "executable", "/bin/false")
    with pytest.raises(images.UnreadableImage) as refused:
        rendered(picture().jpegsave_buffer())
    assert refused.value.get_codes() == "unreadable"


@pytest.mark.parametrize(
    ("given", "kept", "title"),
    [
        ("mona_lisa-01.jpg", "mona_lisa-01.jpg", "mona lisa 01"),
        ("Sala 1/Дева Мария.jpeg", "Дева Мария.jpeg", "Дева Мария"),
        ("C:\\Scans\\神奈川沖浪裏.tif", "神奈川沖浪裏.tif", "神奈川沖浪裏"),
        ("مریم\x00.png", "مریم.png", "مریم"),
        ("Cafe\u0301.jpg", "Caf\u00e9.jpg", "Caf\u00e9"),
        ("../../etc/passwd", "passwd", "passwd"),
        ("___.jpg", "___.jpg", "___.jpg"),
        ("", "artwork", "artwork"),
    ],
)
def test_it_keeps_names_of_every_script(given: str, kept: str, title: str) -> None:
    assert ingest.names.base_name(given) == kept
    assert ingest.names.title_from(kept) == title


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("recto.jpg", ""),
        ("INV-0001/recto.jpg", "INV-0001"),
        ("C:\\Scans\\Sala 1\\a.tif", "C:/Scans/Sala 1"),
        ("/../etc/./Cafe\u0301\x00/a.jpg", "etc/Caf\u00e9"),
        (f"{'a' * 900}/{'b' * 900}/c.jpg", f"{'a' * 99}/{'b' * 900}"),
        ("", ""),
    ],
)
def test_it_keeps_the_folders(given: str, kept: str) -> None:
    assert ingest.names.folder_of(given) == kept
