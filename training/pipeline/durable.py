"""Files whose mere existence is trusted by whoever goes on: written whole or not at all, also where the power goes."""

from __future__ import annotations

import os
from pathlib import Path


def write(path: Path, data: str | bytes) -> None:
    """Write all of `data` (text as UTF-8) to `path`, or leave what was there.

    Raises OSError, as where the disk is full.
    """
    partial = path.with_name(f"{path.name}.part")
    try:
        with partial.open("wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
