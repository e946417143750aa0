"""The websocket of an open artwork: who else is there, and that its boxes have changed."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.db import Error as DatabaseError
from django.http import Http404

from annotations.watching import Viewer, watch
from datasets.delivery import artwork_for
from datasets.sockets import TidySocket

FORBIDDEN = 4403
# How often a connected person's rights are looked up again.
RIGHTS_SECONDS = 20.0


class ArtworkConsumer(TidySocket):
    """Sends `{"type": "people", "people": [names]}` and `{"type": "revision", "revision": number}`.

    A page reads the boxes again where the revision is newer than its own. The client sends nothing.
    """

    viewer: Viewer | None = None
    guard: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        keys = self.scope["url_route"]["kwargs"]
        self.dataset_id, self.artwork_id = keys["dataset_id"], keys["artwork_id"]
        await self.accept()
        name = await self._name()
        if not name:
            # Accepted first: a refusal before that reaches the browser without its code.
            await self.close(code=FORBIDDEN)
            return
        self.viewer = Viewer(self.artwork_id, name, self.send_json)
        await watch().join(self.viewer)
        self.guard = asyncio.create_task(self._guard())

    async def leave(self) -> None:
        viewer, guard = self.viewer, self.guard
        self.viewer = self.guard = None
        if guard:
            guard.cancel()
        if viewer:
            await watch().leave(viewer)
        if guard:
            with contextlib.suppress(asyncio.CancelledError):
                await guard

    async def receive(self, *args: Any, **kwargs: Any) -> None:
        """Clients have nothing to say here; what they send is not even parsed."""

    async def _guard(self) -> None:
        while await self._may_stay():
            await asyncio.sleep(RIGHTS_SECONDS)
        await self.close(code=FORBIDDEN)

    async def _may_stay(self) -> bool:
        """Whether they may still see it; while the database is away nobody's rights have changed."""
        try:
            return bool(await self._name())
        except DatabaseError:
            return True

    @database_sync_to_async
    def _name(self) -> str:
        """The name of the person, or nothing where they may not see the artwork (any more)."""
        known = getattr(self.scope["user"], "pk", None)
        user = get_user_model().objects.filter(pk=known or 0, is_active=True).first()
        if user is None:
            return ""
        try:
            artwork_for(user, self.dataset_id, self.artwork_id)
        except Http404:
            return ""
        return str(user.get_username())
