"""Files that are trusted because they are there."""

import errno
import os
from pathlib import Path

import pytest

from tests.pipeline.shapes import artwork, make_workdir
from training.pipeline import config, durable, manifest


def test_it_writes_text_and_bytes_over_what_was_there(tmp_path: Path) -> None:
    durable.write(tmp_path / "file", "é")
    assert (tmp_path / "file").read_bytes() == b"\xc3\xa9"
    durable.write(tmp_path / "file", b"\x00")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"\x00")]


def test_a_full_disk_leaves_what_was_there_and_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [artwork(tmp_path, number, split) for number, split in enumerate(("train", "test", "train"))]
    make_workdir(tmp_path, rows[:2], steps=5)
    before = sorted(path.name for path in tmp_path.iterdir())

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        make_workdir(tmp_path, rows, steps=9)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert len(manifest.load(tmp_path).artworks) == 2
    assert config.load(tmp_path).steps == 5
