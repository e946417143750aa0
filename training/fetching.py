"""Detectors of the catalogue: what there is, and fetching one when somebody wants it.

The work folder of a download is outside of where detectors are looked for; the last step moves the finished detector
there, so that nobody ever meets half of one.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import close_old_connections, transaction
from django.utils.translation import gettext as _

from datasets.refusals import Conflict, Refusal
from training import files, services, turns
from training.models import Detector, Fetch, Run
from training.phrases import translated
from training.pipeline import catalogue
from training.pipeline.catalogue import CATALOGUE, CatalogueDetector
from training.pipeline.downloads import DownloadError, download
from training.pipeline.outside import lay_out, lay_out_checkpoint
from training.pipeline.supervision import Stopped, only_one
from training.pipeline.translation import phrase_json
from training.supervision import AWAY
from training.trials import DoesNotRun, Unusable, make_trial

State = Run.State
# How often the row says how far it is.
_TELL_SECONDS = 0.5


def catalogue_json() -> list[dict[str, Any]]:
    """Every detector of the catalogue and how far it is on its way here; in two queries."""
    fetches = {fetch.key: fetch for fetch in Fetch.objects.with_seen_state()}
    there = _there()
    return [_row(entry, fetches.get(entry.key), there.get(_folder(entry.key))) for entry in CATALOGUE.values()]


def _there() -> dict[str, int]:
    """The ids of the detectors that were fetched and whose files are here, by folder."""
    folder = f"{files.FETCHED}/"
    rows = Detector.objects.present().filter(kind=Detector.Kind.PRETRAINED, folder__startswith=folder)
    known = rows.values_list("folder", "pk")
    return {name: detector for name, detector in known if _is_whole(files.detectors_folder() / name)}


def _is_whole(folder: Path) -> bool:
    return (folder / "detector.json").is_file()


def _row(entry: CatalogueDetector, fetch: Fetch | None, detector_id: int | None) -> dict[str, Any]:
    state = fetch.seen_state if fetch else ""
    done, total = (fetch.done_bytes, fetch.total_bytes) if fetch else (0, 0)
    return {
        "key": entry.key,
        "title": entry.title,
        "suited": _(entry.suited),
        "coco_ap": entry.coco_ap,
        "input_size": entry.input_size,
        "license": entry.license,
        "state": state,
        "active": state in (State.QUEUED, State.RUNNING),
        "checking": state == State.RUNNING and 0 < total == done,
        "message": translated(fetch.phrase, fetch.message) if fetch else "",
        "done": done,
        "total": total,
        "detector": detector_id,
    }


def start_fetch(*, key: str, user: Any) -> None:
    """Hand a detector of the catalogue to the queue. Raises Refusal (404), and Conflict where it is here or coming."""
    _entry(key)
    if _folder(key) in _there():
        raise Conflict(_("This detector is here already. Reload the page."), code="there")
    with transaction.atomic():
        fetch, created = Fetch.objects.get_or_create(key=key, defaults={"created_by": user})
        fresh = {"state": State.QUEUED, "message": "", "phrase": {}, "cancel_requested": False, "created_by": user}
        fresh |= {"done_bytes": 0, "total_bytes": 0}  # until it is known what an earlier try left
        if not created and not Fetch.objects.idle().filter(pk=fetch.pk).update(**fresh):
            raise Conflict(_("This detector is being fetched already."), code="busy")
        turns.send(fetch)


def cancel_fetch(*, key: str) -> None:
    """End a waiting fetch, or one whose worker is gone, at once; ask the worker of a running one to stop.

    What has arrived is kept. Raises Refusal (404), and Conflict where nothing is on.
    """
    _entry(key)
    fetches = Fetch.objects.filter(key=key)
    waiting = fetches.filter(state=State.QUEUED) | (fetches & Fetch.objects.idle()).filter(state=State.RUNNING)
    if waiting.update(state=State.CANCELLED):
        return
    if not fetches.filter(state=State.RUNNING).update(cancel_requested=True):
        raise Conflict(_("This detector is not being fetched."), code="ended")


def end(fetch_id: int, worker: str, state: State, message: str = "") -> None:
    """End a fetch that `worker` holds."""
    told = {"message": message[:1000], "phrase": phrase_json(message)}
    Fetch.objects.filter(pk=fetch_id, worker=worker, state=State.RUNNING).update(state=state, **told)


def fetch(fetch: Fetch, worker: str) -> Detector:
    """Download, unpack, try and register a detector. Raises DownloadError, Unusable, Busy and Stopped."""
    entry = _entry(fetch.key)
    work, final = files.downloads_folder(entry.key), files.detectors_folder() / _folder(entry.key)
    work.mkdir(parents=True, exist_ok=True)
    beat = _Beat(fetch, worker)
    with only_one(work / "lock"):
        # Another database that uses this data folder may have fetched it.
        if not _is_whole(final):
            made = work / "detector"
            url = entry.address(settings.ZOO_URL)
            archive = work / url.rpartition("/")[2]
            sha256 = download(url, archive, sha256=entry.sha256, on_progress=beat.progress, go_on=beat.go_on)
            beat.arrived(archive.stat().st_size)
            try:
                lay = lay_out_checkpoint if entry.architecture else lay_out
                lay(archive, made, catalogue.description(entry, sha256, url))
                make_trial(made, beat.go_on)
            except DoesNotRun:
                raise  # with less going on it may: what has arrived is kept
            except (DownloadError, Unusable):
                # The next try shall not go on with what is no use.
                shutil.rmtree(work)
                raise
            shutil.rmtree(final, ignore_errors=True)
            final.parent.mkdir(parents=True, exist_ok=True)
            made.replace(final)
        detector = services.register_folder(final, _folder(entry.key))
        shutil.rmtree(work, ignore_errors=True)
    end(fetch.pk, worker, State.DONE)
    return detector


class _Beat:
    """Keeps the lease and says how far a fetch is, a few times a second; notices that it was cancelled."""

    def __init__(self, fetch: Fetch, worker: str) -> None:
        self._fetch_id, self._worker = fetch.pk, worker
        self._told, self._wanted = 0.0, True
        self._news: dict[str, int] = {}

    def progress(self, done: int, total: int) -> None:
        self._news = {"done_bytes": done, "total_bytes": total}

    def arrived(self, size: int) -> None:
        """Everything is here. Raises Stopped where that is no longer wanted."""
        self.progress(size, size)
        self._told = 0.0
        if not self.go_on():
            raise Stopped

    def go_on(self) -> bool:
        if time.monotonic() - self._told > _TELL_SECONDS:
            self._told = time.monotonic()
            try:
                self._wanted = Fetch.objects.keep_alive(self._fetch_id, self._worker, **self._news)
            except AWAY:
                close_old_connections()  # what arrives meanwhile is kept, and the next look may be answered
        return self._wanted


def _entry(key: str) -> CatalogueDetector:
    if key not in CATALOGUE:
        raise Refusal(_("The catalogue knows no such detector. Reload the page."), code="unknown", status_code=404)
    return CATALOGUE[key]


def _folder(key: str) -> str:
    """The name of a fetched detector's folder among the detectors."""
    return f"{files.FETCHED}/{key}"
