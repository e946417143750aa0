"""The API of datasets, artworks and archives."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test.utils import CaptureQueriesContext

from datasets import files, ingest, services, storing
from datasets.ingest import no_space_is_said
from datasets.models import Archive, Artwork, Dataset, Role
from datasets.refusals import Refusal


@pytest.fixture(autouse=True)
def uploads(settings: Any, tmp_path: Path) -> Path:
    """An empty folder of uploads, which every test should leave empty."""
    settings.UPLOADS_DIR = tmp_path / "uploads"
    settings.FILE_UPLOAD_TEMP_DIR = str(settings.UPLOADS_DIR)
    settings.UPLOADS_DIR.mkdir()
    return settings.UPLOADS_DIR


def upload(client: Any, dataset: Dataset, data: bytes, name: str = "a.jpg", **fields: str) -> Any:
    return client.post(f"/api/datasets/{dataset.pk}/artworks/", {"file": SimpleUploadedFile(name, data), **fields})


def send(client: Any, method: str, url: str, data: Any = None) -> Any:
    return getattr(client, method)(url, data, content_type="application/json")


def stored(artwork: Artwork) -> list[str]:
    return default_storage.listdir(artwork.stored_in)[1] if default_storage.exists(artwork.stored_in) else []


# --- datasets ---------------------------------------------------------------------------------------------------------
def test_whoever_creates_a_dataset_administers_it(outsider: Any, client_of: Any) -> None:
    answer = send(client_of(outsider), "post", "/api/datasets/", {"name": "Vasi", "description": "Attici"})
    assert answer.status_code == 201
    assert answer.json()["role"] == Role.ADMINISTRATOR
    assert answer.json()["artworks"] == 0
    assert answer.json()["cover"] is None


def test_the_list_shows_own_datasets_only(dataset: Any, viewer: Any, outsider: Any, client_of: Any) -> None:
    assert [one["name"] for one in client_of(viewer).get("/api/datasets/").json()["results"]] == ["Icons"]
    assert [one["name"] for one in client_of(outsider).get("/api/datasets/").json()["results"]] == ["Otto's own"]


def test_a_deleted_dataset_is_gone_and_comes_back(dataset: Any, owner: Any, client_of: Any) -> None:
    client = client_of(owner)
    assert client.delete(f"/api/datasets/{dataset.pk}/").status_code == 200
    assert client.get(f"/api/datasets/{dataset.pk}/").status_code == 404
    assert client.post(f"/api/datasets/{dataset.pk}/restore/").status_code == 200
    assert client.get(f"/api/datasets/{dataset.pk}/").json()["name"] == "Icons"


@pytest.mark.parametrize(
    "data", [{}, {"name": ""}, {"name": "x" * 201}, {"name": "a\0b"}, {"name": "a", "colour": "red"}, [], {"name": {}}]
)
def test_it_refuses_a_dataset_that_it_cannot_keep(data: Any, owner: Any, client_of: Any) -> None:
    answer = send(client_of(owner), "post", "/api/datasets/", data)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid" and answer.json()["message"]


def test_a_dataset_can_be_renamed(dataset: Any, curator: Any, client_of: Any) -> None:
    answer = send(client_of(curator), "patch", f"/api/datasets/{dataset.pk}/", {"name": "Icone"})
    assert answer.json()["name"] == "Icone" and answer.json()["role"] == Role.CURATOR


# --- adding artworks --------------------------------------------------------------------------------------------------
def test_it_adds_an_image_with_its_metadata(dataset: Any, curator: Any, client_of: Any, picture: Any) -> None:
    data = picture(width=320, height=200)
    answer = upload(
        client_of(curator), dataset, data, "Дева_Мария.jpg", creator="Рублёв", relative_path="Зал 1/Дева_Мария.jpg"
    )
    artwork = answer.json()
    assert answer.status_code == 201
    assert (artwork["title"], artwork["creator"], artwork["file_name"]) == ("Дева Мария", "Рублёв", "Дева_Мария.jpg")
    assert (artwork["width"], artwork["height"], artwork["format"], artwork["state"]) == (320, 200, "jpeg", "todo")
    assert artwork["restored"] is False
    with default_storage.open(files.path_of(Artwork.objects.get(), "original")) as original:
        assert original.read() == data


def test_a_file_that_django_spools_to_disk_is_added_too(
    dataset: Any, curator: Any, client_of: Any, picture: Any, settings: Any, uploads: Path
) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 100
    assert upload(client_of(curator), dataset, picture()).status_code == 201
    assert not list(uploads.iterdir())


def test_the_same_content_is_refused_with_the_artwork_that_has_it(
    dataset: Any, artwork: Any, curator: Any, client_of: Any, picture: Any
) -> None:
    answer = upload(client_of(curator), dataset, picture(), "other name.jpg")
    assert answer.status_code == 409
    assert answer.json()["code"] == "duplicate"
    assert answer.json()["current"]["id"] == artwork.pk


def test_the_second_of_two_at_the_same_moment_is_a_duplicate_and_the_files_stay(
    dataset: Any, artwork: Any, curator: Any, client_of: Any, picture: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "_earlier", lambda dataset, sha256: None)  # it looked before the first was there
    answer = upload(client_of(curator), dataset, picture())
    assert (answer.status_code, answer.json()["current"]["id"]) == (409, artwork.pk)
    assert len(stored(artwork)) == 3


def test_the_same_content_is_welcome_in_another_dataset(
    artwork: Any, outsider: Any, client_of: Any, picture: Any
) -> None:
    assert upload(client_of(outsider), Dataset.objects.get(name="Otto's own"), picture()).status_code == 201


def test_adding_a_deleted_artwork_brings_it_back(
    dataset: Any, artwork: Any, curator: Any, client_of: Any, picture: Any
) -> None:
    client = client_of(curator)
    client.delete(f"/api/datasets/{dataset.pk}/artworks/{artwork.pk}/")
    answer = upload(client, dataset, picture())
    assert (answer.status_code, answer.json()["id"], answer.json()["restored"]) == (201, artwork.pk, True)


@pytest.mark.parametrize(
    ("data", "code"), [(b"", "empty"), (b"hello", "unsupported"), (b"\xff\xd8\xff\0\0", "truncated")]
)
def test_a_refused_file_leaves_nothing_behind(
    data: bytes, code: str, dataset: Any, curator: Any, client_of: Any, uploads: Path
) -> None:
    answer = upload(client_of(curator), dataset, data)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not Artwork.objects.exists() and not list(uploads.iterdir())


def test_a_file_over_the_limit_is_refused(
    dataset: Any, curator: Any, client_of: Any, picture: Any, settings: Any
) -> None:
    settings.MAX_UPLOAD_BYTES = 100
    answer = upload(client_of(curator), dataset, picture())
    assert (answer.status_code, answer.json()["code"]) == (400, "too_large")


@pytest.mark.parametrize(
    "fields", [{"title": "x" * 501}, {"source": "no address"}, {"colour": "red"}, {"title": "a\0"}]
)
def test_bad_metadata_refuses_the_file(fields: Any, dataset: Any, curator: Any, client_of: Any, picture: Any) -> None:
    answer = upload(client_of(curator), dataset, picture(), **fields)
    assert answer.status_code == 400 and list(fields) == list(answer.json()["errors"])


def test_an_upload_without_a_file_is_refused(dataset: Any, curator: Any, client_of: Any) -> None:
    assert client_of(curator).post(f"/api/datasets/{dataset.pk}/artworks/", {"title": "a"}).status_code == 400


def test_a_full_disk_is_said_and_leaves_nothing_behind(
    dataset: Any, curator: Any, client_of: Any, picture: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = storing.store

    def store(source: Path, path: str) -> bool:
        if path.endswith(files.THUMBNAIL):
            raise OSError(28, "No space left on device")
        return real(source, path)

    monkeypatch.setattr(storing, "store", store)
    answer = upload(client_of(curator), dataset, picture())
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
    monkeypatch.undo()
    assert not Artwork.objects.exists()
    created = upload(client_of(curator), dataset, picture())
    assert sorted(stored(Artwork.objects.get(pk=created.json()["id"]))) == [
        "display.jpg",
        "original.jpg",
        "thumbnail.webp",
    ]


def test_a_half_written_file_of_a_dead_process_is_replaced(artwork: Any, tmp_path: Path) -> None:
    path = files.path_of(artwork, "original")
    with default_storage.open(path) as opened:
        whole = opened.read()
    Path(default_storage.path(path)).write_bytes(whole[:100])
    source = tmp_path / "whole"
    source.write_bytes(whole)
    assert storing.store(source, path) is True
    assert Path(default_storage.path(path)).read_bytes() == whole
    assert storing.store(source, path) is False


def test_of_a_file_that_a_full_disk_cut_off_nothing_is_left(
    artwork: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{artwork.stored_in}/other.bin"
    source = tmp_path / "whole"
    source.write_bytes(b"x" * 1000)

    def cut_off(name: str, content: Any, max_length: int | None = None) -> str:
        Path(default_storage.path(name)).write_bytes(content.read(600))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(default_storage, "save", cut_off)
    with pytest.raises(OSError, match="No space"):
        storing.store(source, path)
    assert not default_storage.exists(path)


@pytest.mark.parametrize(
    "words",
    ["database or disk is full", 'could not extend file "base/5/1259": No space left on device'],
    ids=["sqlite", "postgresql"],
)
def test_a_full_disk_is_said_where_the_database_meets_it_too(words: str) -> None:
    with pytest.raises(Refusal) as refusal, no_space_is_said():
        raise OperationalError(words)
    assert refusal.value.status_code == 507
    with pytest.raises(OperationalError, match="locked"), no_space_is_said():
        raise OperationalError("database is locked")


def test_lines_end_as_pages_have_them(artwork: Any) -> None:
    """A form of the admin sends them otherwise, and the annotation page would take that for a change."""
    services.update_metadata(artwork=artwork, changes={"description": "one\r\ntwo"}, revision=0)
    assert artwork.description == "one\ntwo"


# --- the list ---------------------------------------------------------------------------------------------------------
def test_the_list_filters_searches_and_sorts(dataset: Any, make_artwork: Any, viewer: Any, client_of: Any) -> None:
    make_artwork(dataset, 1, title="Beta", creator="Duccio", state="annotated", confirmed=2)
    make_artwork(dataset, 2, title="alpha", creator="Giotto", state="todo")
    make_artwork(dataset, 3, title="Gamma", creator="Cimabue", state="suggested", confirmed=1, progress="done")
    url = f"/api/datasets/{dataset.pk}/artworks/"

    def titles(query: str) -> list[str]:
        return [one["title"] for one in client_of(viewer).get(url + query).json()["results"]]

    assert titles("?search=giotto") == ["alpha"]
    assert titles("?search=beta duccio") == ["Beta"]
    assert titles("?state=suggested") == ["Gamma"]
    assert titles("?progress=done") == ["Gamma"]
    assert titles("?sort=-boxes") == ["Beta", "Gamma", "alpha"]
    assert titles("?sort=creator") == ["Gamma", "Beta", "alpha"]
    assert titles("?sort=added&page_size=2") == ["Beta", "alpha"]
    assert titles("?sort=added&page_size=2&page=2") == ["Gamma"]
    assert titles("?label=99999") == []


@pytest.mark.parametrize(
    "query",
    [
        "?state=done",
        "?sort=size",
        "?label=x",
        "?label=0",
        "?label=99999999999999999999",
        "?search=a%00b",
        f"?search={'x' * 201}",
    ],
)
def test_a_filter_that_means_nothing_is_refused(query: str, dataset: Any, viewer: Any, client_of: Any) -> None:
    answer = client_of(viewer).get(f"/api/datasets/{dataset.pk}/artworks/{query}")
    assert answer.status_code == 400 and answer.json()["message"]


def queries(client: Any, url: str) -> int:
    from django.db import connection

    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_the_number_of_queries_does_not_grow(dataset: Any, make_artwork: Any, viewer: Any, client_of: Any) -> None:
    client, lists = client_of(viewer), ["/api/datasets/", f"/api/datasets/{dataset.pk}/artworks/"]
    lists.append(f"/api/datasets/{dataset.pk}/members/")
    make_artwork(dataset, 1)
    before = [queries(client, url) for url in lists]
    for seed in range(2, 8):
        make_artwork(dataset, seed)
    assert [queries(client, url) for url in lists] == before


# --- metadata, deleting -----------------------------------------------------------------------------------------------
def test_metadata_is_changed_at_the_revision_it_was_read_at(
    dataset: Any, artwork: Any, curator: Any, client_of: Any
) -> None:
    client, url = client_of(curator), f"/api/datasets/{dataset.pk}/artworks/{artwork.pk}/"
    first = send(client, "patch", url, {"title": "Maestà", "date": "1310", "metadata_revision": 0})
    assert (first.status_code, first.json()["title"], first.json()["metadata_revision"]) == (200, "Maestà", 1)
    stale = send(client, "patch", url, {"title": "Pala", "metadata_revision": 0})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale")
    assert stale.json()["current"]["title"] == "Maestà"
    assert client.get(url).json()["title"] == "Maestà"


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "no revision"},
        {"metadata_revision": "x"},
        {"metadata_revision": -1},
        {"metadata_revision": 10**30},
        {"metadata_revision": 0, "width": 5},
        {"metadata_revision": 0, "dataset": 2},
        {"metadata_revision": 0, "source": "javascript:alert(1)"},
        {"metadata_revision": 0, "title": None},
        {"metadata_revision": 0, "title": "a\0b"},
        [1],
        "text",
    ],
)
def test_metadata_that_cannot_be_kept_is_refused(
    changes: Any, dataset: Any, artwork: Any, curator: Any, client_of: Any
) -> None:
    url = f"/api/datasets/{dataset.pk}/artworks/{artwork.pk}/"
    answer = send(client_of(curator), "patch", url, changes)
    assert answer.status_code == 400 and answer.json()["message"]
    artwork.refresh_from_db()
    assert artwork.metadata_revision == 0


def test_a_deleted_artwork_is_gone_and_comes_back(dataset: Any, artwork: Any, curator: Any, client_of: Any) -> None:
    client, url = client_of(curator), f"/api/datasets/{dataset.pk}/artworks/{artwork.pk}/"
    assert client.delete(url).status_code == 200
    assert client.get(url).status_code == 404
    assert client.delete(url).status_code == 404
    assert client.post(f"{url}restore/").json()["id"] == artwork.pk
    assert client.get(url).status_code == 200


def test_a_deleted_artwork_does_not_come_back_beside_its_twin(
    dataset: Any, artwork: Any, make_artwork: Any, curator: Any, client_of: Any
) -> None:
    Artwork.objects.filter(pk=artwork.pk).update(deleted_at="2026-01-01T00:00Z", sha256="0" * 64)
    twin = make_artwork(dataset)
    Artwork.objects.filter(pk=artwork.pk).update(sha256=twin.sha256)
    answer = client_of(curator).post(f"/api/datasets/{dataset.pk}/artworks/{artwork.pk}/restore/")
    assert (answer.status_code, answer.json()["current"]["id"]) == (409, twin.pk)


def test_an_artwork_is_reached_through_its_own_dataset_only(artwork: Any, outsider: Any, client_of: Any) -> None:
    own = Dataset.objects.get(name="Otto's own")
    client = client_of(outsider)
    for method in ("get", "patch", "delete"):
        assert send(client, method, f"/api/datasets/{own.pk}/artworks/{artwork.pk}/", {}).status_code == 404
    assert client.get(f"/api/datasets/{10**30}/artworks/{10**30}/").status_code == 404


# --- archives ---------------------------------------------------------------------------------------------------------
def test_a_zip_is_added_file_by_file(dataset: Any, curator: Any, client_of: Any, picture: Any, uploads: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("Sala/uno.jpg", picture(seed=1))
        archive.writestr("Sala/due.png", picture(seed=2, suffix=".png"))
        archive.writestr("note.txt", "text")
    client, url = client_of(curator), f"/api/datasets/{dataset.pk}/archives/"
    opened = client.post(url, {"file": SimpleUploadedFile("tutto.zip", buffer.getvalue())})
    assert opened.status_code == 201
    assert [one["name"] for one in opened.json()["members"]] == ["Sala/uno.jpg", "Sala/due.png"]
    assert [one["name"] for one in opened.json()["refused"]] == ["note.txt"]
    inside = f"{url}{opened.json()['id']}/"
    for member in opened.json()["members"]:
        assert send(client, "post", f"{inside}members/", {"name": member["name"]}).status_code == 201
    again = send(client, "post", f"{inside}members/", {"name": "Sala/uno.jpg"})
    assert (again.status_code, again.json()["code"]) == (409, "duplicate")
    assert send(client, "post", f"{inside}members/", {"name": "note.txt"}).status_code == 400
    assert send(client, "post", f"{inside}members/", {"name": "absent.jpg"}).json()["code"] == "no_such_member"
    assert client.delete(inside).status_code == 204
    assert set(Artwork.objects.values_list("file_name", flat=True)) == {"uno.jpg", "due.png"}
    assert not list(uploads.iterdir())


def test_a_broken_zip_leaves_nothing_behind(dataset: Any, curator: Any, client_of: Any, uploads: Path) -> None:
    answer = client_of(curator).post(
        f"/api/datasets/{dataset.pk}/archives/", {"file": SimpleUploadedFile("a.zip", b"no archive")}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "broken_archive")
    assert not Archive.objects.exists() and not list(uploads.iterdir())
