"""Make the files that an image is looked at by: `python -m datasets.rendering SOURCE FOLDER MAX_MEGAPIXELS`.

These are the display image, the thumbnail and, of a large image, the tiled pyramid.

This runs as a process of its own with a limit on its memory, so that a hostile file can take down nothing but itself.
It imports no Django, to start within a tenth of a second. `datasets.images` calls it.

Prints one JSON object: either `format, width, height, display_width, display_height` (pixels after EXIF orientation,
`width` and `height` of the original) or `error` (empty, unsupported, truncated, too_large, unreadable, disk_full) and
`detail`.
"""

import contextlib
import json
import resource
import sys
from pathlib import Path

import pyvips

from datasets import formats, pyramids

DISPLAY_SIDE = 2560  # longest side of the display image in pixels
THUMBNAIL_SIDE = 480
MEMORY_BYTES = 3 * 1024**3  # address space; a 200-megapixel baseline JPEG resides in less than a tenth of it

LOADERS = {
    "jpeg": "VipsForeignLoadJpeg",
    "png": "VipsForeignLoadPng",
    "webp": "VipsForeignLoadWebp",
    "tiff": "VipsForeignLoadTiff",
}
SIGNS_OF_TRUNCATION = ("premature end", "truncated", "end of file", "libpng read error", "unexpected eof", "not enough")


class Refused(Exception):
    """The file is not taken in; `code` says why."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail)
        self.code = code


def format_of(source: Path) -> str:
    """Tell the format from the first bytes.

    Raises:
        Refused: the file is empty, none of the four formats, or ends before the place that its beginning names.
    """
    with source.open("rb") as file:
        head = file.read(formats.HEAD)
    if not head:
        raise Refused("empty")
    format = formats.format_of(head)
    if format is None:
        raise Refused("unsupported")
    if source.stat().st_size < formats.least_size(format, head):
        raise Refused("truncated")
    return format


def allow_only(loader: str) -> None:
    """Switch off every other loader of vips: SVG, GIF, HEIF and the rest are on by default."""
    pyvips.cache_set_max(0)
    pyvips.operation_block_set("VipsForeignLoad", True)
    pyvips.operation_block_set(loader, False)


def oriented_size(image: pyvips.Image) -> tuple[int, int]:
    """Width and height in pixels after EXIF orientation, of which 5 to 8 swap the two."""
    orientation = image.get("orientation") if image.get_typeof("orientation") else 1
    return (image.height, image.width) if orientation in (5, 6, 7, 8) else (image.width, image.height)


def display_image(source: Path, format: str) -> pyvips.Image:
    """The image upright, in sRGB with 8 bits, without alpha (on white), at most `DISPLAY_SIDE` long, in memory."""
    how = {"height": DISPLAY_SIDE, "size": "down", "output_profile": "srgb", "fail_on": "error"}
    if format == "tiff":
        # `thumbnail` would read a smaller level of a pyramid, and not notice that the full one is damaged.
        image = pyvips.Image.new_from_file(str(source), fail_on="error", access="sequential")
        small = image.thumbnail_image(DISPLAY_SIDE, **{k: v for k, v in how.items() if k != "fail_on"})
    else:
        small = pyvips.Image.thumbnail(str(source), DISPLAY_SIDE, **how)
    return plain(small).copy_memory()


def plain(image: pyvips.Image) -> pyvips.Image:
    """The image in sRGB with 8 bits and without alpha (on white); its colour profile has been applied already."""
    if image.interpretation != "srgb":
        image = image.colourspace("srgb")
    if image.hasalpha():
        image = image.flatten(background=255)
    return image.cast("uchar")


def in_srgb(image: pyvips.Image) -> pyvips.Image:
    """The image in its own size, with its colour profile applied by the same rules as the display image."""
    how = {"height": image.height, "size": "down", "no_rotate": True, "output_profile": "srgb"}
    return plain(image.thumbnail_image(image.width, **how))


def render(source: Path, folder: Path, max_megapixels: int) -> dict[str, int | str]:
    """Write `display.jpg`, `thumbnail.webp` and for a large image `pyramid.tif` into `folder`; describe the original.

    Raises:
        Refused: with the code for a file that is empty, unsupported, too large, truncated or unreadable.
    """
    format = format_of(source)
    allow_only(LOADERS[format])
    try:
        width, height = oriented_size(pyvips.Image.new_from_file(str(source), access="sequential"))
        if width * height > max_megapixels * 1_000_000:
            raise Refused("too_large", f"{width} × {height}")
        display = display_image(source, format)
        display.jpegsave(str(folder / "display.jpg"), Q=88, keep="none", optimize_coding=True, interlace=True)
        thumbnail = display.thumbnail_image(THUMBNAIL_SIDE, height=THUMBNAIL_SIDE, size="down")
        thumbnail.webpsave(str(folder / "thumbnail.webp"), Q=80, keep="none", effort=2)
        if max(width, height) > DISPLAY_SIDE:
            pyramids.write(source, folder / "pyramid.tif", in_srgb=in_srgb)
    except pyvips.Error as error:
        raise refusal_of(str(error)) from error
    return {
        "format": format,
        "width": width,
        "height": height,
        "display_width": display.width,
        "display_height": display.height,
    }


def refusal_of(complaint: str) -> Refused:
    """Tell a full disk, a file that would need too much memory and a truncated one from other damage."""
    lower = complaint.lower()
    if "no space left" in lower:
        return Refused("disk_full", complaint)
    if "out of memory" in lower or "unable to allocate" in lower:
        return Refused("too_large", complaint)
    return Refused("truncated" if any(sign in lower for sign in SIGNS_OF_TRUNCATION) else "unreadable", complaint)


def main() -> None:
    with contextlib.suppress(ValueError, OSError):  # macOS refuses any limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    source, folder, max_megapixels = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    try:
        answer: dict[str, int | str] = render(source, folder, max_megapixels)
    except Refused as refused:
        answer = {"error": refused.code, "detail": str(refused)[:500]}
    except MemoryError:
        answer = {"error": "too_large", "detail": "out of memory"}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
