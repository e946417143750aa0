"""The ONNX file of a detector: made when somebody first asks for it, and kept with the detector's other files.

It is made in a folder of downloads; its process moves the finished file to the detector, so nobody meets half of one.
"""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
from pathlib import Path
from typing import Any

from django.db import close_old_connections, transaction
from django.utils.translation import gettext as _

from datasets.refusals import Conflict
from training import files, turns
from training.models import Conversion, Detector, Run, TrainingRun
from training.phrases import translated
from training.pipeline.architectures import ARCHITECTURES, ONNX
from training.pipeline.supervision import only_one
from training.pipeline.translation import phrase_json
from training.supervision import AWAY
from training.trials import Unusable, carry_out

State = Run.State
# As in `pipeline.checks`, which would load TFLite here.
MOST_PICTURES = 64
_log = logging.getLogger(__name__)


def onnx_json(detector: Detector) -> dict[str, Any]:
    """How far the ONNX file of a detector is: `there`, or `offered` to whoever asks, or `active`ly being made.

    `message` says why the last try failed, or why none can be made. One query.
    """
    there = (files.detector_folder(detector) / ONNX).is_file()
    row = None if there else Conversion.objects.with_seen_state().filter(detector=detector).first()
    state = row.seen_state if row else ""
    active = state in (State.QUEUED, State.RUNNING)
    why_not = "" if there or active else _why_not(detector)
    said = translated(row.phrase, row.message) if row and not active else ""
    offered = not (there or active or why_not)
    return {"there": there, "offered": offered, "active": active, "state": state, "message": why_not or said}


def is_offered(detector: Detector) -> bool:
    """Whether its ONNX file is not there and can be made. No query."""
    return not (files.detector_folder(detector) / ONNX).is_file() and not _why_not(detector)


def _why_not(detector: Detector) -> str:
    """Why no ONNX file can be made of a detector; empty where it can."""
    known = ARCHITECTURES.get(detector.architecture)
    if detector.kind != Detector.Kind.TRAINED or known is None:
        return _("No ONNX file can be made of this detector: it was not trained here.")
    if known.looks > 1:
        return _(
            "No ONNX file can be made of a Faster R-CNN: the converter (tf2onnx) knows no suppression in which each"
            " concept has boxes of its own."
        )
    if not (files.detector_folder(detector) / files.SAVED_MODEL).is_dir():
        return _("No ONNX file can be made of this detector: its SavedModel is gone.")
    return ""


def start_conversion(*, detector: Detector, user: Any) -> None:
    """Hand the making of the ONNX file to the queue, unless somebody has. Raises Conflict where there is nothing to do.

    Whoever asks while it is being made gets the same file: that is no error.
    """
    if (files.detector_folder(detector) / ONNX).is_file():
        raise Conflict(_("The ONNX file is here already. Reload the page."), code="there")
    if why_not := _why_not(detector):
        raise Conflict(why_not, code="not_convertible")
    with transaction.atomic():
        row, created = Conversion.objects.get_or_create(detector=detector, defaults={"created_by": user})
        fresh = {"state": State.QUEUED, "message": "", "phrase": {}, "created_by": user}
        if created or Conversion.objects.idle().filter(pk=row.pk).update(**fresh):
            turns.send(row)


def end(conversion_id: int, worker: str, state: State, message: str = "") -> None:
    """End a conversion that `worker` holds."""
    told = {"message": message[:1000], "phrase": phrase_json(message)}
    Conversion.objects.filter(pk=conversion_id, worker=worker, state=State.RUNNING).update(state=state, **told)


def convert(conversion: Conversion, worker: str) -> None:
    """Have the file made in a process of its own. Raises Unusable, Busy, Stopped, and OSError as of a full disk."""
    detector = conversion.detector
    work = files.downloads_folder(f"{files.BEING_CONVERTED}{files.database_key()}-{detector.pk}")
    work.mkdir(parents=True, exist_ok=True)
    with only_one(work / "lock"):
        try:
            request = {
                "detector": str(files.detector_folder(detector).resolve()),
                "images": _test_pictures(detector, work),
            }
            (work / "request.json").write_text(json.dumps(request), encoding="utf-8")
            carry_out("training.pipeline.onnx_file", work, lambda: _go_on(conversion.pk, worker))
        except Unusable:
            _log.warning("The ONNX file of detector %s was not made:\n%s", detector.pk, _last_words(work))
            raise
        finally:
            shutil.rmtree(work, ignore_errors=True)
    end(conversion.pk, worker, State.DONE)


def _go_on(conversion_id: int, worker: str) -> bool:
    try:
        return Conversion.objects.keep_alive(conversion_id, worker)
    except AWAY:
        close_old_connections()
        return True  # the next look may be answered


def _test_pictures(detector: Detector, work: Path) -> list[dict[str, Any]]:
    """Artworks that the detector was tested on, and what people had drawn there when it was trained.

    Those whose files are gone are left out; all are where the training is gone.
    """
    trainings = TrainingRun.objects.select_related("snapshot")
    run = trainings.get(pk=detector.run_id) if detector.run_id else None
    rows = [row for row in run.snapshot.manifest.get("artworks", ()) if row["split"] == "test"] if run else []
    images = []
    for row in rows[:MOST_PICTURES]:
        path = work / "images" / f"{row['sha256']}.jpg"
        with contextlib.suppress(FileNotFoundError):
            stored = f"artworks/{detector.dataset_id}/{row['sha256'][:2]}/{row['sha256']}/display.jpg"
            files.fetch_image(stored, path)
            size = {"width": row["width"], "height": row["height"]}
            images.append({"file": str(path.resolve()), **size, "boxes": row["boxes"]})
    return images


def _last_words(work: Path) -> str:
    """The end of what the process and its libraries said."""
    logs = [work / name for name in ("process.log", "onnx.log")]
    return "".join(log.read_text(encoding="utf-8", errors="replace")[-2000:] for log in logs if log.is_file())
