"""Bodies of requests: on disk while they come in, refused where they are too large, and handed to Django as a file.

daphne alone would hold a whole body in memory, piece by piece in a queue, before Django looks at the request: anybody,
logged in or not, could fill the memory of the web process. Here Twisted's pieces go into a file of the folder of
uploads, and Django reads that file.
"""

from __future__ import annotations

import io
import json
import tempfile
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import IO, Any

from daphne import http_protocol
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.cookie import parse_cookie
from django.utils import translation
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
        self.limit = self.room = 0

    def gotLength(self, length: int | None) -> None:
        """The head of the request is there, and its body, of `length` bytes if that is known, begins."""
        self.limit = self._most()
        self.room = 0 if self._is_handshake else self.limit + SLACK
        small = length is not None and length < SMALL
        self.content = io.BytesIO() if small else tempfile.TemporaryFile(dir=settings.UPLOADS_DIR)  # noqa: SIM115

    def handleContentChunk(self, data: bytes) -> None:
        """Write a piece of the body, unless it is refused already."""
        if self.refusal:
            return
        self.room -= len(data)
        if self.room < 0:
            self._refuse_too_much()
            return
        try:
            self.content.write(data)
        except OSError:
            with self._own_language():
                text = _("The server's disk is full. Ask its administrator to make room.")
            self._refuse(507, "disk_full", text)

    def process(self) -> Any:
        """The body is complete: hand it over beside daphne's queue, which then carries an empty one."""
        if self.refusal:
            return self._answer(*self.refusal)
        self.requestHeaders.removeHeader(HEADER)
        if not self._is_handshake:
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
        """Bytes that fit: a file only in a form, for all else is parsed in memory, and only of who may be logged in."""
        file = self._is_form and self._claims
        return int(settings.MAX_UPLOAD_BYTES if file else settings.DATA_UPLOAD_MAX_MEMORY_SIZE)

    @property
    def _is_handshake(self) -> bool:
        """Whether daphne will make a websocket of it, which has no body; other upgrades are requests like any other."""
        wanted = self.requestHeaders.getRawHeaders(b"upgrade") or [b""]
        return bool(wanted[0].lower() == b"websocket")

    @property
    def _is_form(self) -> bool:
        return self._header(b"content-type").lower().startswith(b"multipart/form-data")

    @property
    def _claims(self) -> bool:
        """Whether somebody claims to be logged in."""
        return bool(self._header(b"authorization")) or settings.SESSION_COOKIE_NAME.encode() in self._header(b"cookie")

    def _header(self, name: bytes) -> bytes:
        return b"; ".join(self.requestHeaders.getRawHeaders(name) or [])

    def _own_language(self) -> AbstractContextManager[None]:
        """The language of who asks: no middleware has seen this request."""
        asking = HttpRequest()
        asking.META["HTTP_ACCEPT_LANGUAGE"] = self._header(b"accept-language").decode("latin-1")
        asking.COOKIES = parse_cookie(self._header(b"cookie").decode("latin-1"))
        return translation.override(translation.get_language_from_request(asking))

    def _refuse_too_much(self) -> None:
        with self._own_language():
            if self._is_form and not self._claims:
                # A file is sent by a page; the session of this one has ended.
                self._refuse(401, "not_authenticated", _("You are not logged in any more. Log in, then try again."))
                return
            limit = self.limit // 1024**2
            self._refuse(413, "too_large", _("This is larger than the %(limit)d MB that fit.") % {"limit": limit})

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
