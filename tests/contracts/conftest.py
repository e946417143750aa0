"""A dataset with one of everything, for tests that go through every address."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.models import Label
from datasets.models import Archive, Artwork, Membership
from tests.annotations.factories import artwork_row, box_row, suggestion_row
from tests.evaluations import keep, of_dataset
from training import files
from training.models import Detector, InferenceRun, Run, Snapshot, TrainingRun

ROLES = ("viewer", "annotator", "curator", "administrator")
# What the scene's detector can be downloaded as.
FILE, CONTENT = "model.tflite", b"not a model"
PEOPLE = ("anonymous", "outsider", *ROLES)


@dataclass
class Scene:
    """A dataset with one of everything; `ids` fill the placeholders of addresses, `people` are its cast."""

    dataset: Any
    artwork: Artwork
    ids: dict[str, Any]
    people: dict[str, Any]

    def path(self, pattern: str) -> str:
        """An address with its placeholders filled."""
        return "/api/" + pattern.format(**self.ids)


@pytest.fixture
def people(owner: Any, curator: Any, annotator: Any, viewer: Any, outsider: Any) -> dict[str, Any]:
    """Everybody who may or may not do something."""
    cast = {"administrator": owner, "curator": curator, "annotator": annotator, "viewer": viewer}
    return {**cast, "outsider": outsider, "anonymous": None}


@pytest.fixture
def scene(dataset: Any, people: dict[str, Any]) -> Scene:
    """One of everything; only the detector has files."""
    label = Label.objects.create(dataset=dataset, name="Angel", colour="#aa3377", shortcut="1")
    artwork = artwork_row(dataset)
    box_row(artwork, label, (0, 0, 20, 20))
    suggestion = suggestion_row(artwork, label, (50, 0, 20, 20))
    training, detector = _training(dataset, people["curator"])
    inference = _inference(dataset, detector, label)
    archive = Archive.objects.create(dataset=dataset, file_name="a.zip", path="no-such.zip")
    ids = {
        "dataset_id": dataset.pk,
        "artwork_id": artwork.pk,
        "label_id": label.pk,
        "membership_id": Membership.objects.get(user=people["viewer"]).pk,
        "detector_id": detector.pk,
        "run_id": training.pk,
        "inference_id": inference.pk,
        "archive_id": archive.pk,
        "revision": artwork.revision,
        "suggestion_id": suggestion.pk,
        "name": FILE,
        "key": "efficientdet_d0",
    }
    return Scene(dataset, artwork, ids, people)


def _training(dataset: Any, user: Any) -> tuple[TrainingRun, Detector]:
    """A training that waits, and a detector that an earlier one has made."""
    snapshot = Snapshot.objects.create(dataset=dataset, manifest={}, sha256="0" * 64)
    known = {"architecture": "retinanet_mobilenet_v2", "budget": "quick", "augmentation": "none", "snapshot": snapshot}
    run = TrainingRun.objects.create(dataset=dataset, kind="training", created_by=user, name="D", **known)
    labels = [{"id": 1, "name": "Angel"}]
    trained = {"kind": "trained", "dataset": dataset, "architecture": "retinanet_mobilenet_v2", "input_size": 256}
    detector = Detector.objects.create(name="D", labels=labels, folder="scene", **trained)
    folder = files.detector_folder(detector)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(CONTENT)
    (folder / files.SAVED_MODEL).mkdir(exist_ok=True)
    keep(detector, of_dataset(dataset))
    return run, detector


def _inference(dataset: Any, detector: Detector, label: Label) -> InferenceRun:
    mapping = {"1": label.pk}
    return InferenceRun.objects.create(
        dataset=dataset, kind=Run.Kind.INFERENCE, detector=detector, threshold=0.5, mapping=mapping
    )


@pytest.fixture
def count_queries() -> Callable[[Callable[[], Any]], int]:
    """`count_queries(ask)`: how many queries an answer costs; it must be an answer of success."""

    def count(ask: Callable[[], Any]) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert ask().status_code == 200
        return len(queries)

    return count


def new_id() -> str:
    return str(uuid.uuid4())
