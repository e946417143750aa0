"""Bodies of requests: on disk while they come in, refused where they are too large, and handed to Django as a file.

daphne alone would hold a whole body in memory, piece by piece in a queue, before Django looks at the request: anybody,
logged in or not, could fill the memory of the web process. Here Twisted's pieces go into a file of the folder of
uploads, and Django reads that file.
"""

from __future__ import annotations

import io
import json
import tempfile
from contextvars import ContextVar
from typing import IO, Any

from daphne import http_protocol
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.utils.translation import gettext as _

# A form around a file of the greatest allowed size needs a little more.
SLACK = 1024 * 1024
SMALL = 100_000
# Names the body of a request between the two; daphne drops a client's own, since it is set for every request.
HEADER = b"webnet-body"

_waiting: dict[bytes, IO[bytes]] = {}
_body: ContextVar[IO[bytes] | None] = ContextVar("body", default=None)


class Request(http_protocol.WebRequest):
    """A request whose body is written to disk; what is too large is read to its end, so that the answer arrives."""

    def __init__(self, *args: Any, **options: Any) -> None:
        # Twisted would parse every form in memory before Django sees it.
        super().__init__(*args, **{**options, "parsePOSTFormSubmission": False})
        self.refusal: tuple[int, str, str] | None = None
        self.room = 0

    def gotLength(self, length: int | None) -> None:
        """The head of the request is there, and its body, of `length` bytes if that is known, begins."""
        self.room = self._most()
        small = length is not None and length < SMALL
        self.content = io.BytesIO() if small else tempfile.TemporaryFile(dir=settings.UPLOADS_DIR)  # noqa: SIM115

    def handleContentChunk(self, data: bytes) -> None:
        """Write a piece of the body, unless it is refused already."""
        if self.refusal:
            return
        self.room -= len(data)
        if self.room < 0:
            limit = settings.MAX_UPLOAD_BYTES // 1024**2
            self._refuse(413, "too_large", _("This is larger than the %(limit)d MB that fit.") % {"limit": limit})
            return
        try:
            self.content.write(data)
        except OSError:
            self._refuse(507, "disk_full", _("The server's disk is full. Ask its administrator to make room."))

    def process(self) -> Any:
        """The body is complete: hand it over beside daphne's queue, which then carries an empty one."""
        if self.refusal:
            return self._answer(*self.refusal)
        self.requestHeaders.removeHeader(HEADER)
        if not self.requestHeaders.hasHeader(b"upgrade"):
            self.requestHeaders.setRawHeaders(HEADER, [self._key])
            _waiting[self._key], self.content = self.content, io.BytesIO()
        return super().process()

    def finish(self) -> None:
        """The answer is given."""
        self._forget_body()
        super().finish()

    def connectionLost(self, reason: Any) -> None:
        """The client is gone."""
        self._forget_body()
        super().connectionLost(reason)

    @property
    def _key(self) -> bytes:
        return str(id(self)).encode()

    def _forget_body(self) -> None:
        """A body that Django has not taken up is of no use any more."""
        unclaimed = _waiting.pop(self._key, None)
        if unclaimed:
            unclaimed.close()

    def _most(self) -> int:
        """Bytes that the body may have: a file only where somebody claims to be logged in."""
        headers = self.requestHeaders
        cookie = b"".join(headers.getRawHeaders(b"cookie") or [])
        claims = headers.hasHeader(b"authorization") or settings.SESSION_COOKIE_NAME.encode() in cookie
        return int(settings.MAX_UPLOAD_BYTES + SLACK if claims else settings.DATA_UPLOAD_MAX_MEMORY_SIZE)

    def _refuse(self, status: int, code: str, message: str) -> None:
        self.refusal = (status, code, message)
        self.content.close()
        self.content = io.BytesIO()

    def _answer(self, status: int, code: str, message: str) -> None:
        self.setResponseCode(status)
        self.setHeader(b"Content-Type", b"application/json")
        self.write(json.dumps({"code": code, "message": message}).encode())
        self.finish()


class Handler(ASGIHandler):
    """Django's handler, which finds the body of a request in a file where `Request` has put it."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        key = dict(scope.get("headers", ())).get(HEADER, b"")
        _body.set(_waiting.pop(key, None))
        await super().__call__(scope, receive, send)

    async def read_body(self, receive: Any) -> IO[bytes]:
        """The body as an open file; from the pieces that `receive` gives where the server is another one."""
        spooled: IO[bytes] = await super().read_body(receive)
        body = _body.get()
        if body is None:
            return spooled
        spooled.close()
        return body
