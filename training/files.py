"""Where the files of runs and detectors lie.

Images are in Django's storage and may be on another machine; trainers need them as local files. Run folders and
detectors are local, or on a mount that all machines share.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from functools import cache
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.migrations.recorder import MigrationRecorder

from datasets import storing
from training.models import Detector
from training.pipeline.config import CHECKPOINT

# A detector's folder also holds a SavedModel, which is a folder: it is downloaded as one ZIP.
SAVED_MODEL = "saved_model"
SAVED_MODEL_ZIP = "saved_model.zip"
# TensorBoard's event files, in a run's work folder and in a detector's.
SUMMARIES = "summaries"
# Where among the detectors those are kept that were fetched.
FETCHED = "fetched"


@cache
def database_key() -> str:
    """Eight characters that no other database has: runs are numbered from 1 in each.

    A data folder that is used with another database later keeps what the first one's runs left, untouched.
    """
    first = MigrationRecorder.Migration.objects.order_by("pk").values_list("applied", flat=True).first()
    return hashlib.sha256(str(first).encode()).hexdigest()[:8]


def run_folder(run_id: int) -> Path:
    """The work folder of a run."""
    return Path(settings.RUNS_DIR) / f"{database_key()}-{run_id}"


def summaries_folder(run_id: int) -> Path | None:
    """What TensorBoard shows of a training: in its work folder or, once that is gone, with its detector."""
    for folder in (run_folder(run_id), _kept_folder(run_id)):
        if (folder / SUMMARIES).is_dir():
            return folder / SUMMARIES
    return None


def detectors_folder() -> Path:
    """Where the detectors that were trained here are kept, one folder each."""
    return Path(settings.DATA_DIR) / "detectors"


def detector_folder(detector: Detector) -> Path:
    """The folder of a detector's model files."""
    packaged = detector.kind == Detector.Kind.PRETRAINED and not is_fetched(detector)
    return (Path(settings.WEIGHTS_DIR) if packaged else detectors_folder()) / detector.folder


def is_fetched(detector: Detector) -> bool:
    """Whether a detector was fetched out of the catalogue, and did not come with the installation."""
    return detector.folder.startswith(f"{FETCHED}/")


# How the folders in that of downloads begin in which a file is being made a detector.
BEING_ADDED = "file-"
# … and those in which a file is being made out of one.
BEING_CONVERTED = "onnx-"


def downloads_folder(key: str) -> Path:
    """Where the detector called `key` in the catalogue arrives and is unpacked, before anybody can use it."""
    return Path(settings.DATA_DIR) / "downloads" / key


def detector_files(detector: Detector) -> dict[str, int]:
    """Name → bytes of the files that can be downloaded; empty where the folder is gone."""
    folder = detector_folder(detector)
    if not folder.is_dir():
        return {}
    return {entry.name: entry.stat().st_size for entry in sorted(folder.iterdir()) if entry.is_file()}


def added_folder(detector_id: int) -> str:
    """The name among the detectors of one that was added as a file."""
    return f"{database_key()}-added-{detector_id}"


def can_go_on_from(detector: Detector) -> bool:
    """Whether a detector's folder holds the weights that a training can go on from."""
    return (detector_folder(detector) / f"{CHECKPOINT}.index").is_file()


def keep_detector(made: Path, run_id: int) -> str:
    """Move the folder that a training left behind to where detectors are kept; return its name there.

    What TensorBoard shows of the training goes along, since the rest of the work folder is removed. A rerun of the last
    step finds it already moved.
    """
    kept = _kept_folder(run_id)
    if made.is_dir():
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(kept, ignore_errors=True)
        _zip_saved_model(made)
        if (made.parent / SUMMARIES).is_dir():
            shutil.copytree(made.parent / SUMMARIES, made / SUMMARIES, dirs_exist_ok=True)
        shutil.move(made, kept)
    if not kept.is_dir():
        raise FileNotFoundError(f"The training left no detector in {made}.")
    return kept.name


def _kept_folder(run_id: int) -> Path:
    return detectors_folder() / f"{database_key()}-run-{run_id}"


def _zip_saved_model(folder: Path) -> None:
    if (folder / SAVED_MODEL).is_dir():
        shutil.make_archive(str(folder / SAVED_MODEL), "zip", folder / SAVED_MODEL)


def fetch_image(stored: str, target: Path) -> None:
    """Make the stored file `stored` available as the local file `target`, without a copy where that is possible."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # Remote storage has no paths, and not every file system has links, least of all to another one: then a copy.
    with contextlib.suppress(NotImplementedError, OSError):
        os.link(default_storage.path(stored), target)
        return
    storing.download(stored, target)
