"""What a manifest must hold, and that its hash depends on its content alone."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pipeline.shapes import manifest_of
from training.pipeline import manifest
from training.pipeline.manifest import ManifestError, manifest_sha256


def _valid() -> dict[str, Any]:
    box = {"label": 1, "x": 10.5, "y": 20, "width": 30, "height": 40.25}
    rows = [
        {"id": number, "file": f"{number}.jpg", "sha256": f"{number}", "width": 100, "height": 80, "boxes": [box]}
        | {"split": split, "nothing_to_mark": False}
        for number, split in enumerate(("train", "train", "test"), start=1)
    ]
    return manifest_of(rows)


def test_a_saved_manifest_comes_back_with_files_in_its_folder(tmp_path: Path) -> None:
    manifest.save(_valid(), tmp_path)
    loaded = manifest.load(tmp_path)
    assert [artwork.id for artwork in loaded.part("train")] == [1, 2]
    assert loaded.artworks[0].file == tmp_path / "1.jpg"
    assert loaded.artworks[0].boxes[0].height == 40.25
    assert loaded.classes() == {1: 1, 2: 2, 3: 3}


def test_the_smallest_concept_is_known_where_there_are_enough_of_its_boxes(tmp_path: Path) -> None:
    data = _valid()
    assert manifest.parse(data, tmp_path).smallest is None
    sides = {1: [20.0] * 10, 2: [10.0] * 5 + [16.0] * 6, 3: [1.0] * 9}
    boxes = [
        {"label": key, "x": 0, "y": 0, "width": side / 2, "height": side * 2} for key in sides for side in sides[key]
    ]
    data["artworks"][0]["boxes"], data["artworks"][2]["boxes"] = boxes, [{**boxes[0], "width": 1, "height": 1}] * 20
    assert manifest.parse(data, tmp_path).smallest == pytest.approx(0.16)
    data["artworks"][0] |= {"width": 80, "height": 160}
    assert manifest.parse(data, tmp_path).smallest == pytest.approx(0.1)


def test_an_absolute_file_stays_where_it_is(tmp_path: Path) -> None:
    data = _valid()
    data["artworks"][0]["file"] = "/somewhere/else.jpg"
    assert manifest.parse(data, tmp_path).artworks[0].file == Path("/somewhere/else.jpg")


FAULTS: list[tuple[str, Any, str]] = [
    ("version", 2, "version 2"),
    ("labels", [], "no label"),
    ("labels", [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}], "same label id"),
    ("labels", [{"id": True, "name": "a"}], "id must be"),
    ("artworks", [], "No artwork is in the train part"),
    ("artworks", {"a": 1}, "unexpected shape"),
    ("dataset", {"id": 1}, "lacks 'name'"),
]


@pytest.mark.parametrize(("field", "value", "message"), FAULTS)
def test_it_refuses_a_fault_of_the_whole_with_its_reason(field: str, value: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=message):
        manifest.parse({**_valid(), field: value}, tmp_path)


def test_only_where_tests_are_simulated_the_test_part_may_be_empty(tmp_path: Path) -> None:
    data = _valid()
    for row in data["artworks"]:
        row["split"] = "train"
    with pytest.raises(ManifestError, match="No artwork is in the test part"):
        manifest.parse(data, tmp_path)
    assert manifest.parse({**data, "simulated_tests": True}, tmp_path).part("test") == ()


ARTWORK_FAULTS: list[tuple[str, Any, str]] = [
    ("width", 0, "size"),
    ("height", 10.5, "size"),
    ("split", "valid", "neither train nor test"),
    ("boxes", [{"label": 9, "x": 0, "y": 0, "width": 5, "height": 5}], "unknown label 9"),
    ("boxes", [{"label": 1, "x": 0, "y": 0, "width": 0, "height": 5}], "does not lie inside"),
    ("boxes", [{"label": 1, "x": 0, "y": 0, "width": -5, "height": 5}], "does not lie inside"),
    ("boxes", [{"label": 1, "x": 90, "y": 0, "width": 20, "height": 5}], "does not lie inside"),
    ("boxes", [{"label": 1, "x": float("nan"), "y": 0, "width": 20, "height": 5}], "does not lie inside"),
    ("boxes", [{"label": 1, "x": 0, "y": 0, "width": 20}], "lacks 'height'"),
]


@pytest.mark.parametrize(("field", "value", "message"), ARTWORK_FAULTS)
def test_it_refuses_a_faulty_artwork_and_names_it(field: str, value: Any, message: str, tmp_path: Path) -> None:
    data = _valid()
    data["artworks"][1][field] = value
    with pytest.raises(ManifestError, match=message):
        manifest.parse(data, tmp_path)


def test_it_refuses_a_train_part_without_boxes(tmp_path: Path) -> None:
    data = _valid()
    for row in data["artworks"][:2]:
        row["boxes"] = []
    with pytest.raises(ManifestError, match="has a box"):
        manifest.parse(data, tmp_path)


@pytest.mark.parametrize("content", ["{", b"\xff\xfe".decode("latin-1"), "null"])
def test_it_refuses_a_file_that_is_no_manifest(content: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ManifestError):
        manifest.load(tmp_path)


def test_it_says_when_there_is_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="There is no"):
        manifest.load(tmp_path)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), _json))
def test_the_hash_depends_on_the_content_and_not_on_its_order(data: dict[str, Any]) -> None:
    turned = json.loads(json.dumps(dict(reversed(list(data.items())))))
    assert manifest_sha256(turned) == manifest_sha256(data)


def test_the_hash_changes_with_one_pixel() -> None:
    changed = copy.deepcopy(_valid())
    changed["artworks"][2]["boxes"][0]["x"] += 1
    assert manifest_sha256(changed) != manifest_sha256(_valid())


def test_the_hash_is_the_one_it_always_was() -> None:
    expected = "123b424b7606d08d0756074e1f76051117423e1a66a03e02f56fd334de63705b"
    assert manifest_sha256({"b": [1, 2.5], "a": "é"}) == expected
