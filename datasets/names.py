"""Names of files that people gave, in every script, made safe to keep and pleasant to read."""

import re
import unicodedata
from pathlib import PurePosixPath

LONGEST = 500
LONGEST_FOLDER = 1000


def base_name(path: str) -> str:
    """The last part of a path of either kind of slash, composed (NFC) and without control characters."""
    return _plain(PurePosixPath(path.replace("\\", "/")).name)[-LONGEST:] or "artwork"


def folder_of(path: str) -> str:
    """The folders of a path, with slashes between them, "" where it has none: often an inventory number is in there.

    Of a very long one the last part.
    """
    parts = (_plain(part) for part in path.replace("\\", "/").split("/")[:-1])
    return "/".join(part for part in parts if part not in ("", ".", ".."))[-LONGEST_FOLDER:]


def _plain(name: str) -> str:
    printable = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFC", printable).strip()


def title_from(file_name: str) -> str:
    """A title for people: `mona_lisa-01.jpg` becomes `mona lisa 01`."""
    stem = PurePosixPath(file_name).stem
    return re.sub(r"[\s_\-]+", " ", stem).strip() or file_name
