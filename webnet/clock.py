"""The time zone that times are shown in where no browser knows a better one: in the admin."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

LOCALTIME = Path("/etc/localtime")
_FOLDER = "zoneinfo/"


def time_zone(wanted: str, localtime: Path = LOCALTIME) -> str:
    """The zone's name: what TZ says, else the machine's own (the target of the link `localtime`), else UTC.

    TZ may hold what only the C library understands (":/etc/localtime", "CET-1CEST"): such values count as none.
    """
    own = str(localtime.resolve()).rpartition(_FOLDER)[2] if localtime.is_symlink() else ""
    return next((name for name in (wanted, own) if _is_zone(name)), "UTC")


def _is_zone(name: str) -> bool:
    try:
        return bool(name) and bool(ZoneInfo(name))
    except (ValueError, OSError, LookupError):
        return False
