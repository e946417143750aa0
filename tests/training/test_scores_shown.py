"""How pages tell AP50 where it says less than it seems to, or nothing at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from annotations.models import Label
from tests.annotations.factories import artwork_row
from tests.evaluations import keep, of_dataset
from training.commandline import scores_in_words
from training.models import Detector

pytestmark = pytest.mark.django_db
NONE = dict.fromkeys(("AP", "AP50", "AP75"))


@pytest.fixture
def get(client_of: Callable[..., Any], viewer: Any, dataset: Any) -> Callable[..., Any]:
    """`get("training/")`: what a viewer sees below the dataset's address."""
    return lambda path: client_of(viewer).get(f"/datasets/{dataset.pk}/{path}")


@pytest.fixture
def make_detector(dataset: Any, label: Label) -> Callable[..., Detector]:
    """A detector with these metrics, and an evaluation on artworks without boxes."""
    for number in range(3):
        artwork_row(dataset, number)

    def make(metrics: dict[str, Any], **fields: Any) -> Detector:
        known = {"kind": "trained", "dataset": dataset, "architecture": "retinanet_mobilenet_v2", "input_size": 256}
        made = Detector.objects.create(name="D", labels=[], metrics=metrics, **known, **fields)
        Detector.objects.filter(pk=made.pk).update(folder=f"shown-{made.pk}")
        made.refresh_from_db()
        keep(made, of_dataset(dataset))
        return made

    return make


def test_a_detector_that_had_no_box_to_find_has_dashes(get: Any, make_detector: Any) -> None:
    detector, other = make_detector(NONE), make_detector(NONE)
    for path in ("detectors/", f"detectors/{detector.pk}/", f"detectors/{detector.pk}/?with={other.pk}"):
        answer = get(path)
        html = answer.content.decode()
        assert answer.status_code == 200 and "AP50</dt><dd>–</dd>" in html, path
    assert "There was no box to find" in html


def test_files_that_were_not_compared_are_not_called_as_good(get: Any, make_detector: Any, monkeypatch: Any) -> None:
    row = {"AP": None, "trained_AP": None, "difference": None, "pictures": 3, "tolerance": 0.01, "passed": None}
    monkeypatch.setattr("tests.evaluations.CHECKS", {"model.tflite": row})
    html = get(f"detectors/{make_detector(NONE).pk}/").content.decode()
    assert "Not compared" in html and "As good as trained" not in html and "Not quite" not in html


def test_its_evaluation_is_told_by_the_api(client_of: Any, viewer: Any, make_detector: Any) -> None:
    detector = make_detector(NONE)
    told = client_of(viewer).get(f"/api/datasets/{detector.dataset_id}/detectors/{detector.pk}/evaluation/")
    assert told.status_code == 200 and told.json()["AP50"] is None


def test_the_command_line_has_a_dash_for_it() -> None:
    assert scores_in_words(NONE) == "AP –, AP50 –"
    assert scores_in_words({"AP": 0.25, "AP50": 0.5}) == "AP 0.250, AP50 0.500"
