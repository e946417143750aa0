"""Tiled pyramids of large images: written once at ingest, read a region at a time. Imports no Django.

A pyramid is one TIFF file: its page 0 is the whole image upright in sRGB, each further page half the size of the one
before, all in JPEG-compressed tiles. Reading a tile out of one takes milliseconds whatever the size of the image.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyvips

TILE = 512
_QUALITY = 88
# Decoded images are not kept: what is asked for again, the browser has.
_CACHED_OPERATIONS = 0
_OPEN_FILES = 16


@dataclass(frozen=True)
class Region:
    """A rectangle of an image in its own pixels, origin top left, and the size in pixels at which it is wanted."""

    x: int
    y: int
    width: int
    height: int
    out_width: int
    out_height: int


def write(source: Path, target: Path, *, in_srgb: Callable[[pyvips.Image], pyvips.Image]) -> None:
    """Write the pyramid of the image file `source`; `in_srgb` gives it the right colours.

    Raises pyvips.Error.
    """
    image = pyvips.Image.new_from_file(str(source), access="sequential", fail_on="error")
    orientation = image.get("orientation") if image.get_typeof("orientation") else 1
    coloured = in_srgb(image)
    if orientation in (1, 2):
        _save(_turned(coloured, orientation), target, pyramid=True, compression="jpeg", Q=_QUALITY)
        return
    # Turning needs pixels from everywhere. Out of tiles on the disk they come with little memory.
    draft = target.with_name(f"{target.name}.draft")
    _save(coloured, draft, pyramid=False, compression="none")
    pyvips.operation_block_set("VipsForeignLoadTiff", False)
    tiles = pyvips.Image.tiffload(str(draft))
    _save(_turned(tiles, orientation), target, pyramid=True, compression="jpeg", Q=_QUALITY)
    draft.unlink()


def _save(image: pyvips.Image, target: Path, **options: Any) -> None:
    tiles = {"tile": True, "tile_width": TILE, "tile_height": TILE}
    image.tiffsave(str(target), **tiles, bigtiff=True, keep="none", **options)


def _turned(image: pyvips.Image, orientation: int) -> pyvips.Image:
    """The image after this EXIF orientation."""
    marked = image.copy()
    marked.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    return marked.autorot()


def read(path: Path, region: Region) -> bytes:
    """A region of a pyramid, or of any other image file, as JPEG. Raises pyvips.Error."""
    level = _level(path, region)
    whole = _page(str(path), 0)
    across, down = level.width / whole.width, level.height / whole.height
    left, top = round(region.x * across), round(region.y * down)
    left, top = min(left, level.width - 1), min(top, level.height - 1)
    width = max(1, min(round(region.width * across), level.width - left))
    height = max(1, min(round(region.height * down), level.height - top))
    part = level.crop(left, top, width, height)
    if (width, height) != (region.out_width, region.out_height):
        part = part.resize(region.out_width / width, vscale=region.out_height / height)
    return bytes(part.jpegsave_buffer(Q=_QUALITY, keep="none"))


def size_of(path: Path) -> tuple[int, int]:
    """Width and height in pixels of the whole image."""
    whole = _page(str(path), 0)
    return whole.width, whole.height


def _level(path: Path, region: Region) -> pyvips.Image:
    """The smallest page that still has the pixels that are wanted."""
    shrink = min(region.width / region.out_width, region.height / region.out_height)
    pages = _pages(str(path))
    number = 0
    while number + 1 < pages and 2 ** (number + 1) <= shrink + 1e-6:
        number += 1
    return _page(str(path), number)


def _pages(path: str) -> int:
    whole = _page(path, 0)
    return int(whole.get("n-pages")) if whole.get_typeof("n-pages") else 1


@lru_cache(_OPEN_FILES)
def _page(path: str, number: int) -> pyvips.Image:
    """An open page. Nothing is read but its head; the path names the content, so that it never changes."""
    pyvips.cache_set_max(_CACHED_OPERATIONS)
    options = {"page": number} if number else {}
    return pyvips.Image.new_from_file(path, access="random", **options)
