"""The websocket on which a dataset's or a run's page hears what happens."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth import get_user_model
from django.http import Http404

from datasets.models import Role
from datasets.permissions import RoleTooLow, dataset_for
from training.live import EventJson, Listener, events_after, group_of, tailer
from training.models import Run
from training.serializers import run_json

FORBIDDEN = 4403
TOO_SLOW = 4408
# How often a connected person's rights are looked up again.
RIGHTS_SECONDS = 20.0


class NoSuchSocket(AsyncJsonWebsocketConsumer):
    """Answers addresses where no socket is, in place of an exception in the log."""

    async def connect(self) -> None:
        await self.close(code=FORBIDDEN)


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """Sends the full state, then every event after it, in order and once.

    `?after=<run>:<seq>,…` names what a returning client has seen already. The client sends nothing.
    """

    async def connect(self) -> None:
        keys = self.scope["url_route"]["kwargs"]
        self.dataset_id, self.run_id = keys["dataset_id"], keys.get("run_id")
        self.listener: Listener | None = None
        self.pump: asyncio.Task[None] | None = None
        await self.accept()
        if not await self._may_watch():
            # Accepted first: a refusal before that reaches the browser without its code.
            await self.close(code=FORBIDDEN)
            return
        self.cursors = _cursors(self.scope["query_string"].decode("ascii", "ignore"))
        await self.channel_layer.group_add(group_of(self.dataset_id), self.channel_name)
        self.listener = Listener(self.dataset_id, self.run_id)
        # Joined before the state is read: what happens in between arrives twice and is dropped by number.
        await tailer().join(self.listener)
        await self._send_state()
        self.pump = asyncio.create_task(self._forward(self.listener))

    async def disconnect(self, code: int) -> None:
        if self.listener:
            tailer().leave(self.listener)
            await self.channel_layer.group_discard(group_of(self.dataset_id), self.channel_name)
        if self.pump:
            self.pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.pump

    async def receive(self, *args: Any, **kwargs: Any) -> None:
        """Clients have nothing to say here; what they send is not even parsed."""

    async def nudge(self, message: dict[str, Any]) -> None:
        """Redis says that there is something new."""
        tailer().wake()

    async def _forward(self, listener: Listener) -> None:
        loop = asyncio.get_running_loop()
        checked = loop.time()
        while True:
            with contextlib.suppress(TimeoutError):
                await self._send_events(await asyncio.wait_for(listener.queue.get(), RIGHTS_SECONDS))
            if listener.overflowed:
                await self.close(code=TOO_SLOW)
                return
            if loop.time() - checked >= RIGHTS_SECONDS:
                checked = loop.time()
                if not await self._may_watch():
                    await self.close(code=FORBIDDEN)
                    return

    async def _send_events(self, events: list[EventJson]) -> None:
        news = [event for event in events if event["seq"] > self.cursors.get(event["run"], 0)]
        if news:
            self.cursors[news[-1]["run"]] = news[-1]["seq"]
            await self.send_json({"type": "events", "events": news})

    async def _send_state(self) -> None:
        runs = await self._state()
        for run in runs:
            if run["events"]:
                self.cursors[run["id"]] = run["events"][-1]["seq"]
        await self.send_json({"type": "state", "runs": runs})

    @database_sync_to_async
    def _state(self) -> list[dict[str, Any]]:
        runs = Run.objects.filter(dataset=self.dataset_id)
        runs = runs.filter(pk=self.run_id) if self.run_id else runs.active()
        rows = runs.select_related("trainingrun__detector", "inferencerun__detector", "created_by")
        return [
            {**run_json(run), "events": events_after(run.pk, run.kind, self.cursors.get(run.pk, 0), limit=100_000)}
            for run in rows
        ]

    @database_sync_to_async
    def _may_watch(self) -> bool:
        known = getattr(self.scope["user"], "pk", None)
        user = get_user_model().objects.filter(pk=known or 0, is_active=True).first()
        if user is None:
            return False
        try:
            dataset = dataset_for(user, self.dataset_id, Role.VIEWER)
        except (Http404, RoleTooLow):
            return False
        return self.run_id is None or Run.objects.filter(pk=self.run_id, dataset=dataset).exists()


def _cursors(query: str) -> dict[int, int]:
    """`after=3:17,4:2` → {3: 17, 4: 2}; anything else in it is left out."""
    pairs = (part.partition(":") for part in ",".join(parse_qs(query).get("after", [])).split(","))
    return {int(run): int(seq) for run, _, seq in pairs if run.isdecimal() and seq.isdecimal() and len(run + seq) < 25}
