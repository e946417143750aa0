"""Add an artwork: check it, render it, store it, and leave nothing behind where that fails."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from datasets import files, images, names, storing
from datasets.models import Artwork, Dataset
from datasets.refusals import Conflict, Refusal

DISK_FULL = 507


class Duplicate(Conflict):
    """409: the dataset has this very file already; `artwork` is the one that has it."""

    def __init__(self, artwork: Artwork) -> None:
        message = _("This file is already in the dataset, as “%(title)s”. Nothing needs to be done.")
        super().__init__(message % {"title": artwork}, code="duplicate")
        self.artwork = artwork


def add_artwork(
    *, dataset: Dataset, user: Any, upload: File, relative_path: str = "", metadata: Mapping[str, str] | None = None
) -> Artwork:
    """Add one image file to a dataset.

    The original is kept byte for byte. The title defaults to the file's name made human. A file that was deleted from
    this dataset comes back with its metadata and boxes: the artwork's attribute `restored` tells.

    Raises:
        Duplicate: the dataset has it already.
        UnreadableImage: it is not an image that can be taken in.
        Refusal: it is larger than an upload may be, or the disk is full.
    """
    refuse_too_large(upload)
    with tempfile.TemporaryDirectory(dir=settings.UPLOADS_DIR) as folder, no_space_is_said():
        source = _on_disk(upload, Path(folder))
        sha256 = _sha256(source)
        earlier = _earlier(dataset, sha256)
        if earlier:
            return earlier
        rendering = images.render(source, Path(folder))
        artwork = Artwork(
            **_described(relative_path or upload.name or "", metadata or {}),
            **asdict(rendering),
            dataset=dataset,
            added_by=user,
            byte_size=source.stat().st_size,
            sha256=sha256,
        )
        return _keep(artwork, source, Path(folder))


def refuse_too_large(upload: File) -> None:
    """Raise `Refusal` where a file has more bytes than an upload may have."""
    limit = settings.MAX_UPLOAD_BYTES
    if upload.size > limit:
        message = _("The file is larger than the %(limit)d MB that fit. Make it smaller and add it again.")
        raise Refusal(message % {"limit": limit // 1024**2}, code="too_large")


def _described(path: str, metadata: Mapping[str, str]) -> dict[str, str]:
    """File name, folder, title and metadata; an empty field of a form does not take the default title away."""
    file_name = names.base_name(path)
    given = {name: value for name, value in metadata.items() if value}
    return {"file_name": file_name, "folder": names.folder_of(path), "title": names.title_from(file_name), **given}


def _on_disk(upload: File, folder: Path) -> Path:
    """Path of an upload; a small one that Django kept in memory is written first."""
    if hasattr(upload, "temporary_file_path"):
        return Path(upload.temporary_file_path())
    path = folder / "original"
    storing.write(upload, path)
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _earlier(dataset: Dataset, sha256: str) -> Artwork | None:
    """The deleted artwork with this content, brought back; None where there was none.

    Raises:
        Duplicate: there is one that is not deleted.
    """
    same = dataset.artworks.filter(sha256=sha256)
    present = same.present().first()
    if present:
        raise Duplicate(present)
    artwork: Artwork | None = same.order_by("-deleted_at").first()
    if artwork:
        bring_back(artwork)
        artwork.restored = True  # type: ignore[attr-defined]
    return artwork


def bring_back(artwork: Artwork) -> None:
    """Undo the deletion of an artwork.

    Raises:
        Duplicate: the same image has been added again meanwhile.
    """
    try:
        with transaction.atomic():
            Artwork.objects.filter(pk=artwork.pk).update(deleted_at=None, updated_at=timezone.now())
    except IntegrityError:
        raise Duplicate(artwork.dataset.artworks.present().get(sha256=artwork.sha256)) from None
    artwork.deleted_at = None


def _keep(artwork: Artwork, source: Path, folder: Path) -> Artwork:
    """Store the files, then the row: whoever sees the row finds the files."""
    rendered = {
        "original": source,
        "display": folder / files.DISPLAY,
        "thumbnail": folder / files.THUMBNAIL,
        "pyramid": folder / files.PYRAMID,
    }
    stored = []
    try:
        for kind, path in rendered.items():
            if path.exists() and storing.store(path, files.path_of(artwork, kind)):
                stored.append(kind)
        with transaction.atomic():
            artwork.save(force_insert=True)
    except IntegrityError:  # the same file was added twice at once, and this one came second
        present = artwork.dataset.artworks.present().filter(sha256=artwork.sha256).first()
        if present:
            raise Duplicate(present) from None
        storing.remove_files(artwork, stored)
        raise
    except BaseException:
        # Only what came from here: the same file may be on its way in from somebody else.
        storing.remove_files(artwork, stored)
        raise
    return artwork


@contextmanager
def no_space_is_said() -> Iterator[None]:
    """Turn the error of a full disk into a refusal that says so."""
    try:
        yield
    except (OSError, OperationalError) as error:
        # Databases say it in words: "database or disk is full", "could not extend file …: No space left on device".
        said = any(words in str(error) for words in ("disk is full", os.strerror(errno.ENOSPC)))
        if getattr(error, "errno", None) != errno.ENOSPC and not said:
            raise
        message = _("The server's disk is full. Nothing was added; ask its administrator to make room.")
        raise Refusal(message, code="disk_full", status_code=DISK_FULL) from error
