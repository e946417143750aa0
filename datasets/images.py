"""Take an image file in: the only door through which pixels come, and what is said when one is refused."""

import errno
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from datasets.refusals import Refusal

SECONDS = 180  # a 400-megapixel PNG takes about ten on a slow laptop


@dataclass(frozen=True)
class Rendering:
    """What is known of an image after its display image and thumbnail have been made; pixels, after orientation."""

    format: str
    width: int
    height: int
    display_width: int
    display_height: int


class UnreadableImage(Refusal):
    """400: a file that cannot be taken in; `code` is empty, unsupported, truncated, too_large, unreadable, timeout."""

    def __init__(self, code: str) -> None:
        super().__init__(_message(code), code=code)


def _message(code: str) -> str:
    messages = {
        "empty": _("The file is empty. Copy it again from where it came from."),
        "unsupported": _("This is not a JPEG, PNG, WebP or TIFF image. Save it as one of these and add it again."),
        "truncated": _("The file is cut off: its end is missing. Copy it again from where it came from."),
        "too_large": _("The image has more than %(limit)d megapixels. Save it smaller and add it again."),
        "timeout": _("The image took too long to read. Save it again in another format and add that."),
    }
    unreadable = _("The image is damaged or of an unusual kind. Open it in an image editor and save it again.")
    return messages.get(code, unreadable) % {"limit": settings.MAX_MEGAPIXELS}


def render(source: Path, folder: Path) -> Rendering:
    """Write the files of the image `source` into `folder`, in a process of its own.

    They are `display.jpg`, `thumbnail.webp` and, if the image is large, `pyramid.tif`.

    Raises:
        UnreadableImage: nothing usable was written.
        OSError: the disk is full.
    """
    command = [sys.executable, "-m", "datasets.rendering", str(source), str(folder), str(settings.MAX_MEGAPIXELS)]
    try:
        child = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False, cwd=settings.BASE_DIR)
    except subprocess.TimeoutExpired:
        raise UnreadableImage("timeout") from None
    answer = _answer(child.stdout)
    if answer.get("error") == "disk_full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if "error" in answer:
        raise UnreadableImage(str(answer["error"]))
    return Rendering(**answer)


def _answer(printed: bytes) -> dict[str, Any]:
    """The child's last line; a child that died without one met a file that is hostile or damaged."""
    try:
        return dict(json.loads(printed.splitlines()[-1]))
    except (IndexError, ValueError):
        return {"error": "unreadable"}
