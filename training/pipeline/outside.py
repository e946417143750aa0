"""Make a detector folder out of a file from outside: an archive that holds a SavedModel, or a TFLite file.

Nothing of it is run here (see `trial`). Only the standard library and this package are imported.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.pipeline.downloads import DownloadError, unpack
from training.pipeline.translation import Phrase, gettext_noop

SAVED_MODEL = "saved_model"
_GRAPH = "saved_model.pb"


def is_tflite(file: Path) -> bool:
    """Whether a file says of itself that it is a TFLite model."""
    with file.open("rb") as opened:
        return opened.read(8)[4:] == b"TFL3"


def lay_out_tflite(file: Path, folder: Path, description: Mapping[str, Any]) -> None:
    """Fill the new `folder` with the TFLite `file`, which is moved, its description and its labels."""
    folder.mkdir(parents=True)
    file.replace(folder / "model.tflite")
    _describe(folder, description)


def lay_out(archive: Path, folder: Path, description: Mapping[str, Any]) -> None:
    """Fill the new `folder` with the SavedModel in `archive` (tar or ZIP), its description and its labels.

    Raises DownloadError where the archive is unsafe, damaged or holds no SavedModel, or several.
    """
    unpacked = folder.with_name(f"{folder.name}.unpacked")
    for left in (folder, unpacked):
        shutil.rmtree(left, ignore_errors=True)
    unpack(archive, unpacked)
    found = [path.parent for path in unpacked.rglob(_GRAPH)]
    if len(found) != 1:
        shutil.rmtree(unpacked)
        text = gettext_noop("The archive must hold one SavedModel: a folder with a file saved_model.pb.")
        raise DownloadError(Phrase(text))
    folder.mkdir(parents=True)
    found[0].replace(folder / SAVED_MODEL)
    shutil.rmtree(unpacked, ignore_errors=True)
    _describe(folder, description)


def _describe(folder: Path, description: Mapping[str, Any]) -> None:
    names = [str(label["name"]) for label in description["labels"]]
    (folder / "labels.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    (folder / "detector.json").write_text(json.dumps(description, indent=1), encoding="utf-8")
