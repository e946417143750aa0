"""Inference with the packaged detector: coordinates, odd files, and a request that is wrong."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.pipeline.processes import finish, start
from training.pipeline import infer
from training.pipeline.detectors import Detector, DetectorError, decode_ssd, ssd_anchors, suppress
from training.pipeline.supervision import Stop, Stopped


def _request(workdir: Path, detector: Path, images: list[dict[str, Any]], threshold: float = 0.05) -> None:
    content = {"detector": str(detector), "threshold": threshold, "images": images}
    (workdir / "request.json").write_text(json.dumps(content))


def _picture(workdir: Path, name: str, size: tuple[int, int] = (320, 240)) -> dict[str, Any]:
    grain = np.random.default_rng(len(name)).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(grain).resize(size, Image.Resampling.BICUBIC).save(workdir / name)
    return {"id": name, "file": name, "width": size[0], "height": size[1]}


def test_every_picture_gets_one_answer_whatever_is_wrong_with_it(offline_weights: Path, tmp_path: Path) -> None:
    images = [_picture(tmp_path, f"{number}.png") for number in range(9)]
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 broken")
    images += [{"id": name, "file": name, "width": 10, "height": 10} for name in ("broken.jpg", "missing.jpg")]
    _request(tmp_path, offline_weights / "openimages_ssd", images)
    code, told = finish(start("training.pipeline.infer", tmp_path))
    assert code == 0
    found = {event["payload"]["id"]: event["payload"] for event in told if event["kind"] == "found"}
    assert set(found) == {image["id"] for image in images}
    assert {name for name, payload in found.items() if "error" in payload} == {"broken.jpg", "missing.jpg"}
    assert [event["payload"]["done"] for event in told if event["kind"] == "progress"][-1] == 11


def test_boxes_are_in_pixels_of_the_artwork_whatever_size_the_file_has(offline_weights: Path, tmp_path: Path) -> None:
    image = _picture(tmp_path, "a.png", (320, 240))
    same, larger = {**image, "id": "same"}, {**image, "id": "larger", "width": 3200, "height": 2400}
    _request(tmp_path, offline_weights / "openimages_ssd", [same, larger], threshold=0.01)
    found: dict[str, Any] = {}
    request = infer.load_request(tmp_path)
    infer.infer(
        request, on_event=lambda event: found.update({event["payload"].get("id"): event["payload"]}), stop=Stop()
    )
    assert found["same"]["boxes"]
    for small, large in zip(found["same"]["boxes"], found["larger"]["boxes"], strict=True):
        assert small["label"] == large["label"] and 1 <= small["label"] <= 23
        for side in ("x", "y", "width", "height"):
            assert large[side] == pytest.approx(10 * small[side], rel=1e-3, abs=0.01)
        assert large["x"] + large["width"] <= 3200.001 and large["y"] + large["height"] <= 2400.001


def test_a_network_that_stretches_sees_all_pixels_that_a_tall_picture_has_for_it(offline_weights: Path) -> None:
    detector = Detector(offline_weights / "openimages_ssd")
    sizes = {(400, 400): 300, (1200, 3600): 900, (3600, 2400): 450, (9000, 10): 1200}
    assert {size: detector.longest(*size) for size in sizes} == sizes


class _Counting:
    """A detector that many threads may share, and how often it has looked."""

    def __init__(self) -> None:
        self.looks = 0

    def longest(self, width: int, height: int) -> int:
        return 32

    def detect(self, picture: Image.Image, width: int, height: int, threshold: float) -> list[Any]:
        self.looks += 1
        return []


def test_one_loaded_for_a_single_picture_looks_at_many_where_it_can_be_shared(tmp_path: Path) -> None:
    _request(tmp_path, tmp_path, [_picture(tmp_path, f"{n}.png") for n in range(12)])
    shared = _Counting()
    loaded: Any = SimpleNamespace(can_be_shared=True, detectors=[shared])
    request = infer.load_request(tmp_path)
    infer.infer(request, on_event=lambda event: None, stop=Stop(), load=lambda folder, count: loaded)
    assert shared.looks == 12


def test_a_stop_ends_it_between_two_pictures(offline_weights: Path, tmp_path: Path) -> None:
    _request(tmp_path, offline_weights / "openimages_ssd", [_picture(tmp_path, f"{n}.png") for n in range(4)])
    stop = Stop()
    stop.set()
    with pytest.raises(Stopped):
        infer.infer(infer.load_request(tmp_path), on_event=lambda event: None, stop=stop)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threshold": 2}, "threshold"),
        ({"threshold": None}, "cannot be used"),
        ({"images": [{"id": 1, "file": "a", "width": 0, "height": 3}]}, "size"),
        ({"images": [{"id": 1}]}, "width"),
    ],
)
def test_it_refuses_a_wrong_request_with_its_reason(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text(json.dumps({"detector": "d", "threshold": 0.5, "images": []} | change))
    with pytest.raises(infer.RequestError, match=message):
        infer.load_request(tmp_path)


def test_a_failed_run_says_why_and_returns_one(tmp_path: Path) -> None:
    _request(tmp_path, tmp_path / "no such detector", [_picture(tmp_path, "a.png")])
    code, told = finish(start("training.pipeline.infer", tmp_path))
    assert code == 1
    assert told[-1]["kind"] == "error" and "no such detector" in told[-1]["payload"]["message"]


@pytest.mark.parametrize("content", [None, "{", "{}", '{"format": "x", "input_size": 1, "labels": []}'])
def test_it_refuses_a_folder_that_is_no_detector(content: str | None, tmp_path: Path) -> None:
    if content:
        (tmp_path / "detector.json").write_text(content)
    with pytest.raises(DetectorError):
        Detector(tmp_path)


def test_a_damaged_model_file_is_refused(offline_weights: Path, tmp_path: Path) -> None:
    (tmp_path / "detector.json").write_text((offline_weights / "openimages_ssd" / "detector.json").read_text())
    (tmp_path / "model.tflite").write_bytes(b"no model")
    with pytest.raises(DetectorError, match="cannot be loaded"):
        Detector(tmp_path)


def test_the_ssd_has_its_1917_anchors_and_an_encoding_of_zeros_is_the_anchor() -> None:
    anchors = ssd_anchors(300)
    assert anchors.shape == (1917, 4)
    corners = decode_ssd(np.zeros((1917, 4), np.float32), anchors)
    assert np.allclose((corners[:, 2:] - corners[:, :2]), anchors[:, 2:], atol=1e-6)


def test_of_overlapping_boxes_of_a_class_the_best_is_kept_and_other_classes_stay() -> None:
    boxes = np.array([[0, 0, 1, 1], [0, 0, 1, 0.9], [2, 2, 3, 3]], np.float32)
    scores = np.array([[0.9, 0.1], [0.8, 0.7], [0.6, 0.05]], np.float32)
    kept, classes, values = suppress(boxes, scores, 0.5, 0.5)
    assert classes.tolist() == [0, 0, 1]
    assert values.tolist() == pytest.approx([0.9, 0.6, 0.7])
    assert kept[:, 0].tolist() == [0, 2, 0]
