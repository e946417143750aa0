"""The time zone of the pages without a browser's help: what TZ says where that is a zone, else the machine's."""

from pathlib import Path

import pytest

from webnet.clock import time_zone


@pytest.mark.parametrize(
    ("wanted", "own", "zone"),
    [
        ("Europe/Rome", "Asia/Tokyo", "Europe/Rome"),
        ("", "Asia/Tokyo", "Asia/Tokyo"),
        (":/etc/localtime", "Asia/Tokyo", "Asia/Tokyo"),
        ("CET-1CEST", None, "UTC"),
        ("../etc/passwd", None, "UTC"),
        ("", "Nowhere/Atall", "UTC"),
    ],
)
def test_a_zone_is_found_whatever_the_machine_says(wanted: str, own: str | None, zone: str, tmp_path: Path) -> None:
    localtime = tmp_path / "localtime"
    if own:
        localtime.symlink_to(f"/usr/share/zoneinfo/{own}")
    assert time_zone(wanted, localtime) == zone
