"""The websocket on which a dataset's or a run's page hears what happens."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import Error as DatabaseError
from django.http import Http404
from django.utils import translation
from redis.exceptions import RedisError

from datasets.models import Role
from datasets.permissions import RoleTooLow, dataset_for
from datasets.sockets import TidySocket
from training.live import EventJson, Listener, events_after, group_of, tailer
from training.models import Run
from training.phrases import translated_event
from training.serializers import run_json

FORBIDDEN = 4403
TOO_SLOW = 4408
# How often a connected person's rights are looked up again.
RIGHTS_SECONDS = 20.0


class NoSuchSocket(AsyncJsonWebsocketConsumer):
    """Answers addresses where no socket is, in place of an exception in the log."""

    async def connect(self) -> None:
        await self.close(code=FORBIDDEN)


class LiveConsumer(TidySocket):
    """Sends the full state, then every event after it, in order and once.

    `?after=<run>:<seq>,…` names what a returning client has seen already, `language=<code>` the language of its page.
    The client sends nothing.
    """

    listener: Listener | None = None
    pump: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        keys = self.scope["url_route"]["kwargs"]
        self.dataset_id, self.run_id = keys["dataset_id"], keys.get("run_id")
        await self.accept()
        if not await self._may_watch():
            # Accepted first: a refusal before that reaches the browser without its code.
            await self.close(code=FORBIDDEN)
            return
        query = self.scope["query_string"].decode("ascii", "ignore")
        self.cursors, self.language = _cursors(query), _language(query)
        await self.channel_layer.group_add(group_of(self.dataset_id), self.channel_name)
        self.listener = Listener(self.dataset_id, self.run_id)
        # Joined before the state is read: what happens in between arrives twice and is dropped by number.
        await tailer().join(self.listener)
        await self._send_state()
        self.pump = asyncio.create_task(self._forward(self.listener))

    async def leave(self) -> None:
        listener, pump = self.listener, self.pump
        self.listener = self.pump = None
        if pump:
            pump.cancel()
        if listener:
            tailer().leave(listener)
            # Where Redis is away: it forgets by itself, after a day, a channel that nobody listens to.
            with contextlib.suppress(OSError, RedisError):
                await self.channel_layer.group_discard(group_of(self.dataset_id), self.channel_name)
        if pump:
            with contextlib.suppress(asyncio.CancelledError):
                await pump

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
                if not await self._may_still_watch():
                    await self.close(code=FORBIDDEN)
                    return

    async def _send_events(self, events: list[EventJson]) -> None:
        news = [event for event in events if event["seq"] > self.cursors.get(event["run"], 0)]
        if news:
            self.cursors[news[-1]["run"]] = news[-1]["seq"]
            with translation.override(self.language):
                told = list(map(translated_event, news))
            await self.send_json({"type": "events", "events": told})

    async def _send_state(self) -> None:
        runs = await self._state()
        for run in runs:
            if run["events"]:
                self.cursors[run["id"]] = run["events"][-1]["seq"]
        await self.send_json({"type": "state", "runs": runs})

    @database_sync_to_async
    def _state(self) -> list[dict[str, Any]]:
        with translation.override(self.language):
            return self._runs()

    def _runs(self) -> list[dict[str, Any]]:
        runs = Run.objects.filter(dataset=self.dataset_id)
        runs = runs.filter(pk=self.run_id) if self.run_id else runs.active()
        rows = runs.select_related("trainingrun__detector", "inferencerun__detector", "created_by")
        for run in rows:
            # A power cut can take the last events with it: who had seen them hears those that get their numbers now.
            self.cursors[run.pk] = min(self.cursors.get(run.pk, 0), run.last_seq)
        return [{**run_json(run), "events": list(map(translated_event, self._missed(run)))} for run in rows]

    def _missed(self, run: Run) -> list[EventJson]:
        return events_after(run.pk, run.kind, self.cursors.get(run.pk, 0), limit=None)

    async def _may_still_watch(self) -> bool:
        """As `_may_watch`; while the database is away nobody's rights have changed."""
        try:
            return bool(await self._may_watch())
        except DatabaseError:
            return True

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


def _language(query: str) -> str:
    """The language that the page says it is in, or the installation's where it names none that there is."""
    wanted = parse_qs(query).get("language", [""])[0]
    return wanted if wanted in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
