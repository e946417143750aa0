"""ZIP archives: honest ones, damaged ones and hostile ones."""

import io
import stat
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

from datasets import archives
from tests.datasets.pictures import picture

LIMIT = 1024**3
JPEG = picture().jpegsave_buffer()


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.fixture
def zipped(tmp_path: Path) -> Any:
    """`zipped((name, data), …)`: path of a ZIP with these members."""

    def make(*members: tuple[Any, bytes], packing: int = zipfile.ZIP_STORED) -> Path:
        path = tmp_path / "some.zip"
        with zipfile.ZipFile(path, "w", packing) as archive:
            for name, data in members:
                archive.writestr(name, data)
        return path

    return make


def test_it_lists_images_and_leaves_out_folders_and_litter(zipped: Any) -> None:
    path = zipped(
        ("Sala/", b""), ("Sala/a.jpg", JPEG), ("__MACOSX/Sala/._a.jpg", b"x"), (".DS_Store", b"x"), ("Thumbs.db", b"x")
    )
    listing = archives.inspect(path, LIMIT)
    assert listing.members == [{"name": "Sala/a.jpg", "size": len(JPEG)}]
    assert listing.refused == []


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("../outside.jpg", JPEG),
        ("a/../../outside.jpg", JPEG),
        ("/etc/outside.jpg", JPEG),
        ("C:\\outside.jpg", JPEG),
        ("..\\outside.jpg", JPEG),
        (link("link.jpg"), b"/etc/passwd"),
        ("notes.txt", b"no picture"),
        ("drawing.svg", b"<svg/>"),
        ("empty.jpg", b""),
    ],
)
def test_it_refuses_a_member_with_its_reason(name: Any, data: bytes, zipped: Any, tmp_path: Path) -> None:
    path = zipped(("good.jpg", JPEG), (name, data))
    listing = archives.inspect(path, LIMIT)
    assert [member["name"] for member in listing.members] == ["good.jpg"]
    assert len(listing.refused) == 1 and listing.refused[0]["reason"].endswith(".")
    with pytest.raises(archives.BrokenArchive):
        archives.extract_member(path, listing.refused[0]["name"], tmp_path / "out", LIMIT)


def test_it_refuses_a_bomb(zipped: Any) -> None:
    path = zipped(("bomb.jpg", b"\xff\xd8\xff" + bytes(30 * 1024**2)), packing=zipfile.ZIP_DEFLATED)
    assert [one["name"] for one in archives.inspect(path, LIMIT).refused] == ["bomb.jpg"]


def test_it_refuses_what_is_larger_than_an_upload(zipped: Any) -> None:
    assert len(archives.inspect(zipped(("a.jpg", JPEG)), limit=100).refused) == 1


def test_it_stops_at_a_member_that_lies_about_its_size(zipped: Any, tmp_path: Path) -> None:
    path = zipped(("a.jpg", JPEG + bytes(5000)), packing=zipfile.ZIP_DEFLATED)
    data = path.read_bytes()
    lie = data.replace(struct.pack("<I", len(JPEG) + 5000), struct.pack("<I", len(JPEG)))
    path.write_bytes(lie)
    with pytest.raises(archives.BrokenArchive):
        archives.extract_member(path, "a.jpg", tmp_path / "out", LIMIT)


def test_it_refuses_an_encrypted_member(zipped: Any) -> None:
    data = bytearray(zipped(("a.jpg", JPEG)).read_bytes())
    for sign, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(sign) + offset] |= 1
    path = zipped()
    path.write_bytes(data)
    assert "password" in archives.inspect(path, LIMIT).refused[0]["reason"]


def test_it_refuses_a_name_that_comes_twice(zipped: Any) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        path = zipped(("a.jpg", JPEG), ("a.jpg", JPEG + b"x"))
    listing = archives.inspect(path, LIMIT)
    assert (len(listing.members), len(listing.refused)) == (1, 1)


@pytest.mark.parametrize("data", [b"", b"no archive", b"PK\x03\x04" + b"x" * 500, b"PK\x05\x06" + b"\xff" * 18])
def test_it_refuses_what_is_no_archive(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.zip"
    path.write_bytes(data)
    with pytest.raises(archives.BrokenArchive):
        archives.inspect(path, LIMIT)


def test_it_refuses_a_cut_off_archive(zipped: Any) -> None:
    path = zipped(("a.jpg", JPEG), ("b.jpg", JPEG))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(archives.BrokenArchive):
        archives.inspect(path, LIMIT)


def test_it_refuses_an_archive_of_too_many_files(zipped: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    with pytest.raises(archives.BrokenArchive):
        archives.inspect(zipped(("1", b""), ("2", b""), ("3", b"")), LIMIT)


def test_a_damaged_member_is_refused_and_the_others_come_out(zipped: Any, tmp_path: Path) -> None:
    path = zipped(("a.jpg", JPEG), ("b.jpg", JPEG))
    data = bytearray(path.read_bytes())
    data[data.index(JPEG) + 200] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(archives.BrokenArchive):
        archives.extract_member(path, "a.jpg", tmp_path / "a", LIMIT)
    archives.extract_member(path, "b.jpg", tmp_path / "b", LIMIT)
    assert (tmp_path / "b").read_bytes() == JPEG


@pytest.mark.parametrize("name", ["Дева.jpg", "神奈川.jpg", "مريم.jpg", "Città/è.jpg"])
def test_names_survive_with_and_without_the_flag_of_utf8(name: str, zipped: Any, tmp_path: Path) -> None:
    path = zipped((name, JPEG))
    assert archives.inspect(path, LIMIT).members[0]["name"] == name
    data = bytearray(path.read_bytes())
    for sign, offset in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        data[data.index(sign) + offset] &= ~0x08
    path.write_bytes(data)
    assert archives.inspect(path, LIMIT).members[0]["name"] == name
    archives.extract_member(path, name, tmp_path / "out", LIMIT)
    assert (tmp_path / "out").read_bytes() == JPEG


def test_names_of_code_page_437_are_left_as_they_are(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("caf_.jpg", JPEG)
    path = tmp_path / "old.zip"
    path.write_bytes(buffer.getvalue().replace(b"caf_.jpg", b"caf\x82.jpg"))
    assert archives.inspect(path, LIMIT).members[0]["name"] == "café.jpg"
