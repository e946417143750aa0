"""What the queue's workers do. Nobody imports this module: the queue names its functions by string.

A task claims a run, supervises one process of the pipeline and turns what that says into events. It may be
redelivered, killed or started twice: the claim and the lease decide who works.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone
from redis.exceptions import RedisError

from datasets.models import Artwork
from datasets.services import KEPT_AFTER_DELETION, purge
from training import converting, fetching, files, leftovers, live, services, turns
from training.models import Conversion, Fetch, InferenceRun, Run, TrainingRun
from training.pipeline import config as pipeline_config
from training.pipeline import events as pipeline_events
from training.pipeline import faults
from training.pipeline import manifest as pipeline_manifest
from training.pipeline.downloads import DownloadError
from training.pipeline.supervision import Busy, Stopped, is_held
from training.pipeline.translation import Phrase, gettext_noop
from training.residents import Visit
from training.suggesting import SuggestionWriter, seen_before
from training.supervision import AWAY, BEAT_SECONDS, Child, OnEvents, Outcome, Supervised, supervise
from training.trials import Unusable

State = Run.State
STOPPED, LOCKED = 3, 4
DAY = 24 * 3600
# The trainer gives itself a few seconds to save; a machine that is busy may need more.
LOCK_PATIENCE_SECONDS = 40.0
# A run of a whole dataset works for so long before it lets others go first.
OWN_SECONDS = 10.0
_WAITED_FOR = Phrase(gettext_noop("Somebody waits for boxes on one artwork; this run goes on right after that."))
PASSING = (*AWAY, RedisError)


def heartbeat(name: str, sent_at: float | None = None) -> None:
    """Show that a cluster takes tasks, and look for runs whose worker has died.

    `sent_at`, in seconds since 1970, tells beats apart; tasks of an earlier version have none.
    """
    folder = Path(settings.DATA_DIR) / "heartbeats"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).touch()
    if sent_at is not None:
        # By the clock of whoever waits for the answer: that of a shared folder is another one.
        os.utime(folder / name, (sent_at, sent_at))
    services.reap_stale_runs()
    _tidy_daily(folder / "tidied")


def _tidy_daily(marker: Path) -> None:
    """Once a day, remove for good what people deleted long ago."""
    if marker.exists() and time.time() - marker.stat().st_mtime < DAY:
        return
    marker.touch()
    purge()
    leftovers.remove_leftovers(timezone.now() - KEPT_AFTER_DELETION)


def turn(kind: str) -> None:
    """Do the run of this kind that has waited longest; nothing where none waits."""
    if kind == Run.Kind.TRAINING and turns.next_of(kind):
        # Not for the sake of inference, where somebody may be waiting and another run soon has its turn.
        turns.listen(kind)
    services.reap_stale_runs()
    do = {Run.Kind.TRAINING: train, Run.Kind.INFERENCE: infer}[Run.Kind(kind)]
    while run_id := turns.next_of(kind):
        if do(run_id):
            return


def train(run_id: int) -> bool:
    """Run a training to its end, from wherever an earlier try left it; False where it is not to be had."""
    worker = turns.claim(run_id)
    if not worker:
        return False
    run = TrainingRun.objects.select_related("snapshot", "dataset").get(pk=run_id)
    try:
        workdir = _prepare_training(run, _beat(run_id, worker))
        outcome = _supervise(run_id, worker, partial(Child, "training.pipeline"), workdir, _relay(run_id))
        if outcome.code == 0:
            detector = services.register_trained(run, workdir / "detector")
            live.publish(run_id, [("detector", {"id": detector.pk, "name": detector.name})])
    except _Stop:
        outcome = Outcome(STOPPED, asked_to_stop=True)
    except Exception as error:
        _fail(run_id, worker, error)
        raise
    _conclude(run_id, worker, outcome)
    return True


def infer(run_id: int) -> bool:
    """Let a detector look at every artwork of an inference run that it has not looked at yet; False as for `train`."""
    worker = turns.claim(run_id)
    if not worker:
        return False
    run = InferenceRun.objects.select_related("detector", "dataset").get(pk=run_id)
    writer = None
    try:
        workdir, total = _prepare_inference(run, _beat(run_id, worker))
        writer = SuggestionWriter(run, workdir, total, _beat(run_id, worker))
        outcome = _supervise(run_id, worker, Visit, workdir, writer.take, _until_others_wait(run))
    except _Stop:
        outcome = Outcome(STOPPED, asked_to_stop=True)
    except Exception as error:
        _fail(run_id, worker, error)
        raise
    why = _WAITED_FOR if outcome.asked_to_stop and turns.is_in_the_way(run) else ""
    _conclude(run_id, worker, outcome, writer.summary() if writer else "", why)
    return True


def fetch(fetch_id: int) -> None:
    """Fetch a detector of the catalogue, from wherever an earlier try left it, and make it usable."""
    worker = turns.worker_name()
    if not Fetch.objects.claim(fetch_id, worker):
        return
    known = Fetch.objects.get(pk=fetch_id)
    full = Phrase(gettext_noop("The disk is full. Make room, then fetch it again."))
    with _ended(partial(fetching.end, fetch_id, worker), State.CANCELLED, full):
        fetching.fetch(known, worker)


def convert(conversion_id: int) -> None:
    """Make the ONNX file that somebody has asked for."""
    worker = turns.worker_name()
    if not Conversion.objects.claim(conversion_id, worker):
        return
    known = Conversion.objects.select_related("detector").get(pk=conversion_id)
    full = Phrase(gettext_noop("The disk is full. Make room, then ask for the file again."))
    with _ended(partial(converting.end, conversion_id, worker), State.INTERRUPTED, full):
        converting.convert(known, worker)


@contextlib.contextmanager
def _ended(end: Callable[..., None], stopped: State, disk_full: Phrase) -> Iterator[None]:
    """Record how an errand ended that did not get to its end: `stopped`, refused, or failed as nobody foresaw."""
    try:
        yield
    except Stopped:
        end(stopped)
    except (DownloadError, Unusable, Busy) as error:
        end(State.FAILED, error.args[0])
    except Exception as error:
        end(State.FAILED, disk_full if faults.is_disk_full(error) else f"{type(error).__name__}: {error}")
        raise


def _until_others_wait(run: InferenceRun) -> Callable[[], bool]:
    """Whether the run may go on before those that wait. One of a whole dataset gets somewhere first, each time."""
    since = time.monotonic()
    return lambda: time.monotonic() - since < OWN_SECONDS or not turns.is_in_the_way(run)


def _supervise(
    run_id: int,
    worker: str,
    start: Callable[[Path], Supervised],
    workdir: Path,
    on_events: OnEvents,
    may_go_on: Callable[[], bool] = lambda: True,
) -> Outcome:
    """`start` a process of the pipeline in a work folder and watch over it to its end, or while it `may_go_on`.

    A process whose worker was killed may take some seconds to save its checkpoint there: it is waited for, and none is
    started beside it, which would take its time and memory only to find the folder locked.
    """

    def go_on() -> bool:
        return _go_on(run_id, worker) and may_go_on()

    deadline = time.monotonic() + LOCK_PATIENCE_SECONDS
    while True:
        outcome = Outcome(LOCKED, asked_to_stop=False)
        if not is_held(workdir / "lock"):
            outcome = supervise(start(workdir), on_events=on_events, go_on=go_on)
        if outcome.code != LOCKED or time.monotonic() > deadline or not go_on():
            return outcome
        time.sleep(1)


def _go_on(run_id: int, worker: str) -> bool:
    """Keep the lease; False where the run is no longer this worker's, or is to be cancelled."""
    mine = Run.objects.keep_alive(run_id, worker)
    return mine and not Run.objects.filter(pk=run_id, cancel_requested=True).exists()


class _Stop(Exception):
    """The run was cancelled, or has passed to another worker, while it was prepared."""


def _beat(run_id: int, worker: str) -> Callable[[], None]:
    """A function to call often while a run is prepared: keeps the lease, once a second, and raises _Stop."""
    last = time.monotonic()

    def beat() -> None:
        nonlocal last
        if time.monotonic() - last < BEAT_SECONDS:
            return
        last = time.monotonic()
        if not _go_on(run_id, worker):
            raise _Stop

    return beat


def _relay(run_id: int) -> OnEvents:
    """A function that tells people what a training says, as it says it."""
    outbox = live.Outbox(run_id)
    return lambda events: outbox.send([(event["kind"], event["payload"]) for event in events])


def _prepare_training(run: TrainingRun, beat: Callable[[], None]) -> Path:
    """Lay out the work folder: images under their hash, the manifest, the configuration. Repeating it is harmless.

    Raises LookupError with a phrase where an image is not there any more.
    """
    workdir = files.run_folder(run.pk)
    manifest = run.snapshot.manifest
    for row in manifest["artworks"]:
        beat()
        stored = f"artworks/{run.dataset_id}/{row['sha256'][:2]}/{row['sha256']}/display.jpg"
        try:
            files.fetch_image(stored, workdir / row["file"])
        except FileNotFoundError:
            raise _gone(row["id"]) from None
    if not (workdir / pipeline_manifest.FILE_NAME).exists():
        pipeline_manifest.save(manifest, workdir)
    if not (workdir / pipeline_config.FILE_NAME).exists():
        pipeline_config.plan(
            architecture=run.architecture,
            budget=run.budget,
            augmentation=run.augmentation,
            seed=run.seed,
            minutes=run.minutes,
            start=str(files.detector_folder(run.start).resolve()) if run.start else "",
            start_size=run.start.input_size if run.start else None,
            smallest=pipeline_manifest.load(workdir).smallest,
        ).save(workdir)
    return workdir


def _gone(artwork_id: int) -> LookupError:
    artwork = Artwork.objects.filter(pk=artwork_id).first()
    text = gettext_noop(
        "The image of “%(title)s” is not there any more. Bring it back from a backup and resume this training, or"
        " start a new one on what is there."
    )
    return LookupError(Phrase(text, title=str(artwork or artwork_id)))


def _prepare_inference(run: InferenceRun, beat: Callable[[], None]) -> tuple[Path, int]:
    """Write the request for the artworks that are left; return the work folder and the number of all artworks.

    Artworks on which, as a person has said, there is nothing to mark are left out: nothing would be suggested on them.
    Raises LookupError with a phrase where the detector has gone for good.
    """
    if run.detector is None:
        text = gettext_noop("The detector “%(name)s” is not there any more.")
        raise LookupError(Phrase(text, name=run.detector_name))
    workdir = files.run_folder(run.pk)
    workdir.mkdir(parents=True, exist_ok=True)
    artworks = Artwork.objects.present().filter(dataset=run.dataset).order_by("title", "pk")
    if run.artwork_id:
        artworks = artworks.filter(pk=run.artwork_id)
    seen = seen_before(workdir)
    nothing = artworks.filter(nothing_to_mark=True).count()
    if nothing and not seen:
        text = gettext_noop("Artworks on which there is nothing to mark, as people have said, are left out: %(count)d")
        line = pipeline_events.log(Phrase(text, count=nothing))
        live.publish(run.pk, [(line["kind"], line["payload"])])
    artworks = artworks.filter(nothing_to_mark=False)
    images = []
    for artwork in artworks.iterator():
        beat()
        if artwork.pk not in seen:
            path = workdir / "images" / f"{artwork.sha256}.jpg"
            with contextlib.suppress(FileNotFoundError):  # told as unreadable when its turn comes
                files.fetch_image(f"{artwork.stored_in}/display.jpg", path)
            images.append({"id": artwork.pk, "file": str(path), "width": artwork.width, "height": artwork.height})
    least = min(run.needed().values(), default=run.threshold)
    how = {"detector": str(files.detector_folder(run.detector)), "threshold": least, "closely": run.closely}
    (workdir / "request.json").write_text(json.dumps({**how, "images": images}))
    return workdir, len(images) + len(seen)


def _conclude(run_id: int, worker: str, outcome: Outcome, message: str = "", why: str = "") -> None:
    """End the run as its process ended, unless it has passed to another worker; `why` we stopped it, if we did."""
    if outcome.code == 0:
        if services.end_run(run_id, worker, State.DONE, message):
            leftovers.remove_work_folder(run_id)
        return
    run = Run.objects.filter(pk=run_id, state=State.RUNNING, worker=worker).first()
    if run is None:
        return
    if run.cancel_requested:
        services.end_run(run_id, worker, State.CANCELLED, message)
    elif outcome.code == 1:
        unknown = Phrase(gettext_noop("The process ended with an error; see its log."))
        services.end_run(run_id, worker, State.FAILED, outcome.error or unknown)
    else:
        # Whoever is asked to stop says nothing of an error: a fault that passes is tried again, but not for ever.
        orderly = bool(why) or (outcome.code == STOPPED and not outcome.error)
        services.interrupt_run(run, why or _reason(outcome), orderly=orderly)


def _reason(outcome: Outcome) -> str:
    if outcome.code < 0:
        text = gettext_noop(
            "The process was ended by signal %(number)d (9: killed, often for lack of memory); it is started again."
        )
        return Phrase(text, number=-outcome.code)
    if outcome.code == LOCKED:
        return Phrase(gettext_noop("An earlier process was still in the work folder; the run is started again."))
    if outcome.error:
        return outcome.error
    return Phrase(gettext_noop("The process stopped early; the run goes on from its last checkpoint."))


def _fail(run_id: int, worker: str, error: Exception) -> None:
    """A fault of ours or of the disk: said plainly, with the details in the worker's log.

    A database or broker that was away is no fault of the run: it goes on from its last checkpoint.
    """
    is_full = faults.is_disk_full(error)
    if isinstance(error, PASSING) and not is_full:
        # Where it still is, the run goes on when it is back, like one whose worker died.
        with contextlib.suppress(*PASSING):
            _interrupt(run_id, worker)
        return
    told = error.args[0] if error.args else None
    message = told if isinstance(told, Phrase) else f"{type(error).__name__}: {error}"
    if is_full:
        message = Phrase(gettext_noop("The disk is full. Make room, then resume this run."))
    if services.end_run(run_id, worker, State.FAILED, message):
        live.publish(run_id, [("error", pipeline_events.error(message)["payload"])])


def _interrupt(run_id: int, worker: str) -> None:
    close_old_connections()
    run = Run.objects.filter(pk=run_id, state=State.RUNNING, worker=worker).first()
    if run:
        text = gettext_noop("The database or Redis was away; the run goes on from its last checkpoint.")
        services.interrupt_run(run, Phrase(text))
