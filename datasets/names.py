"""Names of files that people gave, in every script, made safe to keep and pleasant to read."""

import re
import unicodedata
from pathlib import PurePosixPath

LONGEST = 500


def base_name(path: str) -> str:
    """The last part of a path of either kind of slash, composed (NFC) and without control characters."""
    last = PurePosixPath(path.replace("\\", "/")).name
    printable = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFC", printable).strip()[-LONGEST:] or "artwork"


def title_from(file_name: str) -> str:
    """A title for people: `mona_lisa-01.jpg` becomes `mona lisa 01`."""
    stem = PurePosixPath(file_name).stem
    return re.sub(r"[\s_\-]+", " ", stem).strip() or file_name
