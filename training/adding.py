"""Detectors that somebody has as a file: a SavedModel in an archive, or a TFLite model."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import uuid
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.utils import timezone
from django.utils.translation import gettext as _

from datasets.ingest import no_space_is_said, refuse_too_large
from datasets.models import Dataset
from datasets.refusals import Conflict, Refusal
from training import files
from training.models import Detector
from training.phrases import translated
from training.pipeline import catalogue, outside
from training.pipeline.downloads import DownloadError
from training.pipeline.translation import phrase_json
from training.trials import Unusable, make_trial

MOST_LABELS = 2000
# Side of the square for a SavedModel that takes pictures of any size.
_ANY_SIZE = 640
_TFLITE = "tflite_detection"
# One at a time: each loads a model into a process of its own.
_one = threading.Lock()


def add_detector(*, dataset: Dataset, user: Any, upload: File, name: str, labels: list[str]) -> Detector:
    """Make a detector of `dataset` out of a file, after it has looked at one picture in a process of its own.

    `labels` are the names of its classes, in order; a TFLite file that was trained with WebNet Trainer has its own.
    A SavedModel may hold operations that read and write any file of the installation, so `user` must be a superuser
    for one: anybody can be the curator of a dataset of their own.
    Raises Refusal where the file is no detector that can be used, and Conflict while another one is being tried.
    """
    refuse_too_large(upload)
    if not _one.acquire(blocking=False):
        raise Conflict(_("Another detector is being added right now. Try again in a minute."), code="busy")
    work = files.downloads_folder(f"{files.BEING_ADDED}{uuid.uuid4().hex}")
    try:
        with no_space_is_said():
            return _register(dataset, _made(work, upload, name, labels, may_all=user.is_superuser))
    except (DownloadError, Unusable) as error:
        text = translated(phrase_json(error.args[0]), str(error))
        raise Refusal(text, code="unusable") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
        _one.release()


def _made(work: Path, upload: File, name: str, labels: list[str], *, may_all: bool) -> Path:
    """The detector's folder inside of `work`, tried."""
    file, made = work / "file", work / "detector"
    work.mkdir(parents=True)
    digest = hashlib.sha256()
    with file.open("wb") as opened:
        for piece in upload.chunks():
            digest.update(piece)
            opened.write(piece)
    is_tflite = outside.is_tflite(file)
    if not is_tflite and not may_all:
        text = _("Only an administrator of this installation can add a SavedModel. You can add a TFLite file.")
        raise Refusal(text, code="not_allowed", status_code=403)
    description: dict[str, Any] = {
        "format": _TFLITE if is_tflite else catalogue.FORMAT,
        "input_size": _ANY_SIZE,
        "labels": [{"id": number, "name": label} for number, label in enumerate(labels, start=1)],
        "threshold": catalogue.THRESHOLD,
        **((outside.own_description(file) if is_tflite else None) or {}),
    }
    if not 1 <= len(description["labels"]) <= MOST_LABELS:
        text = _("Give from 1 to %(most)d labels, one a line, in the order of the detector's classes.")
        raise Refusal(text % {"most": MOST_LABELS}, code="invalid_labels")
    description |= {
        "name": name,
        "architecture": description["format"],
        "source": Path(upload.name or "").name,
        "sha256": digest.hexdigest(),
    }
    (outside.lay_out_tflite if is_tflite else outside.lay_out)(file, made, description)
    make_trial(made)
    return made


def _register(dataset: Dataset, made: Path) -> Detector:
    """Move the folder to the detectors; the row is there before, out of sight, so that the name is nobody else's."""
    description: dict[str, Any] = json.loads((made / "detector.json").read_text(encoding="utf-8"))
    known = {key: description[key] for key in ("name", "architecture", "input_size", "labels", "threshold")}
    detector = Detector.objects.create(kind=Detector.Kind.ADDED, dataset=dataset, deleted_at=timezone.now(), **known)
    detector.folder = files.added_folder(detector.pk)
    detector.deleted_at = None
    target = files.detector_folder(detector)
    target.parent.mkdir(parents=True, exist_ok=True)
    made.replace(target)
    detector.save()
    return detector
