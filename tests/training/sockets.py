"""A run to watch, a socket to watch it on, and what is heard there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import connections

from training.models import Detector, InferenceRun, Run


def make_run(dataset: Any) -> Run:
    detector = Detector.objects.create(
        name="Pretrained", kind="pretrained", architecture="x", input_size=300, labels=[], folder="x"
    )
    return InferenceRun.objects.create(
        dataset=dataset, kind="inference", state="running", detector=detector, threshold=0.5, mapping={}
    )


@asynccontextmanager
async def socket(user: Any, dataset_id: int, run_id: int | None = None, query: str = "") -> AsyncIterator[Any]:
    from webnet.asgi import sockets

    path = f"/ws/datasets/{dataset_id}/" + (f"runs/{run_id}/" if run_id else "")
    communicator = WebsocketCommunicator(sockets, path + query)
    communicator.scope["user"] = user
    connected, _ = await communicator.connect(timeout=10)
    assert connected
    yield communicator
    if not communicator.future.done():
        await communicator.disconnect()
    # A communicator keeps Django from closing connections, and PostgreSQL drops no database that one is open to.
    await database_sync_to_async(connections.close_all)()


async def collect(communicator: Any, count: int) -> list[dict[str, Any]]:
    """Receive messages until `count` events have come."""
    events: list[dict[str, Any]] = []
    while len(events) < count:
        message = await communicator.receive_json_from(timeout=10)
        if message["type"] == "state":
            events += [event for run in message["runs"] for event in run["events"]]
        else:
            events += message["events"]
    return events
