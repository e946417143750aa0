"""A web server as Google's storage is one, on this machine: ranges, versions, checksums, and connections that break."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Zoo:
    """What the server has (name → content), how it behaves, and the Range headers that it was asked with."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    break_after: int | None = None
    wrong_md5: bool = False
    asked: list[str] = field(default_factory=list)
    # Five bytes a second are sent until this is set.
    fast: threading.Event | None = None


def etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:16]}"'


class _Handler(BaseHTTPRequestHandler):
    zoo: Zoo

    def do_GET(self) -> None:
        content = self.zoo.files.get(self.path.rpartition("/")[2])
        self.zoo.asked.append(self.headers.get("Range", ""))
        if content is None:
            self.send_error(404)
            return
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        if self.headers.get("If-Range", "") not in ("", etag(content)):
            start = 0
        self.send_response(206 if start else 200)
        self._send_headers(content, start)
        self.end_headers()
        rest = content[start:]
        while self.zoo.fast and rest and not self.zoo.fast.wait(0.2):
            self.wfile.write(rest[:1])
            rest = rest[1:]
        self.wfile.write(rest[: self.zoo.break_after])

    def _send_headers(self, content: bytes, start: int) -> None:
        md5 = hashlib.md5(b"other" if self.zoo.wrong_md5 else content).digest()
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("ETag", etag(content))
        self.send_header("x-goog-hash", "crc32c=AAAAAA==")
        self.send_header("x-goog-hash", f"md5={base64.b64encode(md5).decode()}")
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")

    def log_message(self, *args: object) -> None:
        """Nobody reads it."""


@contextmanager
def running() -> Iterator[Zoo]:
    """A server until the end of the block."""
    zoo = Zoo()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"zoo": zoo}))
    zoo.url = f"http://127.0.0.1:{server.server_port}/tf2"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield zoo
    server.shutdown()
    server.server_close()
    thread.join()


def tar(members: Mapping[str, bytes], *, link: str = "") -> bytes:
    """A .tar.gz with `members`, and a symbolic link of the name `link` to /etc."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        if link:
            info = tarfile.TarInfo(link)
            info.type, info.linkname = tarfile.SYMTYPE, "/etc"
            archive.addfile(info)
    return buffer.getvalue()
