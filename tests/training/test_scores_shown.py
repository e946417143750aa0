"""How pages tell AP50 where it says less than it seems to, or nothing at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from annotations.models import Label
from tests.annotations.factories import artwork_row
from tests.evaluations import keep, of_dataset
from training import live
from training.commandline import scores_in_words
from training.models import Detector, Snapshot, TrainingRun

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

    def make(metrics: dict[str, Any], run: TrainingRun | None = None) -> Detector:
        known = {"kind": "trained", "dataset": dataset, "architecture": "retinanet_mobilenet_v2", "input_size": 256}
        made = Detector.objects.create(name="D", labels=[], metrics=metrics, run=run, **known)
        Detector.objects.filter(pk=made.pk).update(folder=f"shown-{made.pk}")
        made.refresh_from_db()
        keep(made, of_dataset(dataset))
        return made

    return make


def make_run(dataset: Any, name: str = "T") -> TrainingRun:
    snapshot, _ = Snapshot.objects.get_or_create(dataset=dataset, manifest={}, sha256="0" * 64)
    chosen = {"architecture": "retinanet_mobilenet_v2", "budget": "quick", "augmentation": "instances"}
    return TrainingRun.objects.create(
        dataset=dataset, kind="training", state="done", snapshot=snapshot, name=name, **chosen
    )


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
    assert told.json()["simulated"] == 0 and not any(row["simulated"] for row in told.json()["per_label"])


def test_the_api_marks_what_was_tested_on_simulated_photographs(
    client_of: Any, viewer: Any, make_detector: Any
) -> None:
    detector = make_detector({"AP": 0.4, "AP50": 0.82})
    evaluation = of_dataset(detector.dataset)
    evaluation["per_label"][0]["simulated"] = True
    keep(detector, evaluation | {"simulated": 5})
    told = client_of(viewer).get(f"/api/datasets/{detector.dataset_id}/detectors/{detector.pk}/evaluation/").json()
    assert told["simulated"] == 5 and told["per_label"][0]["simulated"] is True


def _mark(html: str) -> list[tuple[int, str]]:
    """The marks of a page: how many concepts they are about, and their word."""
    found = re.findall(r'title="(\d+) of its concepts[^"]* simulated photographs [^"]*">([^<]*)</span>', html)
    return [(int(count), word) for count, word in found]


@pytest.mark.parametrize(("known", "word"), [(3, "partly simulated"), (2, "simulated")])
def test_a_detector_that_was_tested_on_simulated_photographs_is_marked(
    known: int, word: str, get: Any, make_detector: Any, label: Label
) -> None:
    labels = [{"id": number, "name": f"n{number}"} for number in range(known)]
    detector = make_detector({"AP": 0.4, "AP50": 0.82}, make_run(label.dataset))
    pages = ("detectors/", "training/")
    assert [_mark(get(path).content.decode()) for path in pages] == [[], []], "one of an earlier version"
    metrics = {"AP": 0.4, "AP50": 0.82, "simulated_concepts": 2}
    Detector.objects.filter(pk=detector.pk).update(metrics=metrics, labels=labels)
    assert [_mark(get(path).content.decode()) for path in pages] == [[(2, word)], [(2, word)]]


def test_its_own_page_counts_concepts_of_earlier_versions_too(get: Any, make_detector: Any) -> None:
    detector = make_detector({"AP": 0.4, "AP50": 0.82})
    path = f"detectors/{detector.pk}/"
    assert _mark(get(path).content.decode()) == []
    told = of_dataset(detector.dataset)
    told["per_label"][0]["simulated"] = True
    keep(detector, told | {"simulated": 5})
    assert _mark(get(path).content.decode()) == [(1, "simulated")]


def test_several_in_one_plot_are_marked_by_what_each_reported(get: Any, label: Label) -> None:
    for number, marks in enumerate(({"simulated_concepts": 1}, {})):
        rows = [{"label": 1, "name": "a", "AP": 0.5, "AP50": 0.5}, {"label": 2, "name": "b", "AP": 0.5, "AP50": 0.5}]
        scores = ("evaluation", {"step": 9, "AP50": 0.5, "per_label": rows, **marks})
        live.publish(make_run(label.dataset, f"Run {number}").pk, [("metrics", {"step": 9, "loss": 1.0}), scores])
    answer = get("runs/")
    assert [end.get("simulated") for _, end in answer.context["drawn"]] == [None, {"n": 1, "of": 2}]
    assert _mark(answer.content.decode()) == [(1, "partly simulated")]


def test_the_command_line_has_a_dash_for_it() -> None:
    assert scores_in_words(NONE) == "AP –, AP50 –"
    assert scores_in_words({"AP": 0.25, "AP50": 0.5}) == "AP 0.250, AP50 0.500"


def test_the_command_line_and_the_admin_mark_what_was_tested_on_simulated_photographs(
    make_detector: Any, admin_client: Any
) -> None:
    marked = {"AP": 0.25, "AP50": 0.5, "simulated_concepts": 2}
    assert scores_in_words(marked) == "AP 0.250, AP50 0.500 (concepts tested on simulated photographs: 2)"
    make_detector(marked)
    address = reverse("admin:training_detector_changelist")
    assert "0.500 (partly simulated)" in admin_client.get(address).content.decode()
    Detector.objects.update(metrics={"AP": 0.25, "AP50": 0.5})
    listed = admin_client.get(address).content.decode()
    assert "0.500" in listed and "simulated" not in listed
