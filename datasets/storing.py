"""Put files of artworks into the storage and take them out, and keep archives in the folder of uploads."""

import contextlib
import shutil
import threading
import uuid
from collections.abc import Iterable
from pathlib import Path
from weakref import WeakValueDictionary

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from datasets import files
from datasets.models import Archive, Artwork

# Of the remote files that are being copied by threads of this process: a lock each, gone with its last user.
_copying: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
_guard = threading.Lock()


def store(source: Path, path: str) -> bool:
    """Copy a file into the storage; False where the same content is already there.

    What lies there with another size was left behind by a process that died, and is replaced.
    """
    if default_storage.exists(path):
        if default_storage.size(path) == source.stat().st_size:
            return False
        default_storage.delete(path)
    try:
        with source.open("rb") as opened:
            saved = default_storage.save(path, File(opened))
    except OSError:
        # A full disk: Django leaves what it has written of the file.
        if default_storage.exists(path) and default_storage.size(path) != source.stat().st_size:
            default_storage.delete(path)
        raise
    if saved != path:  # somebody stored the same content in the same moment
        default_storage.delete(saved)
        return False
    return True


def remove_files(artwork: Artwork, kinds: Iterable[str] = files.STORED) -> None:
    """Remove an artwork's files, unless another row of its dataset has the same content."""
    if Artwork.objects.filter(dataset=artwork.dataset_id, sha256=artwork.sha256).exists():
        return
    for kind in kinds:
        default_storage.delete(files.path_of(artwork, kind))


def tiles_path(artwork: Artwork) -> Path | None:
    """A local file to read regions of an artwork from: its pyramid, or the display image of one that needs none.

    Files of a remote storage are copied to the data folder once. None where there is no such file.
    """
    # The display image of a large artwork is smaller: its regions are others.
    for kind in ("pyramid",) if artwork.is_tiled else ("pyramid", "display"):
        path = files.path_of(artwork, kind)
        with contextlib.suppress(FileNotFoundError):
            return local_copy(path)
    return None


def local_copy(path: str) -> Path:
    """A file of the storage as a file of this machine. Raises FileNotFoundError."""
    try:
        local = Path(default_storage.path(path))
    except NotImplementedError:
        return _cached(path)
    if not local.exists():
        raise FileNotFoundError(path)
    return local


def _cached(path: str) -> Path:
    """The copy of a remote file. Files are named by content, so that a copy never grows old."""
    cached = Path(settings.CACHE_FOLDER) / path
    if not cached.exists():
        # A viewer asks for many tiles at once, and each of them needs the same file.
        with _lock_of(path):
            if not cached.exists():
                download(path, cached)
    return cached


def _lock_of(path: str) -> threading.Lock:
    with _guard:
        return _copying.setdefault(path, threading.Lock())


def download(path: str, target: Path) -> None:
    """Copy a file of the storage to a path of this machine, whole or not at all. Raises FileNotFoundError."""
    with default_storage.open(path) as stored:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f"{target.name}.{uuid.uuid4()}")
        with draft.open("wb") as copy:
            shutil.copyfileobj(stored, copy)
    draft.replace(target)


def trim_cache(before: float) -> None:
    """Remove the copies of remote files that were made before a time (seconds since the epoch)."""
    for path in Path(settings.CACHE_FOLDER).rglob("*"):
        if path.is_file() and path.stat().st_mtime < before:
            path.unlink(missing_ok=True)


def write(upload: File, path: Path) -> None:
    """Write an upload to a path of the local disk, piece by piece."""
    with path.open("wb") as written:
        for chunk in upload.chunks():
            written.write(chunk)


def keep_upload(upload: File) -> Path:
    """Put an upload into the folder of uploads under a new name; a spooled one, which lies there, is only renamed."""
    path = Path(settings.UPLOADS_DIR) / f"{uuid.uuid4()}.zip"
    if hasattr(upload, "temporary_file_path"):
        Path(upload.temporary_file_path()).rename(path)
    else:
        write(upload, path)
    return path


def remove_strays(before: float) -> None:
    """Remove what a process that died left in the folder of uploads before a time (seconds since the epoch)."""
    for path in Path(settings.UPLOADS_DIR).iterdir():
        if path.stat().st_mtime >= before:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def remove_archive(archive: Archive) -> None:
    """Forget an uploaded archive, and its file with it."""
    Path(archive.path).unlink(missing_ok=True)
    archive.delete()
