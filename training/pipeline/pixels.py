"""Read image files as upright RGB of a wanted size. The only module that opens pictures."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageOps

from training.pipeline.translation import Phrase, gettext_noop

# Scans of artworks are larger than Pillow's idea of an attack; uploads were measured against their own limit already.
Image.MAX_IMAGE_PIXELS = 500_000_000


class UnreadableImage(ValueError):
    """The file is missing, damaged or no picture; the message names it."""


def read_rgb(path: Path, longest: int) -> Image.Image:
    """Read `path` as RGB with its EXIF orientation applied, shrunk so that no side exceeds `longest` pixels.

    Small pictures are not enlarged. JPEG is decoded at a fraction of its size where that is enough, which is several
    times faster. Raises UnreadableImage.
    """
    try:
        with Image.open(path) as opened:
            opened.draft("RGB", _at_least(opened.size, longest))
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        text = gettext_noop("%(file)s cannot be read as a picture: %(reason)s")
        raise UnreadableImage(Phrase(text, file=path.name, reason=str(error))) from None
    if max(upright.size) <= longest:
        return upright
    return upright.resize(_at_least(upright.size, longest), Image.Resampling.BILINEAR, reducing_gap=2.0)


def _at_least(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """`size` scaled to `longest` on the longer side, at least one pixel on the other."""
    scale = min(1.0, longest / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
