"""Questions about many runs, detectors and events; the claim of a run is one of them.

Leases are written and compared by the database's clock: workers are on several machines, whose clocks differ.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Now

from datasets.models import Dataset

if TYPE_CHECKING:
    from training.models import Detector, Run  # noqa: F401


def in_seconds(seconds: float) -> Combinable:
    """The time in so many seconds by the database's clock, for `filter` and `update`."""
    return Now() + timedelta(seconds=seconds)


class RunQuerySet(models.QuerySet["Run"]):
    def wanted(self) -> RunQuerySet:
        """Those whose dataset nobody has deleted; the others wait until it is restored, or go with it."""
        # Not by a join: an update would look for its rows first, and two workers could find the same one.
        return self.filter(Exists(Dataset.objects.present().filter(pk=OuterRef("dataset"))))

    def active(self) -> RunQuerySet:
        """Those that wait, run, or were interrupted and will go on by themselves."""
        return self.filter(state__in=["queued", "running"])

    def waiting(self) -> RunQuerySet:
        """Those that were handed to the queue and nobody has taken yet, in the order in which they are to be done."""
        sent = self.wanted().filter(state="queued", cancel_requested=False, lease_until__isnull=False)
        return sent.order_by("queued_at", "pk")

    def stale(self) -> RunQuerySet:
        """Those that say they run while nobody has been heard of within the lease."""
        return self.filter(state="running", lease_until__lt=Now())

    def claim(self, run_id: int, worker: str) -> bool:
        """Take a queued run for `worker`; False where somebody else was first, or it was cancelled.

        One filtered update decides, so that exactly one process works on a run whatever the queue redelivers.
        """
        claimed = (
            self.wanted()
            .filter(pk=run_id, state="queued", cancel_requested=False)
            .update(
                state="running",
                worker=worker,
                started_at=Coalesce("started_at", Now()),
                finished_at=None,
                message="",
                phrase={},
                attempts=F("attempts") + 1,
                lease_until=in_seconds(settings.RUN_LEASE_SECONDS),
            )
        )
        return claimed == 1

    def keep_alive(self, run_id: int, worker: str) -> bool:
        """Extend the lease; False where the run is no longer this worker's or wanted: it must then stop."""
        mine = self.wanted().filter(pk=run_id, state="running", worker=worker)
        return mine.update(lease_until=in_seconds(settings.RUN_LEASE_SECONDS)) == 1


class DetectorQuerySet(models.QuerySet["Detector"]):
    def present(self) -> DetectorQuerySet:
        return self.filter(deleted_at=None)

    def usable_in(self, dataset_id: int, user: Any) -> DetectorQuerySet:
        """The pretrained ones, those trained on this dataset, and those of other datasets that `user` may see.

        Without a user, as on the command line, every detector.
        """
        if user is None:
            return self.present()
        seen = Dataset.objects.present().visible_to(user)
        return self.present().filter(Q(dataset=None) | Q(dataset=dataset_id) | Q(dataset__in=seen))

    def may_start(self) -> DetectorQuerySet:
        """Those that a training may go on from, where their weights are kept: trained here, or fetched.

        Of one whose training is gone nobody knows what it was tested on.
        """
        return self.filter(Q(kind="trained", run__isnull=False) | Q(kind="pretrained"))


# A server that says nothing is given up after half a minute, during which nobody can extend the lease.
ERRAND_LEASE_SECONDS = 60


class ErrandQuerySet(models.QuerySet[Any]):
    def idle(self) -> ErrandQuerySet:
        """Those that nobody works on or will: ended ones, and those whose worker has gone silent."""
        return self.exclude(state__in=["queued", "running"]) | self.filter(state="running", lease_until__lt=Now())

    def unheard(self) -> ErrandQuerySet:
        """Those that were handed to the queue a while ago and nobody has taken yet; it may have lost them."""
        return self.filter(state="queued").exclude(lease_until__gte=Now())

    def with_seen_state(self) -> ErrandQuerySet:
        """Each with `seen_state`, as people should see it: a worker that has gone silent was interrupted."""
        silent = When(state="running", lease_until__lt=Now(), then=Value("interrupted"))
        return self.annotate(seen_state=Case(silent, default="state"))

    def claim(self, errand_id: int, worker: str) -> bool:
        """Take a waiting one for `worker`; False where somebody else was first, or it was cancelled."""
        waiting = self.filter(pk=errand_id, state="queued")
        return waiting.update(state="running", worker=worker, lease_until=in_seconds(ERRAND_LEASE_SECONDS)) == 1

    def keep_alive(self, errand_id: int, worker: str, **news: int) -> bool:
        """Extend the lease and write how far it is; False where the worker is to stop."""
        mine = self.filter(pk=errand_id, state="running", worker=worker, cancel_requested=False)
        return mine.update(lease_until=in_seconds(ERRAND_LEASE_SECONDS), **news) == 1


class EventQuerySet(models.QuerySet[Any]):
    def after(self, seq: int) -> EventQuerySet:
        return self.filter(seq__gt=seq).order_by("seq")
