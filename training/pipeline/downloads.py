"""Fetch one large file over HTTP, going on from where an earlier try stopped, and unpack it safely.

Beside the file that is wanted, FILE.part grows while it is fetched, and FILE.part.json says what it is a part of. FILE
itself appears when everything has arrived and its checksum is right. Only the standard library is imported.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import shutil
import socket
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from training.pipeline.supervision import Stopped
from training.pipeline.translation import Phrase, gettext_noop

MEGABYTE = 1_000_000
MOST_BYTES = 1_000 * MEGABYTE
MOST_UNPACKED_BYTES = 2_000 * MEGABYTE
MOST_MEMBERS = 10_000
_CHUNK = 256 * 1024
# Silence after which a server counts as gone.
_TIMEOUT_SECONDS = 30
# Kept free on the disk, for everything else that is written while the file arrives.
_SPARE_BYTES = 500 * MEGABYTE

# Bytes that are here, bytes in all (0 where the server does not say).
OnProgress = Callable[[int, int], None]


class DownloadError(RuntimeError):
    """The file could not be fetched or is not what it should be; the message says what to do."""


@dataclass(frozen=True)
class Part:
    """What a part is a part of: `validator` names that version of the file (an ETag, or the date of its last change).

    `md5` is that of the whole file, as base64, where the server tells it (Google's storage does).
    """

    url: str
    validator: str = ""
    total: int = 0
    md5: str = ""


def download(
    url: str, target: Path, *, sha256: str = "", on_progress: OnProgress, go_on: Callable[[], bool] = lambda: True
) -> str:
    """Fetch `url` into the file `target` and return its SHA-256; a part that is there already is gone on from.

    Raises DownloadError, OSError where the disk is full, and Stopped where `go_on`, which is asked for each piece, says
    no; the part is kept for the next try unless it turned out to be wrong.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise DownloadError(Phrase(gettext_noop("%(url)s is no address that can be fetched."), url=url))
    if target.is_file():
        # An earlier try was stopped after this step. It was checked before it got its name.
        with target.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    try:
        known = _receive(url, part, on_progress, go_on)
    except (OSError, HTTPException) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise
        raise _unreachable(url, error) from None
    return _checked(part, target, known, sha256)


def _receive(url: str, part: Path, on_progress: OnProgress, go_on: Callable[[], bool]) -> Part:
    """Let the part grow until the server has no more to send. Raises DownloadError, Stopped and what sockets raise."""
    known, here = _earlier(url, part)
    if here:
        on_progress(here, known.total)
        if not go_on():
            raise Stopped
    if known.total and here == known.total:
        return known
    with _open(url, known, here) as response:
        goes_on = response.status == 206 and _starts_at(response.headers, here)
        if not goes_on:
            here = 0
            known = _described(url, response.headers)
            _note(part).write_text(json.dumps(asdict(known)), encoding="utf-8")
        _refuse_too_much(known.total, here, part.parent)
        with part.open("ab" if goes_on else "wb") as file:
            while piece := response.read(_CHUNK):
                file.write(piece)
                here += len(piece)
                if here > MOST_BYTES:
                    _refuse_too_much(here, 0, part.parent)
                on_progress(here, known.total)
                if not go_on():
                    raise Stopped
    if here < known.total:
        values = {"host": urlsplit(url).netloc, "done": here / MEGABYTE, "total": known.total / MEGABYTE}
        text = gettext_noop(
            "The connection to %(host)s broke off after %(done).1f of %(total).1f MB. Try again: it goes on from there."
        )
        raise DownloadError(Phrase(text, **values))
    return known


def _open(url: str, known: Part, here: int) -> Any:
    """The server's answer: the rest of the file where it is still the same one (206), else all of it (200)."""
    # Compressed on its way, the bytes could not be counted.
    headers = {"User-Agent": "WebNet-Trainer", "Accept-Encoding": "identity"}
    if here:
        headers |= {"Range": f"bytes={here}-", "If-Range": known.validator}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  the scheme was checked
    try:
        return urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and here:
            # There is nothing behind what is here, so it is no part of this file.
            return _open(url, Part(url), 0)
        text = gettext_noop(
            "%(host)s does not give the file (answer %(status)d). Try again later, or add the detector as a file."
        )
        raise DownloadError(Phrase(text, host=urlsplit(url).netloc, status=error.code)) from None


def _earlier(url: str, part: Path) -> tuple[Part, int]:
    """What an earlier try left, and how many bytes of it can be gone on from."""
    try:
        known = Part(**json.loads(_note(part).read_text(encoding="utf-8")))
        here = part.stat().st_size
    except (OSError, ValueError, TypeError):
        return Part(url), 0
    # Without a name for its version, the rest might be that of another file.
    fits = known.url == url and known.validator and (not known.total or here <= known.total)
    return (known, here) if fits else (Part(url), 0)


def _described(url: str, headers: HTTPMessage) -> Part:
    etag = headers.get("ETag", "")
    # A weak ETag says that two versions mean the same, not that their bytes are equal.
    validator = "" if etag.startswith("W/") else etag
    validator = validator or headers.get("Last-Modified", "")
    length = headers.get("Content-Length", "")
    hashes = [piece.strip() for line in headers.get_all("x-goog-hash", []) for piece in line.split(",")]
    md5 = next((piece.removeprefix("md5=") for piece in hashes if piece.startswith("md5=")), "")
    return Part(url, validator, int(length) if length.isdecimal() else 0, md5)


def _starts_at(headers: HTTPMessage, here: int) -> bool:
    return headers.get("Content-Range", "").startswith(f"bytes {here}-")


def _refuse_too_much(total: int, here: int, folder: Path) -> None:
    """Raise DownloadError where a file of `total` bytes, `here` of which have arrived, is too large to be kept."""
    if total > MOST_BYTES:
        text = gettext_noop("The file has more than %(most)d MB, which is more than a detector needs.")
        raise DownloadError(Phrase(text, most=MOST_BYTES // MEGABYTE))
    # The archive, and what is unpacked out of it beside it.
    if shutil.disk_usage(folder).free < 3 * total - here + _SPARE_BYTES:
        text = gettext_noop("There is not enough room on the disk for a file of %(size)d MB. Make room and try again.")
        raise DownloadError(Phrase(text, size=total // MEGABYTE))


def _checked(part: Path, target: Path, known: Part, sha256: str) -> str:
    """Compare a whole part with everything that is known about it, and give it its name. Raises DownloadError."""
    sha, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with part.open("rb") as file:
        while piece := file.read(_CHUNK):
            sha.update(piece)
            md5.update(piece)
    found = sha.hexdigest()
    wrong_md5 = bool(known.md5) and base64.b64encode(md5.digest()).decode() != known.md5
    if wrong_md5 or (sha256 and found != sha256):
        discard(target)
        text = gettext_noop("The file that came from %(host)s is damaged or another one: its checksum is wrong.")
        raise DownloadError(Phrase(text, host=urlsplit(known.url).netloc))
    part.replace(target)
    _note(part).unlink(missing_ok=True)
    return found


def discard(target: Path) -> None:
    """Remove a file and what was fetched of it."""
    part = target.with_name(f"{target.name}.part")
    for path in (target, part, _note(part)):
        path.unlink(missing_ok=True)


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _unreachable(url: str, error: Exception) -> DownloadError:
    reason = getattr(error, "reason", error)
    values = {"host": urlsplit(url).netloc, "reason": str(reason) or type(reason).__name__}
    if isinstance(reason, socket.gaierror | ConnectionError | TimeoutError) or isinstance(error, HTTPException):
        text = gettext_noop(
            "The file could not be fetched from %(host)s: no connection. Check the network and try again, or add the"
            " detector as a file."
        )
        return DownloadError(Phrase(text, host=values["host"]))
    text = gettext_noop("The file could not be fetched from %(host)s: %(reason)s. Try again.")
    return DownloadError(Phrase(text, **values))


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a .tar.gz or a ZIP into the new `folder`.

    Raises DownloadError, and OSError where the disk is full; nothing is left then.
    """
    folder.mkdir(parents=True)
    try:
        if zipfile.is_zipfile(archive):
            _unzip(archive, folder)
        else:
            with tarfile.open(archive, "r:*") as opened:
                opened.extractall(folder, members=_safe_members(opened, folder), filter="data")
    except DownloadError:
        shutil.rmtree(folder)
        raise
    except tarfile.FilterError:
        shutil.rmtree(folder)
        raise _unsafe() from None
    except (OSError, EOFError, zlib.error, tarfile.TarError, zipfile.BadZipFile, RuntimeError) as error:
        shutil.rmtree(folder)
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        text = gettext_noop("The archive cannot be unpacked: it is damaged, or neither a .tar.gz nor a ZIP.")
        raise DownloadError(Phrase(text)) from None


def _safe_members(opened: tarfile.TarFile, folder: Path) -> Iterator[tarfile.TarInfo]:
    """Files and folders that stay inside; anything else, links too, is a reason to refuse the whole archive."""
    size = 0
    for count, member in enumerate(opened, start=1):
        if not (member.isfile() or member.isdir()):
            raise _unsafe()
        tarfile.data_filter(member, str(folder))
        size += member.size
        _refuse_bomb(count, size)
        yield member


def _unzip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        members = opened.infolist()
        _refuse_bomb(len(members), sum(member.file_size for member in members))
        root = folder.resolve()
        for member in members:
            if not (root / member.filename).resolve().is_relative_to(root):
                raise _unsafe()
        opened.extractall(folder)  # noqa: S202  each member was looked at


def _refuse_bomb(count: int, size: int) -> None:
    if count > MOST_MEMBERS or size > MOST_UNPACKED_BYTES:
        text = gettext_noop("The archive holds more than %(files)d files or %(most)d MB, more than a detector needs.")
        raise DownloadError(Phrase(text, files=MOST_MEMBERS, most=MOST_UNPACKED_BYTES // MEGABYTE))


def _unsafe() -> DownloadError:
    return DownloadError(Phrase(gettext_noop("The archive holds files that would be written outside of its folder.")))
