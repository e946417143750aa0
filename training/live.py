"""Telling browsers what runs do: the database first, then a nudge.

An event is a row before anybody hears of it. `publish` numbers events per run under the lock of the run's row, so that
a listener who knows the last number it saw can always ask for the rest. One `Tailer` per web process reads new rows
while somebody listens; a nudge through Redis, where there is one, only wakes it earlier than its next poll. This is the
only module that knows which of the two it is.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from redis.exceptions import RedisError

from training.models import Event, Run

# With Redis the poll is only the net below a lost nudge.
NUDGED_POLL_SECONDS = 2.0
# A client that lets this many batches wait is closed; it comes back and asks for what it missed.
QUEUE_LIMIT = 500
# A run that ended is looked at this much longer, so that its last events reach everybody.
LINGER = timedelta(seconds=60)

EventJson = dict[str, Any]


def publish(run_id: int, events: Sequence[tuple[str, dict[str, Any]]]) -> int:
    """Store `(kind, payload)` pairs as the next events of a run, then wake those who watch; return the last number.

    Raises `Run.DoesNotExist` where the run is gone.
    """
    with transaction.atomic():
        # The update takes the lock of the run's row: numbers follow the order of commits.
        if not Run.objects.filter(pk=run_id).update(last_seq=F("last_seq") + len(events)):
            raise Run.DoesNotExist(f"run {run_id}")
        dataset_id, last = Run.objects.values_list("dataset_id", "last_seq").get(pk=run_id)
        first = last - len(events) + 1
        Event.objects.bulk_create(
            [Event(run_id=run_id, seq=first + i, kind=kind, payload=load) for i, (kind, load) in enumerate(events)]
        )
        transaction.on_commit(lambda: nudge(dataset_id))
    return last


class Outbox:
    """Events of a run on their way to the database; those that could not be stored are sent again with the next."""

    def __init__(self, run_id: int) -> None:
        self._run_id = run_id
        self._left: list[tuple[str, dict[str, Any]]] = []

    def send(self, events: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Publish what is left and these. Raises as `publish`, and what the database says where it is away."""
        self._left += events
        if self._left:
            publish(self._run_id, self._left)
            self._left = []


def group_of(dataset_id: int) -> str:
    """Name of the channel layer's group of those who watch a dataset."""
    return f"dataset-{dataset_id}"


def nudge(dataset_id: int) -> None:
    """Tell the web processes that there is something new; without Redis their tailers find it by themselves."""
    if not settings.REDIS_URL:
        return
    # A lost nudge costs two seconds, not an event: the row is there.
    with contextlib.suppress(OSError, RedisError):
        async_to_sync(get_channel_layer().group_send)(group_of(dataset_id), {"type": "nudge"})


def event_json(event: Event, run_kind: str) -> EventJson:
    """An event as browsers get it."""
    return {
        "run": event.run_id,
        "run_kind": run_kind,
        "seq": event.seq,
        "kind": event.kind,
        "payload": event.payload,
        "time": event.time.isoformat(),
    }


def events_after(run_id: int, run_kind: str, seq: int, limit: int | None = 5000) -> list[EventJson]:
    """At most `limit` events (None: all) of a run whose number is above `seq`, in order."""
    return [event_json(event, run_kind) for event in Event.objects.filter(run=run_id).after(seq)[:limit]]


class Listener:
    """One socket's bounded queue of batches; `overflowed` says that it was too slow."""

    def __init__(self, dataset_id: int, run_id: int | None) -> None:
        self.dataset_id = dataset_id
        self.run_id = run_id
        self.queue: asyncio.Queue[list[EventJson]] = asyncio.Queue(QUEUE_LIMIT)
        self.overflowed = False

    def offer(self, run_id: int, events: list[EventJson]) -> None:
        """Queue the events of a run if they concern this listener."""
        if self.run_id not in (None, run_id):
            return
        try:
            self.queue.put_nowait(events)
        except asyncio.QueueFull:
            self.overflowed = True


class Tailer:
    """Reads the event table while somebody listens, once per poll for all listeners of this process."""

    def __init__(self) -> None:
        self._listeners: dict[int, set[Listener]] = defaultdict(set)
        self._seen: dict[int, int] = {}
        self._watched: set[int] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def join(self, listener: Listener) -> None:
        """Begin to queue events for a listener. What was there before, it must read after this returns."""
        dataset_id = listener.dataset_id
        self._listeners[dataset_id].add(listener)
        if dataset_id not in self._watched:
            self._seen |= {run: last for run, _, _, last in await _fresh_runs([dataset_id])}
            self._watched.add(dataset_id)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def leave(self, listener: Listener) -> None:
        """Stop queueing for a listener; with the last one the task ends."""
        listeners = self._listeners[listener.dataset_id]
        listeners.discard(listener)
        if not listeners:
            del self._listeners[listener.dataset_id]
            self._watched.discard(listener.dataset_id)

    def wake(self) -> None:
        """Look now instead of at the next poll."""
        self._wake.set()

    async def _run(self) -> None:
        pause = NUDGED_POLL_SECONDS if settings.REDIS_URL else settings.LIVE_POLL_SECONDS
        while self._listeners:
            # The database may be away for a while; listeners keep their place and get everything when it is back.
            with contextlib.suppress(OperationalError):
                await self._pass_on()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)
            self._wake.clear()
        self._seen.clear()

    async def _pass_on(self) -> None:
        for run_id, kind, dataset_id, last in await _fresh_runs(list(self._watched)):
            seen = self._seen.get(run_id, 0)
            if last <= seen:
                continue
            events = await database_sync_to_async(events_after)(run_id, kind, seen)
            if not events:
                continue
            self._seen[run_id] = events[-1]["seq"]
            for listener in tuple(self._listeners.get(dataset_id, ())):
                listener.offer(run_id, events)


@database_sync_to_async
def _fresh_runs(dataset_ids: list[int]) -> list[tuple[int, str, int, int]]:
    """(run, kind, dataset, last_seq) of the runs of these datasets that may still have news."""
    recent = Q(finished_at=None) | Q(finished_at__gt=Now() - LINGER)
    runs = Run.objects.filter(recent, dataset_id__in=dataset_ids).order_by()
    return list(runs.values_list("pk", "kind", "dataset_id", "last_seq"))


_tailers: dict[asyncio.AbstractEventLoop, Tailer] = {}


def tailer() -> Tailer:
    """The tailer of the running event loop (one per web process)."""
    loop = asyncio.get_running_loop()
    if loop not in _tailers:
        _tailers.clear()
        _tailers[loop] = Tailer()
    return _tailers[loop]
