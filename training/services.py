"""Starting, cancelling, resuming and ending runs; registering detectors.

A run's row decides everything: each change of state is one filtered update, so that a worker, a person and the reaper
who act at the same moment cannot both win.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.models import Label
from datasets.models import Artwork, Dataset
from datasets.refusals import Conflict, Refusal
from training import files, live, snapshots, turns
from training.models import Detector, InferenceRun, Run, TrainingRun
from training.phrases import translated
from training.pipeline.architectures import ARCHITECTURES
from training.pipeline.config import AUGMENTATIONS, LEAST_MINUTES, MOST_MINUTES, ConfigError, minutes_of
from training.pipeline.events import log
from training.pipeline.translation import Phrase, gettext_noop, phrase_json

State = Run.State


@dataclass(frozen=True)
class TrainingChoice:
    """What a person chooses for a training: keys of the pipeline's configuration, and the name of the detector.

    `start`: id of the detector to go on from, None for the architecture's pretrained weights.
    """

    architecture: str
    budget: str
    augmentation: str
    minutes: float | None = None
    start: int | None = None
    seed: int = 0
    name: str = ""


def start_training(
    *,
    dataset: Dataset,
    user: Any,
    choice: TrainingChoice,
    label_ids: list[int] | None = None,
    enqueue: bool = True,
) -> TrainingRun:
    """Freeze the dataset, make a run of it and hand it to the training queue (unless the caller runs it itself).

    Raises Refusal for labels of another dataset, a detector that cannot be gone on from and an impossible seed or time,
    and Conflict where there is too little to train on (with the numbers) or another training of this dataset is on.
    """
    _refuse_second_training(dataset)
    if not 0 <= choice.seed < 2**31:
        raise Refusal(_("The seed must be a whole number from 0 to 2147483647."), code="invalid_seed")
    ready, labels = snapshots.readiness(dataset, label_ids)
    if label_ids is not None and {label.pk for label in labels} != set(label_ids):
        raise Refusal(_("One of these concepts is not in this dataset. Reload the page."), code="unknown_label")
    if problems := ready.in_the_way(simulated=AUGMENTATIONS[choice.augmentation].simulated):
        told = " ".join(translated(phrase_json(problem), problem) for problem in problems)
        raise Conflict(told, code="not_ready", current=dict(ready.counts))
    try:
        with transaction.atomic():
            run = _create_training(dataset, user, choice, labels)
            _announce(run, enqueue)
    except IntegrityError:
        # Two people pressed the button in the same moment; the constraint let one of them through.
        _refuse_second_training(dataset)
        raise
    return run


def _create_training(dataset: Dataset, user: Any, choice: TrainingChoice, labels: list[Label]) -> TrainingRun:
    start = _start(dataset, user, choice)
    chosen = {**asdict(choice), "minutes": _minutes(choice), "start": start}
    name = chosen.pop("name").strip() or _default_name(dataset, choice.architecture)
    return TrainingRun.objects.create(
        dataset=dataset,
        kind=Run.Kind.TRAINING,
        created_by=user,
        name=name,
        snapshot=snapshots.freeze(
            dataset, labels, seed=choice.seed, earlier=start, simulated=AUGMENTATIONS[choice.augmentation].simulated
        ),
        **chosen,
    )


def _start(dataset: Dataset, user: Any, choice: TrainingChoice) -> Detector | None:
    if choice.start is None:
        return None
    detector = Detector.objects.usable_in(dataset.pk, user).select_related("run__snapshot").filter(pk=choice.start)
    for found in detector.may_start().filter(architecture=choice.architecture):
        if files.can_go_on_from(found):
            return found
    text = _("This detector cannot be gone on from: it is not there any more, or has another architecture.")
    raise Refusal(text, code="unknown_detector")


def _minutes(choice: TrainingChoice) -> float:
    try:
        return minutes_of(choice.budget, choice.minutes)
    except ConfigError:
        text = _("Choose from %(least)d to %(most)d minutes.") % {"least": LEAST_MINUTES, "most": MOST_MINUTES}
        raise Refusal(text, code="invalid_time") from None


def _refuse_second_training(dataset: Dataset) -> None:
    other = Run.objects.filter(dataset=dataset, kind=Run.Kind.TRAINING).active().first()
    if other:
        message = _("A training of this dataset is on already. Wait until it ends, or cancel it.")
        raise Conflict(message, code="busy", current={"run": other.pk})


def _default_name(dataset: Dataset, architecture: str) -> str:
    number = TrainingRun.objects.filter(dataset=dataset).count() + 1
    return f"{dataset.name[:100]} · {ARCHITECTURES[architecture].title} · {number}"


def start_inference(
    *,
    dataset: Dataset,
    user: Any,
    detector_id: int,
    artwork_id: int | None,
    threshold: float,
    mapping: dict[str, int | None],
    closely: bool = False,
    own_scores: bool = False,
    enqueue: bool = True,
) -> InferenceRun:
    """Hand a detector one artwork, or all of the dataset, to draw suggestions on.

    `closely`: in tiles too. `own_scores`: each concept from the detector's own best score for it, where that is known.

    `user` None, as on the command line, may use every detector. Raises Refusal for a detector, artwork or label that is
    not there (any more), and for an impossible threshold; Conflict for an artwork with nothing to mark.
    """
    if not 0 <= threshold <= 1:
        raise Refusal(_("The threshold must lie between 0 and 1."), code="invalid_threshold")
    detector = _usable_detector(dataset, user, detector_id)
    artwork = None if artwork_id is None else _artwork(dataset, artwork_id)
    with transaction.atomic():
        run = InferenceRun.objects.create(
            dataset=dataset,
            kind=Run.Kind.INFERENCE,
            created_by=user,
            detector=detector,
            detector_name=detector.name,
            artwork=artwork,
            threshold=threshold,
            mapping=checked_map(dataset, detector, mapping),
            closely=closely,
            own_scores=own_scores,
        )
        _announce(run, enqueue)
    return run


def _usable_detector(dataset: Dataset, user: Any, detector_id: int) -> Detector:
    detector = Detector.objects.usable_in(dataset.pk, user).filter(pk=detector_id).first()
    if detector is None:
        raise Refusal(_("This detector is not there any more. Choose another one."), code="unknown_detector")
    return detector


def _artwork(dataset: Dataset, artwork_id: int) -> Artwork:
    artwork = Artwork.objects.present().filter(dataset=dataset, pk=artwork_id).first()
    if artwork is None:
        raise Refusal(_("This artwork is not in this dataset any more."), code="unknown_artwork")
    if artwork.nothing_to_mark:
        message = _(
            "Somebody has said that there is nothing to mark on this artwork, so nothing is suggested on it. Take that"
            " back first."
        )
        raise Conflict(message, code="nothing_to_mark")
    return artwork


def checked_map(dataset: Dataset, detector: Detector, mapping: dict[str, int | None]) -> dict[str, int]:
    """The part of a mapping (detector's label id → dataset's label id) that is in use. Raises Refusal."""
    known = {str(label["id"]) for label in detector.labels}
    used = {key: label_id for key, label_id in mapping.items() if label_id is not None}
    if not known.issuperset(mapping):
        raise Refusal(_("The detector does not know one of these classes. Reload the page."), code="unknown_class")
    there = set(Label.objects.filter(dataset=dataset, pk__in=used.values()).values_list("pk", flat=True))
    if not there.issuperset(used.values()):
        raise Refusal(_("One of these concepts is not in this dataset. Reload the page."), code="unknown_label")
    if not used:
        message = _("Choose for at least one of the detector's classes which concept of the dataset it stands for.")
        raise Refusal(message, code="empty_mapping")
    return used


def cancel_run(run: Run) -> None:
    """End a waiting run at once; ask the worker of a running one to stop (it keeps the last checkpoint).

    Raises Conflict where it has ended already.
    """
    if _change(run.pk, {State.QUEUED, State.INTERRUPTED}, State.CANCELLED):
        return
    if not Run.objects.filter(pk=run.pk, state=State.RUNNING).update(cancel_requested=True):
        raise Conflict(_("This run has ended already."), code="ended")


def resume_run(run: Run) -> None:
    """Let a run that was cancelled, interrupted or failed go on from where it was, after those that wait already.

    Raises Conflict where it is active or done, its detector was deleted, or another training of the dataset is on.
    """
    if run.kind == Run.Kind.INFERENCE and not _detector_is_there(run.inferencerun):
        raise Conflict(_("The detector of this run was deleted. Start a new run."), code="unknown_detector")
    try:
        with transaction.atomic():
            resumable = {State.CANCELLED, State.INTERRUPTED, State.FAILED}
            fresh: dict[str, Any] = {
                "cancel_requested": False,
                "in_vain": 0,
                "finished_at": None,
                "queued_at": timezone.now(),
            }
            if not _change(run.pk, resumable, State.QUEUED, **fresh):
                raise Conflict(_("This run is still active, or it is done."), code="not_resumable")
            turns.give(run)
    except IntegrityError:
        _refuse_second_training(run.dataset)
        raise


def _detector_is_there(run: InferenceRun) -> bool:
    return run.detector is not None and run.detector.deleted_at is None


def _announce(run: Run, enqueue: bool) -> None:
    live.publish(run.pk, [("status", {"state": State.QUEUED, "message": ""})])
    if enqueue:
        turns.give(run)


def _change(run_id: int, before: set[State], state: State, message: str = "", **fields: Any) -> bool:
    """Move a run from one of the states `before` to `state` and tell it; False where it was in none of them."""
    ended = state not in (State.QUEUED, State.RUNNING)
    phrase = phrase_json(message)
    fields |= {"state": state, "message": message[:1000], "phrase": phrase}
    if ended:
        fields["finished_at"] = Now()
    with transaction.atomic():
        changed = Run.objects.filter(pk=run_id, state__in=before).update(**fields)
        if changed:
            told = {"state": state, "message": message[:1000]}
            live.publish(run_id, [("status", {**told, "phrase": phrase} if phrase else told)])
    return bool(changed)


def end_run(run_id: int, worker: str, state: State, message: str = "") -> bool:
    """End a run that `worker` holds; False where it is no longer this worker's."""
    if not Run.objects.filter(pk=run_id, worker=worker).exists():
        return False
    return _change(run_id, {State.RUNNING}, state, message)


def interrupt_run(run: Run, message: str, *, orderly: bool = False) -> None:
    """A run's worker is gone: hand it out again, or stop where it was cancelled or several tries got no further.

    Handed out again it keeps its place before those that came after it. An orderly stop, as when the whole installation
    is shut down, is no reason to give a run up.
    """
    reached = run.furthest()
    in_vain = 0 if reached > run.reached or orderly else run.in_vain + 1
    if run.cancel_requested:
        _change(run.pk, {State.RUNNING}, State.CANCELLED)
    elif in_vain >= settings.RUN_MAX_TRIES_IN_VAIN:
        text = gettext_noop(
            "%(tries)d tries in a row ended early and got no further, often for lack of memory or disk space. See the"
            " log, make room, then resume the run."
        )
        why = log(message)
        live.publish(run.pk, [(why["kind"], why["payload"])])
        _change(run.pk, {State.RUNNING}, State.INTERRUPTED, Phrase(text, tries=in_vain))
    else:
        with transaction.atomic():
            if not _change(run.pk, {State.RUNNING}, State.QUEUED, message, reached=reached, in_vain=in_vain):
                return
            # Somebody may have cancelled it since `run` was read; nobody takes such a run.
            if Run.objects.filter(pk=run.pk, cancel_requested=True).exists():
                _change(run.pk, {State.QUEUED}, State.CANCELLED)
            else:
                turns.give(run)


def reap_stale_runs() -> int:
    """Find runs whose worker has gone silent, and runs and errands that the queue has lost; return how many."""
    text = gettext_noop("The worker was interrupted; the run goes on from its last checkpoint.")
    found = 0
    for run_id in list(Run.objects.stale().values_list("pk", flat=True)):
        with transaction.atomic():
            # Whoever had to wait for the database here was not alone: its worker may have renewed the lease meanwhile.
            run = Run.objects.stale().select_for_update().filter(pk=run_id).first()
            if run:
                interrupt_run(run, Phrase(text))
                found += 1
    return found + turns.give_again()


def cluster_is_busy(cluster: str, host: str) -> bool:
    """Whether the cluster of a machine is known to work on something, so that its silence is no sign of a hang."""
    at_work: dict[str, Any] = {"state": State.RUNNING, "lease_until__gte": Now(), "worker__startswith": f"{host}:"}
    errands = [kind for kind, (name, _task) in turns.ERRANDS.items() if name == cluster]
    if any(kind.objects.filter(**at_work).exists() for kind in errands):
        return True
    kinds = [kind for kind, (name, _task) in turns.QUEUES.items() if name == cluster]
    return Run.objects.filter(kind__in=kinds, **at_work).exists()


def register_trained(run: TrainingRun, made: Path) -> Detector:
    """Keep the detector folder that a training made, and make it usable. Doing it again changes nothing."""
    existing = Detector.objects.filter(run=run).first()
    if existing:
        return existing
    folder = files.keep_detector(made, run.pk)
    description = json.loads((files.detectors_folder() / folder / "detector.json").read_text())
    return Detector.objects.create(
        name=run.name,
        kind=Detector.Kind.TRAINED,
        architecture=run.architecture,
        input_size=description["input_size"],
        labels=description["labels"],
        metrics=description.get("metrics") or {},
        threshold=description.get("threshold"),
        folder=folder,
        dataset=run.dataset,
        run=run,
    )


def register_pretrained(folder: Path) -> Detector:
    """Make an unpacked pretrained detector (a folder below the weights folder) known, or bring its row up to date."""
    return register_folder(folder, str(folder.relative_to(settings.WEIGHTS_DIR)))


def register_folder(folder: Path, relative: str) -> Detector:
    """Make the detector in `folder` known to everybody, by the name `relative` that its row has or will have."""
    description = json.loads((folder / "detector.json").read_text())
    detector, _created = Detector.objects.update_or_create(
        kind=Detector.Kind.PRETRAINED,
        folder=relative,
        defaults={
            "name": description["name"],
            "architecture": description["architecture"],
            "input_size": description["input_size"],
            "labels": description["labels"],
            "metrics": description.get("metrics") or {},
            "threshold": description.get("threshold"),
            "deleted_at": None,
        },
    )
    return detector


def delete_detector(detector: Detector, user: Any = None) -> None:
    """Take a detector out of use; its files stay until `purge`, so that a run under way can end.

    One that was fetched is everybody's, and a superuser's to delete: its files go at once, and it can be fetched again.
    Raises Conflict for a pretrained one otherwise, and for one that a run is using.
    """
    fetched = detector.kind == Detector.Kind.PRETRAINED and files.is_fetched(detector)
    if fetched and not (user and user.is_superuser):
        message = _("Everybody here uses this detector: only an administrator of the installation can delete it.")
        raise Conflict(message, code="pretrained")
    if detector.kind == Detector.Kind.PRETRAINED and not fetched:
        raise Conflict(
            _("A pretrained detector belongs to the installation and cannot be deleted here."), code="pretrained"
        )
    active = [State.QUEUED, State.RUNNING]
    if InferenceRun.objects.filter(detector=detector, state__in=active).exists():
        message = _("This detector is drawing boxes right now. Wait until the run ends, or cancel it.")
        raise Conflict(message, code="in_use")
    if fetched and TrainingRun.objects.filter(start=detector, state__in=active).exists():
        message = _("A training goes on from this detector right now. Wait until it ends, or cancel it.")
        raise Conflict(message, code="in_use")
    Detector.objects.filter(pk=detector.pk).update(deleted_at=timezone.now())
    if fetched:
        shutil.rmtree(files.detector_folder(detector), ignore_errors=True)
