"""Who looks at which artwork just now, and telling them when its boxes change.

One `Watch` per web process, alive only while somebody looks: it reads the revisions of all artworks that are looked at
in one query, several times a second. That finds every change whoever makes it – people, detectors, the admin, another
process – and costs the same with and without Redis. Who is there is known per web process; one serves the pages.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from channels.db import database_sync_to_async
from django.db import OperationalError

from datasets.models import Artwork

POLL_SECONDS = 0.15

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Viewer:
    """One open page of an artwork: who looks, and how they are told."""

    def __init__(self, artwork_id: int, name: str, send: Send) -> None:
        self.artwork_id, self.name, self.send = artwork_id, name, send


class Watch:
    """The pages that are open in this process."""

    def __init__(self) -> None:
        self._viewers: dict[int, set[Viewer]] = defaultdict(set)
        self._revisions: dict[int, int] = {}
        self._task: asyncio.Task[None] | None = None

    async def join(self, viewer: Viewer) -> None:
        """Somebody opens an artwork: they are told its revision and who is there, and so are the others."""
        self._viewers[viewer.artwork_id].add(viewer)
        await self._tell_people(viewer.artwork_id)
        revision = (await _revisions([viewer.artwork_id])).get(viewer.artwork_id)
        if revision is not None:
            await _tell([viewer], {"type": "revision", "revision": revision})
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def leave(self, viewer: Viewer) -> None:
        """Somebody closes the page."""
        viewers = self._viewers[viewer.artwork_id]
        viewers.discard(viewer)
        if viewers:
            await self._tell_people(viewer.artwork_id)
        else:
            del self._viewers[viewer.artwork_id]
            self._revisions.pop(viewer.artwork_id, None)

    async def _tell_people(self, artwork_id: int) -> None:
        viewers = self._viewers[artwork_id]
        names = sorted({viewer.name for viewer in viewers})
        await _tell(list(viewers), {"type": "people", "people": names})

    async def _run(self) -> None:
        while self._viewers:
            # The database may be away for a while; the next look finds what has changed meanwhile.
            with contextlib.suppress(OperationalError):
                await self._look()
            await asyncio.sleep(POLL_SECONDS)

    async def _look(self) -> None:
        for artwork_id, revision in (await _revisions(list(self._viewers))).items():
            known = self._revisions.get(artwork_id)
            self._revisions[artwork_id] = revision
            if known is not None and revision != known:
                await _tell(list(self._viewers.get(artwork_id, ())), {"type": "revision", "revision": revision})


async def _tell(viewers: list[Viewer], message: dict[str, Any]) -> None:
    for viewer in viewers:
        # A page that is just going takes nothing along with it.
        with contextlib.suppress(Exception):
            await viewer.send(message)


@database_sync_to_async
def _revisions(artwork_ids: list[int]) -> dict[int, int]:
    return dict(Artwork.objects.filter(pk__in=artwork_ids).values_list("pk", "revision"))


_watches: dict[asyncio.AbstractEventLoop, Watch] = {}


def watch() -> Watch:
    """The watch of the running event loop (one per web process)."""
    loop = asyncio.get_running_loop()
    if loop not in _watches:
        _watches.clear()
        _watches[loop] = Watch()
    return _watches[loop]
