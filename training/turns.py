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
from django.db.models import Case, When
from django.db.models.functions import Now
from django_q.brokers import get_broker
from django_q.tasks import async_task

from training import live
from training.models import Conversion, Errand, Fetch, InferenceRun, Run
from training.querysets import in_seconds

State = Run.State

# The queue's cluster for each kind of run, and the task that does one run. Tasks are named by string: nobody imports
# training.tasks.
QUEUES = {
    Run.Kind.TRAINING: ("training", "training.tasks.train"),
    Run.Kind.INFERENCE: ("default", "training.tasks.infer"),
}
# The same for what is done once for everybody.
ERRANDS: dict[type[Errand], tuple[str, str]] = {
    Fetch: ("errands", "training.tasks.fetch"),
    Conversion: ("errands", "training.tasks.convert"),
}
TURN = "training.tasks.turn"
# A waiting run that nobody has taken for this long gets another turn, if somebody may be free.
AGAIN_SECONDS = 10
# A machine that is free has taken a waiting run by then.
FREE_SECONDS = 2
_LOOK_SECONDS = 0.2


def give(run: Run) -> None:
    """Send a turn for a waiting run, once the transaction is committed."""
    kind, name = Run.Kind(run.kind), f"turn for run {run.pk}"
    cluster = QUEUES[kind][0]
    Run.objects.filter(pk=run.pk).update(lease_until=in_seconds(AGAIN_SECONDS))
    transaction.on_commit(lambda: async_task(TURN, kind.value, cluster=cluster, task_name=name))


def send(errand: Errand) -> None:
    """Send a waiting errand, once the transaction is committed."""
    cluster, task = ERRANDS[type(errand)]
    number, name = errand.pk, f"{type(errand).__name__.lower()} {errand.pk}"
    type(errand).objects.filter(pk=number).update(lease_until=in_seconds(AGAIN_SECONDS))
    transaction.on_commit(lambda: async_task(task, number, cluster=cluster, task_name=name))


def give_again() -> int:
    """Send turns and errands that nobody has taken, because the queue or a busy cluster keeps theirs; how many.

    Where tasks lie in the queue everybody has enough to do, or will find them there: turns do not pile up behind a run
    of hours.
    """
    runs = list(Run.objects.waiting().filter(lease_until__lt=Now()))
    errands = [errand for kind in ERRANDS for errand in kind.objects.unheard()]
    if not runs and not errands:
        return 0
    clusters = {cluster for cluster, _task in (*QUEUES.values(), *ERRANDS.values())}
    free = {cluster for cluster in clusters if not get_broker(cluster).queue_size()}
    lost_runs = [run for run in runs if QUEUES[Run.Kind(run.kind)][0] in free]
    lost_errands = [errand for errand in errands if ERRANDS[type(errand)][0] in free]
    with transaction.atomic():
        for run in lost_runs:
            give(run)
        for errand in lost_errands:
            send(errand)
    return len(lost_runs) + len(lost_errands)


def next_of(kind: str) -> int | None:
    """The id of the run whose turn it is; None where none waits.

    Who waits for boxes on one artwork sits before it: that takes a second, and comes before whole datasets.
    """
    whole = Case(When(inferencerun__artwork__isnull=True, then=1), default=0)
    waiting = Run.objects.waiting().filter(kind=kind).order_by(whole, "queued_at", "pk")
    return waiting.values_list("pk", flat=True).first()


def is_in_the_way(run: Run) -> bool:
    """Whether `run` looks at a whole dataset, while somebody waits for one artwork and nobody else has taken that."""
    waiting = InferenceRun.objects.filter(pk__in=Run.objects.waiting(), artwork__isnull=False)
    taken_by_nobody = waiting.filter(queued_at__lt=in_seconds(-FREE_SECONDS))
    return isinstance(run, InferenceRun) and run.artwork_id is None and taken_by_nobody.exists()


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
