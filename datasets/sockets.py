"""What the websockets of all apps have in common."""

from __future__ import annotations

from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer


class TidySocket(AsyncJsonWebsocketConsumer):
    """A socket that says in `leave` what it leaves behind, and does so however it ends.

    Channels calls `disconnect` only when the client has gone: where Redis or the database fails the consumer, that
    never comes, and whatever it joined or began would go on as long as the web process lives.
    """

    async def __call__(self, *args: Any) -> None:
        """Serve one socket: scope, receive and send, as ASGI has them."""
        try:
            await super().__call__(*args)
        finally:
            await self.leave()

    async def disconnect(self, code: int) -> None:
        await self.leave()

    async def leave(self) -> None:
        """Leave what was joined and end what was begun; called again, do nothing."""
        raise NotImplementedError
