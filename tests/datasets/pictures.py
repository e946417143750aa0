"""Pictures of every kind for tests: red, with a blue top left quarter, 60 × 40 pixels."""

import struct
import zlib
from pathlib import Path

import pyvips

RED, BLUE = [200, 40, 30], [20, 60, 200]
SIZE = (60, 40)


def picture(width: int = SIZE[0], height: int = SIZE[1]) -> pyvips.Image:
    plain = pyvips.Image.black(width, height) + RED
    marked = plain.cast("uchar").copy(interpretation="srgb")
    return marked.draw_rect(BLUE, 0, 0, width // 2, height // 2, fill=True)


def oriented(orientation: int) -> pyvips.Image:
    """The picture with an EXIF orientation, its pixels as they were."""
    image = picture().copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    return image


def blue_corner(path: Path) -> str:
    """Where the blue quarter is in an image file: `top left`, `top right`, `bottom left` or `bottom right`."""
    image = pyvips.Image.new_from_buffer(path.read_bytes(), "")
    found = []
    for vertical, y in (("top", 3), ("bottom", image.height - 4)):
        for horizontal, x in (("left", 3), ("right", image.width - 4)):
            red, _green, blue = image.getpoint(x, y)
            if blue > red:
                found.append(f"{vertical} {horizontal}")
    return ", ".join(found)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims to be huge and has almost no data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )
