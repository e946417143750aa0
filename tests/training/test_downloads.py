"""Large files over HTTP: whole, broken off, changed, damaged, cancelled; and archives that nobody should unpack."""

from __future__ import annotations

import errno
import hashlib
import random
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.installation import free_port
from tests.training.zoo import Zoo, running, tar
from training.pipeline import downloads
from training.pipeline.downloads import DownloadError, download, unpack
from training.pipeline.supervision import Stopped

CONTENT = random.Random(1).randbytes(1_500_000)
NAME = "model.tar.gz"


@pytest.fixture
def zoo() -> Iterator[Zoo]:
    with running() as server:
        server.files[NAME] = CONTENT
        yield server


@pytest.fixture
def fetch(zoo: Zoo, tmp_path: Path) -> Callable[..., bytes]:
    """`fetch()`: the file, fetched into an empty folder or on from where an earlier call stopped."""

    def call(sha256: str = "", go_on: Callable[[], bool] = lambda: True) -> bytes:
        told: list[tuple[int, int]] = []
        target = tmp_path / NAME
        goes_on = target.with_name(f"{NAME}.part").exists()
        found = download(
            f"{zoo.url}/{NAME}", target, sha256=sha256, on_progress=lambda *news: told.append(news), go_on=go_on
        )
        assert found == hashlib.sha256(target.read_bytes()).hexdigest()
        assert [path.name for path in tmp_path.iterdir()] == [NAME]
        # What an earlier try left is told first, and may be a part of a file that has changed since.
        assert all(total == len(zoo.files[NAME]) for _done, total in told[int(goes_on) :])
        return target.read_bytes()

    return call


def broken_off(zoo: Zoo, fetch: Callable[..., bytes], after: int = 700_000) -> None:
    zoo.break_after = after
    with pytest.raises(DownloadError, match=r"broke off after 0\.7 of 1\.5 MB"):
        fetch()
    zoo.break_after = None


def test_a_file_comes_whole(fetch: Callable[..., bytes]) -> None:
    assert fetch(hashlib.sha256(CONTENT).hexdigest()) == CONTENT


def test_a_broken_connection_is_gone_on_from(zoo: Zoo, fetch: Callable[..., bytes]) -> None:
    broken_off(zoo, fetch)
    assert fetch() == CONTENT
    assert zoo.asked == ["", "bytes=700000-"]


def test_a_file_that_changed_in_between_is_fetched_anew(zoo: Zoo, fetch: Callable[..., bytes]) -> None:
    broken_off(zoo, fetch)
    zoo.files[NAME] = random.Random(2).randbytes(1_200_000)
    assert fetch() == zoo.files[NAME]


def test_a_part_of_nobody_knows_what_is_fetched_anew(zoo: Zoo, fetch: Callable[..., bytes], tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(b"something")
    assert fetch() == CONTENT
    assert zoo.asked == [""]


def test_a_wrong_checksum_is_refused_and_nothing_of_it_is_kept(
    zoo: Zoo, fetch: Callable[..., bytes], tmp_path: Path
) -> None:
    with pytest.raises(DownloadError, match="checksum is wrong"):
        fetch("0" * 64)
    zoo.wrong_md5 = True
    with pytest.raises(DownloadError, match="checksum is wrong"):
        fetch()
    assert list(tmp_path.iterdir()) == []


def test_a_cancelled_download_keeps_what_has_arrived(zoo: Zoo, fetch: Callable[..., bytes], tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        fetch(go_on=lambda: False)
    assert (tmp_path / f"{NAME}.part").stat().st_size > 0
    assert not (tmp_path / NAME).exists()
    assert fetch() == CONTENT
    assert zoo.asked[1].startswith("bytes=")


def test_without_a_connection_it_says_what_to_do(tmp_path: Path) -> None:
    port = free_port()
    with pytest.raises(DownloadError, match=f"127.0.0.1:{port}: no connection.*add the detector as a file"):
        download(f"http://127.0.0.1:{port}/x", tmp_path / "x", on_progress=lambda done, total: None)


def test_a_file_that_is_not_there_or_too_large_is_refused(
    zoo: Zoo, fetch: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MOST_BYTES", 1_000_000)
    with pytest.raises(DownloadError, match="more than 1 MB"):
        fetch()
    del zoo.files[NAME]
    with pytest.raises(DownloadError, match="answer 404"):
        fetch()


def test_only_the_web_is_fetched_from(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="no address"):
        download("file:///etc/passwd", tmp_path / "x", on_progress=lambda done, total: None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (tar({"m/saved_model.pb": b"1", "../evil": b"2"}), "outside"),
        (tar({"m/a": b"1"}, link="m/link"), "outside"),
        (tar({"/etc/absolute/../../../x": b"1"}), "outside"),
        (b"no archive at all", "cannot be unpacked"),
        (tar({"m/a": CONTENT})[:5000], "cannot be unpacked"),
    ],
)
def test_an_unsafe_or_damaged_archive_leaves_nothing(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(DownloadError, match=message):
        unpack(tmp_path / "a", tmp_path / "inside" / "folder")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a"]
    assert not (tmp_path / "inside" / "folder").exists()


def test_an_archive_that_would_fill_the_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "MOST_UNPACKED_BYTES", 10_000)
    (tmp_path / "a").write_bytes(tar({"m/a": bytes(20_000)}))
    with zipfile.ZipFile(tmp_path / "b", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(20_000))
    for name in ("a", "b"):
        with pytest.raises(DownloadError, match="holds more than"):
            unpack(tmp_path / name, tmp_path / "folder")


def test_a_zip_is_unpacked_and_an_unsafe_one_is_not(tmp_path: Path) -> None:
    for name, member in (("good", "m/saved_model.pb"), ("bad", "../evil")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(member, b"1")
    unpack(tmp_path / "good", tmp_path / "folder")
    assert (tmp_path / "folder" / "m" / "saved_model.pb").read_bytes() == b"1"
    with pytest.raises(DownloadError, match="outside"):
        unpack(tmp_path / "bad", tmp_path / "other")


def test_a_full_disk_is_no_fault_of_the_network(
    zoo: Zoo, fetch: Callable[..., bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, *args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError) as caught:
        fetch()
    assert caught.value.errno == errno.ENOSPC


def test_what_an_earlier_try_left_is_told_before_anything_arrives(
    zoo: Zoo, fetch: Callable[..., bytes], tmp_path: Path
) -> None:
    broken_off(zoo, fetch)
    told: list[tuple[int, int]] = []
    with pytest.raises(Stopped):
        download(f"{zoo.url}/{NAME}", tmp_path / NAME, on_progress=lambda *news: told.append(news), go_on=lambda: False)
    assert told == [(700_000, len(CONTENT))]


def test_a_full_disk_is_no_fault_of_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(tar({"m/a": CONTENT}))

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "extractall", full)
    with pytest.raises(OSError, match="No space"):
        unpack(tmp_path / "a", tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
