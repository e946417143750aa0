"""Turns: what the queue carries. Whoever gets one does the run that has waited longest.

A task of the queue names no run. A busy cluster takes tasks out of the queue long before it can do them (one for each
of its workers and one in its hand), where no other machine gets at them; and a run that was interrupted is put behind
those that came after it. So the order is the database's, and the queue only says that who is free should look there.
"""

from __future__ import annotations

import os
import socket
import time
import uuid

from django.db import transaction
from django.db.models.functions import Now
from django_q.brokers import get_broker
from django_q.tasks import async_task

from training import live
from training.models import Run
from training.querysets import in_seconds

State = Run.State

# The queue's cluster for each kind of run, and the task that does one run. Tasks are named by string: nobody imports
# training.tasks.
QUEUES = {
    Run.Kind.TRAINING: ("training", "training.tasks.train"),
    Run.Kind.INFERENCE: ("default", "training.tasks.infer"),
}
FETCHES = ("default", "training.tasks.fetch")
CONVERSIONS = ("default", "training.tasks.convert")
TURN = "training.tasks.turn"
# A waiting run that nobody has taken for this long gets another turn, if somebody may be free.
AGAIN_SECONDS = 10
_LOOK_SECONDS = 0.2


def give(run: Run) -> None:
    """Send a turn for a waiting run, once the transaction is committed."""
    kind, name = Run.Kind(run.kind), f"turn for run {run.pk}"
    cluster = QUEUES[kind][0]
    Run.objects.filter(pk=run.pk).update(lease_until=in_seconds(AGAIN_SECONDS))
    transaction.on_commit(lambda: async_task(TURN, kind.value, cluster=cluster, task_name=name))


def give_again() -> int:
    """Send turns for the runs that nobody has taken, because the queue or a busy cluster keeps theirs; how many.

    Where tasks lie in the queue everybody has enough to do, or will find them there: turns do not pile up behind a run
    of hours.
    """
    silent = Run.objects.waiting().filter(lease_until__lt=Now())
    full = {cluster: get_broker(cluster).queue_size() > 0 for cluster, _task in QUEUES.values()} if silent else {}
    lost = [run for run in silent if not full[QUEUES[Run.Kind(run.kind)][0]]]
    for run in lost:
        with transaction.atomic():
            give(run)
    return len(lost)


def next_of(kind: str) -> int | None:
    """The id of the run whose turn it is; None where none waits."""
    return Run.objects.waiting().filter(kind=kind).values_list("pk", flat=True).first()


def listen(kind: str) -> None:
    """Wait until each run of this kind that is under way has been heard of, or its lease has passed.

    Who takes a turn may stand in for a worker that was killed a moment ago, whose run goes on before all that wait.
    """
    before = dict(Run.objects.filter(kind=kind, state=State.RUNNING).values_list("pk", "lease_until"))
    while before:
        still = Run.objects.filter(pk__in=before, state=State.RUNNING, lease_until__gte=Now())
        before = {pk: lease for pk, lease in still.values_list("pk", "lease_until") if lease == before[pk]}
        if before:
            time.sleep(_LOOK_SECONDS)


def claim(run_id: int) -> str:
    """The name under which this process now holds the run; empty where it is somebody else's or was cancelled."""
    worker = worker_name()
    with transaction.atomic():
        if not Run.objects.claim(run_id, worker):
            return ""
        live.publish(run_id, [("status", {"state": State.RUNNING, "message": ""})])
    return worker


def worker_name() -> str:
    """A name that no other try has; it begins with the machine's."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
