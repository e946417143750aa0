"""Look into a ZIP that somebody uploaded, and take single files out of it. Trusts nothing that the ZIP says.

Names are shown in the script they were written in: UTF-8 is recognised even where the ZIP does not declare it.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from django.utils.translation import gettext as _

from datasets import formats
from datasets.refusals import Refusal

MOST_MEMBERS = 20_000
# Pictures hardly shrink in a ZIP. What unpacks to over 200 times its size, and is large, was made to fill a disk.
MOST_RATIO = 200
RATIO_MATTERS_FROM = 20 * 1024**2
CHUNK = 1024 * 1024
LEFT_OUT = {"thumbs.db", "desktop.ini"}
FLAG_ENCRYPTED, FLAG_UTF8 = 0x1, 0x800
PACKINGS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError)  # whatever zipfile says of hostile bytes


class BrokenArchive(Refusal):
    """400: not a ZIP, a damaged one, or one that asks for more than it may; `code` says which."""

    def __init__(self, message: str, code: str = "broken_archive") -> None:
        super().__init__(message, code=code)


@dataclass
class Listing:
    """What a ZIP holds: images that can be added, as `{"name", "size"}` in bytes, and `{"name", "reason"}` refused."""

    members: list[dict[str, str | int]] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)


def inspect(path: Path, limit: int) -> Listing:
    """List a ZIP whose images may have up to `limit` bytes. Folders and the litter of file managers are left out.

    Raises:
        BrokenArchive: it is no ZIP, is damaged, or holds too many files.
    """
    listing, seen = Listing(), set()
    with _opened(path) as archive:
        for info in archive.infolist():
            name = shown_name(info)
            if info.is_dir() or _is_litter(name):
                continue
            reason = _("The archive has two files of this name.") if name in seen else _objection(archive, info, limit)
            seen.add(name)
            if reason:
                listing.refused.append({"name": name, "reason": reason})
            else:
                listing.members.append({"name": name, "size": info.file_size})
    return listing


def extract_member(path: Path, name: str, destination: Path, limit: int) -> None:
    """Write the member that `inspect` lists as `name` to `destination`, at most `limit` bytes of it.

    Raises:
        BrokenArchive: there is no such member, it is refused, damaged, or larger than it says.
    """
    with _opened(path) as archive:
        info = next((info for info in archive.infolist() if shown_name(info) == name), None)
        if info is None:
            raise BrokenArchive(_("The archive has no file of this name. Upload it again."), "no_such_member")
        reason = _objection(archive, info, limit)
        if reason:
            raise BrokenArchive(reason, "refused_member")
        _copy(archive, info, destination, limit)


def shown_name(info: zipfile.ZipInfo) -> str:
    """A member's name with `/` between folders; undeclared UTF-8, which zipfile reads as code page 437, is mended."""
    name = info.filename
    if not info.flag_bits & FLAG_UTF8:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            return name.replace("\\", "/")  # it really is code page 437
    return name.replace("\\", "/")


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except (*DAMAGE, OSError):
        message = _("This is not a ZIP archive, or it is damaged. Make it again and upload that.")
        raise BrokenArchive(message) from None
    with archive:
        if len(archive.infolist()) > MOST_MEMBERS:
            message = _("The archive holds more than %(most)d files. Split it into smaller ones.")
            raise BrokenArchive(message % {"most": MOST_MEMBERS}, "too_many_members")
        yield archive


def _is_litter(name: str) -> bool:
    parts = PurePosixPath(name).parts
    hidden = any(part.startswith(".") and part != ".." for part in parts)
    return not parts or hidden or "__MACOSX" in parts or parts[-1].lower() in LEFT_OUT


def _objection(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> str | None:
    """Why a member is not taken in, or None."""
    name = shown_name(info)
    if name.startswith("/") or ".." in name.split("/") or name[1:2] == ":":
        return _("Its name points outside of the archive.")
    if stat.S_ISLNK(info.external_attr >> 16):
        return _("It is a link, not a file.")
    if info.flag_bits & FLAG_ENCRYPTED:
        return _("It is encrypted. Make the archive without a password.")
    if info.compress_type not in PACKINGS:
        return _("It is packed in an unusual way. Make the archive with ordinary (deflate) compression.")
    if info.file_size > limit:
        return _("It is larger than the %(limit)d MB that fit.") % {"limit": limit // 1024**2}
    if info.file_size > RATIO_MATTERS_FROM and info.file_size > MOST_RATIO * max(info.compress_size, 1):
        return _("It unpacks to more than %(ratio)d times its size.") % {"ratio": MOST_RATIO}
    return _objection_to_content(archive, info)


def _objection_to_content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> str | None:
    try:
        with archive.open(info) as file:
            head = file.read(formats.HEAD)
    except DAMAGE:
        return _("It is damaged inside the archive.")
    if not head:
        return _("It is empty.")
    return None if formats.format_of(head) else _("It is not a JPEG, PNG, WebP or TIFF image.")


def _copy(archive: zipfile.ZipFile, info: zipfile.ZipInfo, destination: Path, limit: int) -> None:
    """Unpack one member, counting what really comes out."""
    total = 0
    try:
        with archive.open(info) as file, destination.open("wb") as written:
            while chunk := file.read(CHUNK):
                total += len(chunk)
                if total > limit:
                    raise BrokenArchive(_("The file is larger than the archive says."), "refused_member")
                written.write(chunk)
    except DAMAGE:
        message = _("This file is damaged inside the archive. Make the archive again.")
        raise BrokenArchive(message, "damaged_member") from None
