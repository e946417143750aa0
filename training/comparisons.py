"""Two detectors on the artworks that both were tested on, by AP: worked out once, in a process of its own."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import cache

from training.files import detector_folder
from training.models import Detector

# Where `training.pipeline.compare` has put all detections; that module itself would load pycocotools here.
DETECTIONS = Path("tested", "detections.json.gz")
# Two thousand test artworks with a hundred detections each take twelve seconds on an idle machine.
SECONDS = 60
# Nothing of it ever changes; what nobody looks at any more need not be kept.
KEPT_SECONDS = 30 * 24 * 3600
# One at a time: for 2,000 artworks a process takes 350 MB and a core.
_one = threading.Lock()
_log = logging.getLogger(__name__)

Scores = dict[str, Any]


def scores_of(
    detectors: Sequence[Detector], artworks: Sequence[int], labels: Sequence[dict[str, Any]]
) -> list[Scores] | None:
    """AP and AP50 of two detectors on these test artworks and `labels` ({"label", "name"}): in all, and `per_label`.

    None where one was trained by an earlier version, which did not keep its detections, or where it cannot be done now.
    """
    folders = [detector_folder(detector) for detector in detectors]
    if not all((folder / DETECTIONS).is_file() for folder in folders) or not artworks or not labels:
        return None
    made = [(folder / DETECTIONS).stat().st_mtime_ns for folder in folders]
    key = ":".join(["compared", *(str(detector.pk) for detector in detectors), *map(str, made)])
    known: list[Scores] | None = cache.get(key)
    if known is None:
        request = {"folders": [str(folder.resolve()) for folder in folders], "artworks": list(artworks)}
        known = _worked_out({**request, "labels": list(labels)})
        if known is not None:
            cache.set(key, known, KEPT_SECONDS)
    return known


def _worked_out(request: dict[str, Any]) -> list[Scores] | None:
    if not _one.acquire(timeout=SECONDS):
        return None
    try:
        command = [sys.executable, "-m", "training.pipeline.compare"]
        options: dict[str, Any] = {"capture_output": True, "text": True, "check": True, "cwd": settings.BASE_DIR}
        child = subprocess.run(command, input=json.dumps(request), timeout=SECONDS, **options)
        return list(json.loads(child.stdout.splitlines()[-1])["scores"])
    except (subprocess.SubprocessError, OSError, ValueError, LookupError) as error:
        _log.warning("Two detectors could not be compared: %s", getattr(error, "stderr", None) or error)
        return None
    finally:
        _one.release()
