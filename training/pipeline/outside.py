"""Make a detector folder out of a file from outside: an archive of a SavedModel or of a checkpoint, or a TFLite file.

Nothing of it is run here (see `trial`). Only the standard library and this package are imported.
"""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from training.pipeline.architectures import FORMATS
from training.pipeline.downloads import DownloadError, unpack
from training.pipeline.translation import Phrase, gettext_noop

SAVED_MODEL = "saved_model"
_GRAPH = "saved_model.pb"
# Name of the folder of a Model Garden checkpoint, and of the checkpoint in it.
GARDEN = "garden"
_DESCRIPTION = "detector.json"
# Bytes of a description, and of an archive's table of contents, that are read.
_MOST_DESCRIBED = 1_000_000
_LARGEST_INPUT = 4096
# The last bytes of a ZIP archive without a comment: signature, four numbers, bytes and place of the table, comment.
_END = struct.Struct("<4s4H2LH")
# Bytes before these that say of a large archive (ZIP64) where its own end record is.
_LARGE_END = 20


def is_tflite(file: Path) -> bool:
    """Whether a file says of itself that it is a TFLite model."""
    with file.open("rb") as opened:
        return opened.read(8)[4:] == b"TFL3"


def own_description(file: Path) -> dict[str, Any] | None:
    """What a TFLite file that was trained with WebNet Trainer says of itself, None where it is none.

    Each is a ZIP archive too, with its detector.json. Its `labels` are numbered anew from 1. A file may be made to
    fill the memory: no more of it is read or unpacked than our own have.
    """
    try:
        described = json.loads(_inside(file, _DESCRIPTION))
        names = [" ".join(str(row["name"]).split())[:200] for row in described["labels"]]
        size, threshold = int(described["input_size"]), float(described.get("threshold") or 0)
        best = [float(row.get("threshold") or 0) for row in described["labels"]]
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return None
    fits = 1 <= size <= _LARGEST_INPUT and 0 <= threshold <= 1 and described.get("format") in FORMATS.values()
    if not fits or not names or not all(name and name.isprintable() for name in names):
        return None
    labels = [
        {"id": number, "name": name} | ({"threshold": least} if 0 < least <= 1 else {})
        for number, (name, least) in enumerate(zip(names, best, strict=True), start=1)
    ]
    return {"format": described["format"], "input_size": size, "labels": labels, "threshold": threshold or None}


def _inside(file: Path, name: str) -> bytes:
    """A small member of the ZIP archive that ends with `file`. Raises KeyError, ValueError and what `zipfile` does."""
    with file.open("rb") as opened:
        opened.seek(-_END.size - _LARGE_END, os.SEEK_END)
        large = opened.read(_LARGE_END).startswith(b"PK\6\7")  # whose true numbers are elsewhere
        signature, *_numbers, directory, _offset, _comment = _END.unpack(opened.read())
        if large or signature != b"PK\5\6" or directory > _MOST_DESCRIBED:
            raise ValueError("no archive, or one of many members")
        with zipfile.ZipFile(opened) as archive:
            member = archive.getinfo(name)
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError("packed as ours never are")
            with archive.open(member) as inside:
                return inside.read(_MOST_DESCRIBED)


def lay_out_tflite(file: Path, folder: Path, description: Mapping[str, Any]) -> None:
    """Fill the new `folder` with the TFLite `file`, which is moved, its description and its labels."""
    folder.mkdir(parents=True)
    file.replace(folder / "model.tflite")
    _describe(folder, description)


def lay_out(archive: Path, folder: Path, description: Mapping[str, Any]) -> None:
    """Fill the new `folder` with the SavedModel in `archive` (tar or ZIP), its description and its labels.

    Raises DownloadError where the archive is unsafe, damaged or holds no SavedModel, or several.
    """
    with _unpacked(archive, folder) as unpacked:
        found = [path.parent for path in unpacked.rglob(_GRAPH)]
        if len(found) != 1:
            text = gettext_noop("The archive must hold one SavedModel: a folder with a file saved_model.pb.")
            raise DownloadError(Phrase(text))
        folder.mkdir(parents=True)
        found[0].replace(folder / SAVED_MODEL)
    _describe(folder, description)


def lay_out_checkpoint(archive: Path, folder: Path, description: Mapping[str, Any]) -> None:
    """Fill the new `folder` with the TensorFlow checkpoint in `archive` (tar or ZIP), its description and its labels.

    Of several the one with the highest number is taken, the last of a training. Raises DownloadError.
    """
    with _unpacked(archive, folder) as unpacked:
        found = sorted(unpacked.rglob("*.index"), key=lambda path: [int(n) for n in re.findall(r"\d+", path.stem)])
        if not found:
            raise DownloadError(Phrase(gettext_noop("The archive must hold a checkpoint: a file that ends in .index.")))
        (folder / GARDEN).mkdir(parents=True)
        for part in found[-1].parent.glob(f"{glob.escape(found[-1].stem)}.*"):
            part.replace(folder / GARDEN / f"{GARDEN}{part.name.removeprefix(found[-1].stem)}")
    _describe(folder, description)


@contextmanager
def _unpacked(archive: Path, folder: Path) -> Iterator[Path]:
    """What is in `archive`, in a folder beside `folder`, which is made anew; it is gone after the block."""
    unpacked = folder.with_name(f"{folder.name}.unpacked")
    for left in (folder, unpacked):
        shutil.rmtree(left, ignore_errors=True)
    unpack(archive, unpacked)
    try:
        yield unpacked
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def _describe(folder: Path, description: Mapping[str, Any]) -> None:
    names = [str(label["name"]) for label in description["labels"]]
    (folder / "labels.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    (folder / _DESCRIPTION).write_text(json.dumps(description, indent=1), encoding="utf-8")
