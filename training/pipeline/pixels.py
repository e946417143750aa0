"""Read image files as upright RGB of a wanted size. The only module that opens pictures."""

from __future__ import annotations

import io
import os
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from training.pipeline.translation import Phrase, gettext_noop

# Scans of artworks are larger than Pillow's idea of an attack; uploads were measured against their own limit already.
Image.MAX_IMAGE_PIXELS = 500_000_000
# Whoever reads many pictures has a process or a thread for each core.
cv2.setNumThreads(1)
# Model Garden's random scaling rounds a thinner side to no pixel at all.
_LEAST_SIDE = 4
_JPEG_QUALITY = 92


class UnreadableImage(ValueError):
    """The file is missing, damaged or no picture; the message names it."""


def cores() -> int:
    """How many processor cores this process may use."""
    # macOS cannot tell which ones.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_rgb(path: Path, longest: int) -> Image.Image:
    """Read `path` as RGB with its EXIF orientation applied, shrunk so that no side exceeds `longest` pixels.

    Small pictures are not enlarged, but strips are made four pixels wide. JPEG is decoded at a fraction of its size
    where that is enough, which is several times faster. Raises UnreadableImage.
    """
    try:
        with Image.open(path) as opened:
            opened.draft("RGB", _at_least(opened.size, longest))
            ImageOps.exif_transpose(opened, in_place=True)
            upright = opened.convert("RGB") if opened.mode != "RGB" else _loaded(opened)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        text = gettext_noop("%(file)s cannot be read as a picture: %(reason)s")
        raise UnreadableImage(Phrase(text, file=path.name, reason=str(error))) from None
    shrunk = _shrunk(upright, longest)
    if min(shrunk.size) >= _LEAST_SIDE:
        return shrunk
    return shrunk.resize((max(_LEAST_SIDE, shrunk.width), max(_LEAST_SIDE, shrunk.height)))


def to_jpeg(picture: Image.Image) -> bytes:
    """An RGB picture as JPEG, its colours as fine as its light."""
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return encoded.getvalue()


def _loaded(opened: Image.Image) -> Image.Image:
    opened.load()
    return opened


def _shrunk(picture: Image.Image, longest: int) -> Image.Image:
    """Large pictures by means, those of less than twice the size bilinearly: what `draft` leaves, and quickly."""
    size = _at_least(picture.size, longest)
    if max(picture.size) <= longest:
        return picture
    if max(picture.size) >= 2 * longest:
        return picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    return Image.fromarray(cv2.resize(np.asarray(picture), size, interpolation=cv2.INTER_LINEAR))


def _at_least(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """`size` scaled to `longest` on the longer side, at least one pixel on the other."""
    scale = min(1.0, longest / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
