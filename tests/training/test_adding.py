"""Detectors that a curator has as a file: refused where they do not work, and used where they do."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.installation import PASSWORD, ROOT
from tests.training.test_fetching import found_on_pictures, saved_model
from tests.training.zoo import tar
from training import files, leftovers
from training.models import Detector
from training.pipeline import outside
from training.pipeline.detectors import DetectorError, places_of

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

MAKE_TFLITE = """
import sys, tensorflow as tf

@tf.function(input_signature=[tf.TensorSpec([1, 32, 48, 3], tf.float32)])
def look(image):
    light = 0.0 * tf.reduce_mean(image)
    boxes = tf.constant([[[0.5, 0.5, 1.0, 1.0], [0.0, 0.0, 0.1, 0.1]]]) + light
    return tf.constant([2.0]) + light, tf.constant([[0.9, 0.05]]) + light, tf.constant([[1.0, 0.0]]) + light, boxes

converter = tf.lite.TFLiteConverter.from_concrete_functions([look.get_concrete_function()])
open(sys.argv[1], "wb").write(converter.convert())
"""


@pytest.fixture
def add(dataset: Any, curator: Any, client_of: Callable[..., Any]) -> Callable[..., Any]:
    """`add(content, name="x.zip", labels="…")`: the answer to a superuser who adds a file, or to a curator."""
    administrator = get_user_model().objects.create_superuser("root", password=PASSWORD)

    def send(content: bytes, name: str = "x.zip", labels: str = "dog\ncat\n\n", *, by: Any = None) -> Any:
        body = {"file": SimpleUploadedFile(name, content), "name": "Ours", "labels": labels}
        return client_of(by or administrator).post(f"/api/datasets/{dataset.pk}/detectors/", body)

    return send


def nothing_is_left() -> bool:
    downloads = files.downloads_folder("x").parent
    return not Detector.objects.exists() and not (downloads.is_dir() and list(downloads.iterdir()))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no archive", "neither a .tar.gz nor a ZIP"),
        (tar({"a": b"1"}), "must hold one SavedModel"),
        (tar({"../saved_model.pb": b"1"}), "outside of its folder"),
        (b"\x00\x00\x00\x00TFL3 and nothing else", "cannot be loaded"),
    ],
    # An archive as the name of a test holds the time of now: no two workers would collect the same tests.
    ids=["no archive", "no model", "outside", "no TFLite"],
)
def test_a_file_that_is_no_detector_is_refused_and_leaves_nothing(add: Any, content: bytes, message: str) -> None:
    answer = add(content)
    assert answer.status_code == 400 and answer.json()["code"] == "unusable"
    assert message in answer.json()["message"]
    assert nothing_is_left()


def test_a_curator_cannot_add_what_could_read_the_whole_installation(add: Any, curator: Any) -> None:
    answer = add(tar({"saved_model.pb": b"1"}), by=curator)
    assert answer.status_code == 403 and answer.json()["code"] == "not_allowed"
    assert nothing_is_left()


def test_a_detector_needs_labels(add: Any) -> None:
    for labels in (" \n", "a\n" * 2001):
        answer = add(tar({"saved_model.pb": b"1"}), labels=labels)
        assert answer.status_code == 400 and answer.json()["code"] == "invalid_labels"
    assert nothing_is_left()


def test_an_empty_line_among_the_labels_is_no_class(add: Any) -> None:
    """It would give every class after it the name of the next one."""
    answer = add(b"x", labels="dog\n\ncat\n")
    assert answer.status_code == 400 and "Line 2 is empty" in str(answer.json()["errors"]["labels"])


OURS = {"format": "retinanet_tflite", "input_size": 256, "labels": [{"id": 41, "name": "Angel"}], "threshold": 0.4}


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        (OURS, {**OURS, "labels": [{"id": 1, "name": "Angel"}]}),
        (
            {**OURS, "labels": [{"name": "A", "threshold": 0.3}, {"name": "B", "threshold": 7}]},
            {**OURS, "labels": [{"id": 1, "name": "A", "threshold": 0.3}, {"id": 2, "name": "B"}]},
        ),
        ({**OURS, "labels": [{"name": "A", "threshold": "x"}]}, None),
        ({**OURS, "format": "saved_model"}, None),
        ({key: value for key, value in OURS.items() if key != "format"}, None),
        ({**OURS, "labels": []}, None),
        ({**OURS, "labels": ["Angel"]}, None),
        ({**OURS, "input_size": "large"}, None),
        ({**OURS, "input_size": 10**9}, None),
        ({**OURS, "input_size": float("inf")}, None),
        ({**OURS, "threshold": 10**400}, None),
        ({**OURS, "labels": [{"name": "\ud800"}]}, None),
        ({**OURS, "labels": [{"name": " \n"}]}, None),
        ({**OURS, "labels": [{"name": "Two\nlines"}]}, {**OURS, "labels": [{"id": 1, "name": "Two lines"}]}),
        ([], None),
        (None, None),
    ],
)
def test_a_tflite_file_of_ours_says_what_it_is(described: Any, expected: Any, tmp_path: Path) -> None:
    file = tmp_path / "model.tflite"
    file.write_bytes(b"\x00\x00\x00\x00TFL3 and so on")
    if described is not None:
        with zipfile.ZipFile(file, "a") as archive:
            archive.writestr("detector.json", json.dumps(described))
    assert outside.is_tflite(file)
    assert outside.own_description(file) == expected


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_file_that_would_unpack_to_much_is_not_unpacked(method: int, tmp_path: Path) -> None:
    file = tmp_path / "model.tflite"
    file.write_bytes(b"\x00\x00\x00\x00TFL3")
    with zipfile.ZipFile(file, "a", method) as archive:
        archive.writestr("detector.json", json.dumps(OURS) + " " * 10**6)
    assert outside.own_description(file) is None


def test_what_a_killed_process_was_adding_is_removed() -> None:
    left = files.downloads_folder(f"{files.BEING_ADDED}left")
    left.mkdir(parents=True)
    leftovers.remove_leftovers(timezone.now() - timedelta(days=1))
    assert left.is_dir()
    leftovers.remove_leftovers(timezone.now() + timedelta(days=1))
    assert not left.exists()


def test_the_outputs_of_a_tflite_file_are_told_apart_by_what_is_in_them() -> None:
    boxes, classes = np.zeros((1, 3, 4), np.float32), np.array([[1, 0, 2]], np.float32)
    scores, number = np.array([[0.5, 0.2, 0.1]], np.float32), np.array([3], np.float32)
    assert places_of([scores, boxes, number, classes]) == (1, 3, 0, 2)
    for wrong in ([boxes, classes, classes, number], [boxes, classes, scores], [classes, scores, number, number]):
        with pytest.raises(DetectorError):
            places_of(wrong)
    with pytest.raises(DetectorError, match="found nothing"):
        places_of([boxes, classes, 0 * scores, number])


@pytest.mark.slow
@pytest.mark.once
def test_a_tflite_file_is_added_used_renamed_and_deleted(
    add: Any, dataset: Any, curator: Any, client_of: Callable[..., Any], tmp_path: Path
) -> None:
    command = [sys.executable, "-c", MAKE_TFLITE, str(tmp_path / "made.tflite")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=200)
    content = (tmp_path / "made.tflite").read_bytes()
    assert "classes beyond its labels" in add(content, labels="dog").json()["message"]
    answer = add(content, "made.tflite", by=curator)
    assert answer.status_code == 201, answer.content
    detector = Detector.objects.get(pk=answer.json()["id"])
    assert (detector.kind, detector.input_size, detector.dataset) == ("added", 48, dataset)
    assert found_on_pictures(files.detector_folder(detector), tmp_path) == [[(2, 400.0, 300.0, 400.0, 300.0)]] * 3
    client, address = client_of(curator), f"/api/datasets/{dataset.pk}/detectors/{detector.pk}/"
    page = client.get(f"/datasets/{dataset.pk}/detectors/").content.decode()
    assert "Somebody has added it as a file" in page and "data-delete" in page
    assert client.patch(address, {"name": "New"}, content_type="application/json").status_code == 200
    assert client.delete(address).status_code == 204
    leftovers.remove_leftovers(timezone.now() - timedelta(days=1))
    assert files.detector_folder(detector).is_dir()
    leftovers.remove_leftovers(timezone.now() + timedelta(days=1))
    assert not files.detector_folder(detector).exists()


@pytest.mark.slow
@pytest.mark.once
def test_a_savedmodel_is_added(add: Any, tmp_path: Path) -> None:
    content = saved_model(tmp_path / "made")
    assert "classes beyond its labels" in add(content).json()["message"]
    answer = add(content, "made.tar.gz", "\n".join(f"thing {number}" for number in range(1, 19)))
    assert answer.status_code == 201, answer.content
    folder = files.detector_folder(Detector.objects.get(pk=answer.json()["id"]))
    assert found_on_pictures(folder, tmp_path) == [[(18, 400.0, 300.0, 400.0, 300.0)]] * 3
