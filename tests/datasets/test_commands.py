"""Commands of the datasets: importing a folder, and purging what was deleted."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.utils import timezone

from datasets import files, services, storing
from datasets.models import Archive, Artwork, Dataset
from tests.datasets.pictures import picture as picture_of

LONG_AGO = timezone.now() - timedelta(days=31)


def run(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def folder(tmp_path: Path, picture: Any) -> Path:
    (tmp_path / "Sala 1").mkdir()
    (tmp_path / "Sala 1" / "Дева.JPG").write_bytes(picture(seed=1))
    (tmp_path / "due.png").write_bytes(picture(seed=2, suffix=".png"))
    (tmp_path / "copy of due.png").write_bytes(picture(seed=2, suffix=".png"))
    (tmp_path / "note.txt").write_text("no picture")
    (tmp_path / ".hidden.jpg").write_bytes(picture(seed=3))
    (tmp_path / "link.jpg").symlink_to("/etc/passwd")
    return tmp_path


def test_it_imports_a_folder_into_a_new_dataset_and_reports_what_it_refused(folder: Path, owner: Any) -> None:
    out, err = run("import_folder", "Pinacoteca", str(folder), "--user", "olga")
    dataset = Dataset.objects.get(name="Pinacoteca")
    assert set(dataset.artworks.values_list("title", flat=True)) == {"Дева", "copy of due"}
    assert "2 added" in out and "2 refused" in out
    assert "due.png: This file is already in the dataset" in err and "note.txt: This is not a JPEG" in err


def test_a_file_that_cannot_be_read_keeps_no_other_from_being_added(
    folder: Path, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def forbidden(path: Path, *args: Any, **options: Any) -> Any:
        if path.name == "copy of due.png":  # the first one
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **options)

    monkeypatch.setattr(Path, "open", forbidden)
    out, err = run("import_folder", "Pinacoteca", str(folder), "--user", "olga")
    assert "2 added" in out and "copy of due.png: Permission denied" in err


def test_it_imports_into_a_dataset_that_is_there(folder: Path, dataset: Any, curator: Any) -> None:
    run("import_folder", "Icons", str(folder), "--user", "carla")
    assert dataset.artworks.count() == 2 and Dataset.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "where", "said"),
    [("vera", ".", "role of a curator"), ("nobody", ".", "no account"), ("vera", "x", "no folder")],
)
def test_it_says_why_it_does_not_import(
    name: str, where: str, said: str, folder: Path, dataset: Any, viewer: Any
) -> None:
    with pytest.raises(CommandError, match=said):
        run("import_folder", "Icons", str(folder / where), "--user", name)


def test_purging_removes_rows_and_files_after_thirty_days(dataset: Any, make_artwork: Any) -> None:
    old, fresh, kept = (make_artwork(dataset, seed) for seed in (1, 2, 3))
    for artwork in (old, fresh):
        services.delete(artwork)
    Artwork.objects.filter(pk=old.pk).update(deleted_at=LONG_AGO)
    assert "1 artworks" in run("purge")[0]
    assert set(Artwork.objects.all()) == {fresh, kept}
    assert not default_storage.exists(files.path_of(old, "original"))
    assert default_storage.exists(files.path_of(fresh, "original"))


def test_purging_keeps_files_that_another_artwork_of_the_same_content_has(dataset: Any, make_artwork: Any) -> None:
    old = make_artwork(dataset, 1)
    Artwork.objects.filter(pk=old.pk).update(deleted_at=LONG_AGO, sha256="0" * 64)
    twin = make_artwork(dataset, 1)
    Artwork.objects.filter(pk=old.pk).update(sha256=twin.sha256)
    run("purge")
    assert default_storage.exists(files.path_of(twin, "display"))


def test_purging_removes_a_deleted_dataset_with_everything(
    dataset: Any, artwork: Any, label: Any, outsider: Any
) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(deleted_at=LONG_AGO)
    assert "1 datasets, 1 artworks" in run("purge")[0]
    assert list(Dataset.objects.all()) == [Dataset.objects.get(name="Otto's own")]
    assert not default_storage.exists(files.path_of(artwork, "original"))


def test_purging_clears_up_after_processes_that_died(db: None, settings: Any, tmp_path: Path) -> None:
    settings.UPLOADS_DIR = tmp_path
    for name in ("tmpold", "tmpnew"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "original").write_bytes(b"half")
    (tmp_path / "old.upload").write_bytes(b"half")
    for name in ("tmpold", "old.upload"):
        os.utime(tmp_path / name, (LONG_AGO.timestamp(),) * 2)
    services.purge()
    assert [path.name for path in tmp_path.iterdir()] == ["tmpnew"]


def test_purging_removes_archives_after_a_day(dataset: Any, tmp_path: Path) -> None:
    paths = [tmp_path / "old.zip", tmp_path / "new.zip"]
    for path in paths:
        path.write_bytes(b"")
        Archive.objects.create(dataset=dataset, file_name=path.name, path=str(path))
    Archive.objects.filter(file_name="old.zip").update(added_at=timezone.now() - timedelta(days=2))
    assert "1 archives" in run("purge")[0]
    assert [path.exists() for path in paths] == [False, True]


def test_large_artworks_without_tiles_get_them(dataset: Any, owner: Any, artwork: Any) -> None:
    upload = SimpleUploadedFile("large.jpg", picture_of(2700, 60).jpegsave_buffer())
    large = services.add_artwork(dataset=dataset, user=owner, upload=upload)
    tiles = files.path_of(large, "pyramid")
    default_storage.delete(tiles)
    assert run("make_pyramids")[0].startswith("1 pyramids")
    assert default_storage.exists(tiles)
    assert run("make_pyramids")[0].startswith("0 pyramids")


def test_tiles_that_are_asked_for_at_once_copy_their_file_once(
    db: None, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "tests.datasets.remote.RemoteStorage"}}
    settings.CACHE_FOLDER = tmp_path / "cache"
    default_storage.save("artworks/1/pyramid.tif", ContentFile(b"tiles"))
    copy, copied = storing.download, []

    def slowly(path: str, target: Path) -> None:
        copied.append(path)
        time.sleep(0.2)
        copy(path, target)

    monkeypatch.setattr(storing, "download", slowly)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(storing.local_copy, ["artworks/1/pyramid.tif"] * 6))
    assert len(set(found)) == 1 and found[0].read_bytes() == b"tiles"
    assert copied == ["artworks/1/pyramid.tif"]
    assert not storing._copying, "no lock outlives its use"


def test_files_of_a_remote_storage_are_copied_once_and_forgotten_after_a_while(
    db: None, tmp_path: Path, settings: Any
) -> None:
    # Like that of S3, this storage has no paths.
    remote = {"BACKEND": "tests.datasets.remote.RemoteStorage"}
    settings.STORAGES = {**settings.STORAGES, "default": remote}
    settings.CACHE_FOLDER = tmp_path / "cache"
    default_storage.save("artworks/1/pyramid.tif", ContentFile(b"tiles"))
    copy = storing.local_copy("artworks/1/pyramid.tif")
    assert copy == tmp_path / "cache" / "artworks" / "1" / "pyramid.tif" and copy.read_bytes() == b"tiles"
    default_storage.delete("artworks/1/pyramid.tif")
    assert storing.local_copy("artworks/1/pyramid.tif") == copy
    os.utime(copy, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))
    services.purge()
    assert not copy.exists()
    with pytest.raises(FileNotFoundError):
        storing.local_copy("artworks/1/pyramid.tif")
