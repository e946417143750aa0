"""Sockets that lose Redis, and what they leave behind in the web process."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import get_channel_layer
from redis.exceptions import ConnectionError as RedisAway


def lose_redis(patch: pytest.MonkeyPatch) -> asyncio.Event:
    """From the moment that the event is set, whoever waits for the channel layer is told that Redis is away."""
    away = asyncio.Event()

    async def receive(*_: Any) -> Any:
        await away.wait()
        raise RedisAway("Connection closed by server.")

    patch.setattr(type(get_channel_layer()), "receive", receive)
    return away


async def break_off(communicator: Any, away: asyncio.Event) -> None:
    """Let Redis go away, and see the socket end by that and not by its client."""
    away.set()
    with pytest.raises(RedisAway):
        await communicator.wait(timeout=10)


def at_work(method: str) -> int:
    """How many tasks of this loop run a method, such as `LiveConsumer._forward`."""
    return sum(getattr(task.get_coro(), "__qualname__", "") == method for task in asyncio.all_tasks())
