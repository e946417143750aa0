"""What the management commands share: finding a dataset, and doing a run here while progress bars show it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError
from django.db import connection
from django.db.models import Q
from django_q.tasks import async_task
from tqdm import tqdm

from datasets.models import Dataset
from training import live, services, turns
from training.models import Run
from training.phrases import translated_event

LOOK_SECONDS = 0.2


def find_dataset(name_or_id: str) -> Dataset:
    """The dataset with this id or exact name. Raises CommandError that lists what there is."""
    wanted = Q(name=name_or_id) | (Q(pk=int(name_or_id)) if name_or_id.isdecimal() else Q())
    found = list(Dataset.objects.present().filter(wanted)[:2])
    if len(found) == 1:
        return found[0]
    names = "\n".join(f"  {dataset.pk}  {dataset.name}" for dataset in Dataset.objects.present()[:50])
    problem = "Several datasets have the name" if found else "There is no dataset"
    raise CommandError(f"{problem} “{name_or_id}”. Name one of these by its number:\n{names or '  (none yet)'}")


def scores_in_words(scores: Mapping[str, Any]) -> str:
    """Of COCO scores AP and AP50, as far as they are known: null where there was no box to find.

    And how many concepts were tested on simulated photographs of what was learnt from, where there are any.
    """
    known = {key: scores[key] for key in ("AP", "AP50") if key in scores}
    words = ", ".join(f"{key} –" if value is None else f"{key} {value:.3f}" for key, value in known.items())
    simulated = scores.get("simulated_concepts")
    return f"{words} (concepts tested on simulated photographs: {simulated})" if simulated else words


def do_run(run: Run) -> Run:
    """Do a run in this process, without the queue, and show its progress; Ctrl-C cancels it.

    Returns the run as it ended. Raises CommandError where it did not end well.
    """
    task = turns.QUEUES[Run.Kind(run.kind)][1]
    worker = threading.Thread(target=_work, args=(task, run.pk), name=f"run {run.pk}")
    worker.start()
    progress = Progress()
    seq = 0
    try:
        while worker.is_alive():
            seq = progress.show(run, seq)
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        tqdm.write("Stopping; the last checkpoint is kept …")
        services.cancel_run(run)
        worker.join()
    progress.show(run, seq)
    progress.close()
    run.refresh_from_db()
    if run.state != Run.State.DONE:
        raise CommandError(f"The run ended as “{run.get_state_display()}”. {run.said}")
    return run


def _work(task: str, run_id: int) -> None:
    try:
        async_task(task, run_id, sync=True)
    finally:
        connection.close()


class Progress:
    """One bar per stage, with the loss behind it while training."""

    def __init__(self) -> None:
        self.bar: tqdm[Any] | None = None
        self.stage = ""

    def show(self, run: Run, seq: int) -> int:
        """Show what came after event `seq`; return the number of the last event shown."""
        for event in map(translated_event, live.events_after(run.pk, run.kind, seq)):
            seq = event["seq"]
            getattr(self, f"_{event['kind']}", self._other)(event["payload"])
        return seq

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()

    def _to(self, stage: str, done: int, total: int) -> tqdm[Any]:
        if self.bar is None or self.stage != stage:
            self.close()
            self.bar, self.stage = tqdm(desc=stage, total=total or None, dynamic_ncols=True), stage
        if total:
            self.bar.total = total
        self.bar.n = done
        self.bar.refresh()
        return self.bar

    def _stage(self, payload: dict[str, Any]) -> None:
        self._to(payload["stage"], payload.get("done", 0), payload.get("total", 0))

    def _progress(self, payload: dict[str, Any]) -> None:
        self._to("infer", payload["done"], payload["total"])

    def _metrics(self, payload: dict[str, Any]) -> None:
        bar = self._to("train", payload["step"], payload["total_steps"])
        bar.set_postfix_str(f"loss {payload['loss']:.3f}, {payload['images_per_second']:.1f} images/s")

    def _evaluation(self, payload: dict[str, Any]) -> None:
        tqdm.write(f"step {payload['step']}: {scores_in_words(payload)}")

    def _error(self, payload: dict[str, Any]) -> None:
        tqdm.write(payload["message"])

    def _other(self, payload: dict[str, Any]) -> None:
        """Kinds that have no place in a terminal."""
