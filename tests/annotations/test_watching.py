"""The socket of an open artwork: who is there, and that its boxes have changed."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser

from annotations import consumers, services, watching
from annotations.consumers import FORBIDDEN
from annotations.models import Label
from datasets.models import Membership
from tests.sockets import at_work, break_off, lose_redis

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]


@asynccontextmanager
async def looking(user: Any, artwork: Any, dataset_id: int = 0) -> AsyncIterator[Any]:
    from webnet.asgi import sockets

    path = f"/ws/datasets/{dataset_id or artwork.dataset_id}/artworks/{artwork.pk}/"
    communicator = WebsocketCommunicator(sockets, path)
    communicator.scope["user"] = user
    connected, _ = await communicator.connect(timeout=10)
    assert connected
    yield communicator
    if not communicator.future.done():
        await communicator.disconnect()


async def told(communicator: Any, kind: str) -> Any:
    """The next message of a kind."""
    while True:
        message = await communicator.receive_json_from(timeout=10)
        if message["type"] == kind:
            return message[kind]


@database_sync_to_async
def draw(artwork: Any, user: Any, label: Label) -> int:
    artwork.refresh_from_db()
    place = {"x": 10.0, "y": 10.0, "width": 20.0, "height": 20.0}
    edit: Any = {"op": "create", "id": uuid.uuid4(), "label": label.pk, **place}
    document = services.apply_edits(
        artwork=artwork, user=user, batch_id=uuid.uuid4(), revision=artwork.revision, edits=[edit]
    )
    return document["revision"]


async def test_each_hears_who_else_is_there_and_when_they_go(artwork: Any, owner: Any, annotator: Any) -> None:
    async with looking(owner, artwork) as first:
        assert await told(first, "people") == ["olga"]
        async with looking(annotator, artwork) as second:
            assert await told(first, "people") == ["anna", "olga"] == await told(second, "people")
        assert await told(first, "people") == ["olga"]


async def test_a_change_is_told_to_everybody_who_looks_at_that_artwork_alone(
    dataset: Any, make_artwork: Any, owner: Any, annotator: Any, label: Label
) -> None:
    here, elsewhere = await database_sync_to_async(lambda: [make_artwork(dataset, seed) for seed in (1, 2)])()
    async with (
        looking(owner, here) as first,
        looking(annotator, here) as second,
        looking(annotator, elsewhere) as other,
    ):
        for one in (first, second, other):
            await told(one, "revision")
        await asyncio.sleep(0.5)
        revision = await draw(here, annotator, label)
        assert [await told(one, "revision") for one in (first, second)] == [revision, revision]
        assert await other.receive_nothing(timeout=0.5)


async def test_who_may_not_see_the_artwork_is_turned_away(
    artwork: Any, outsider: Any, owner: Any, dataset: Any
) -> None:
    theirs = await database_sync_to_async(lambda: outsider.memberships.get().dataset_id)()
    for user, dataset_id in ((outsider, 0), (AnonymousUser(), 0), (outsider, theirs)):
        async with looking(user, artwork, dataset_id) as communicator:
            message = await communicator.receive_output(timeout=10)
            assert message == {"type": "websocket.close", "code": FORBIDDEN}


async def test_who_loses_the_rights_hears_no_more(artwork: Any, viewer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "RIGHTS_SECONDS", 0.1)
    async with looking(viewer, artwork) as communicator:
        await told(communicator, "people")
        await database_sync_to_async(Membership.objects.filter(user=viewer).delete)()
        while (message := await communicator.receive_output(timeout=10))["type"] != "websocket.close":
            pass
        assert message["code"] == FORBIDDEN


async def test_a_page_that_redis_drops_leaves_nobody_behind(
    artwork: Any, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes back by itself, as another socket: what stayed of this one would be shown as a person for good."""
    away = lose_redis(monkeypatch)
    async with looking(owner, artwork) as communicator:
        await told(communicator, "people")
        await told(communicator, "revision")
        await asyncio.sleep(0.1)
        assert watching.watch()._viewers and at_work("ArtworkConsumer._guard") == 1
        await break_off(communicator, away)
        assert not watching.watch()._viewers and at_work("ArtworkConsumer._guard") == 0
