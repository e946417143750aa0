"""What runs and deleted detectors leave in the data folder, and its removal."""

from __future__ import annotations

import contextlib
import shutil
from datetime import datetime
from pathlib import Path

from django.conf import settings

from training import files
from training.models import Detector, Run


def remove_leftovers(before: datetime) -> int:
    """Remove what this database's runs left in the data folder and nobody needs; return how many folders.

    That is the folders of runs that are gone or ended before then, of detectors deleted before then, and of files that
    were being added as a detector then, or made out of one, when the process was killed.
    """
    key = files.database_key()
    kept = set(Run.objects.exclude(finished_at__lt=before).values_list("pk", flat=True))
    gone = [folder for run_id, folder in _numbered(Path(settings.RUNS_DIR), f"{key}-") if run_id not in kept]
    for run_id, folder in _numbered(files.detectors_folder(), f"{key}-run-"):
        detector = Detector.objects.filter(folder=folder.name, kind=Detector.Kind.TRAINED).first()
        # A run without a detector may be just about to register it.
        out_of_use = detector is not None and detector.deleted_at is not None and detector.deleted_at < before
        if out_of_use or not Run.objects.filter(pk=run_id).exists():
            gone.append(folder)
    for detector_id, folder in _numbered(files.detectors_folder(), f"{key}-added-"):
        added = Detector.objects.filter(pk=detector_id, kind=Detector.Kind.ADDED)
        if not added.exists() or added.filter(deleted_at__lt=before).exists():
            gone.append(folder)
    downloads = files.downloads_folder("")
    for folder in [*downloads.glob(f"{files.BEING_ADDED}*"), *downloads.glob(f"{files.BEING_CONVERTED}*")]:
        with contextlib.suppress(FileNotFoundError):  # added in this moment
            gone += [folder] if folder.stat().st_mtime < before.timestamp() else []
    for folder in gone:
        shutil.rmtree(folder, ignore_errors=True)
    return len(gone)


def _numbered(folder: Path, prefix: str) -> list[tuple[int, Path]]:
    """The folders inside `folder` that are called `prefix` and a number, with their numbers."""
    inside = list(folder.iterdir()) if folder.is_dir() else []
    names = [(path.name.removeprefix(prefix), path) for path in inside if path.name.startswith(prefix)]
    return [(int(name), path) for name, path in names if name.isdecimal()]


def remove_work_folder(run_id: int) -> None:
    """Delete what a finished run no longer needs: its images, records and checkpoints."""
    shutil.rmtree(files.run_folder(run_id), ignore_errors=True)
