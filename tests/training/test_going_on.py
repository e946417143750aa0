"""A training that goes on from an earlier detector: which one may be, and what stays a test."""

import shutil
from typing import Any

import pytest

from annotations.models import Box, Label
from tests.training.starting import CHOICE, draw, start
from training import files, services
from training.models import Detector, Run, TrainingRun
from training.pipeline.config import CHECKPOINT

pytestmark = pytest.mark.django_db


def finish(run: TrainingRun) -> Detector:
    """A detector of this run, with a folder that a training can go on from."""
    TrainingRun.objects.filter(pk=run.pk).update(state="done")
    made = Detector.objects.create(
        name="Earlier",
        kind="trained",
        architecture=CHOICE["architecture"],
        input_size=256,
        labels=[],
        folder=f"run-{run.pk}",
        dataset=run.dataset,
        run=run,
    )
    weights = files.detector_folder(made) / f"{CHECKPOINT}.index"
    weights.parent.mkdir(parents=True, exist_ok=True)
    weights.touch()
    return made


def parts(run: TrainingRun) -> dict[int, str]:
    """The part of each artwork of a run, by its id."""
    return {row["id"]: row["split"] for row in run.snapshot.manifest["artworks"]}


@pytest.fixture
def trained(ready: Any) -> Detector:
    return finish(start(ready))


def test_what_an_earlier_detector_was_tested_on_stays_in_the_test(
    ready: Any, trained: Detector, label: Label, make_artwork: Any
) -> None:
    before = parts(trained.run)  # type: ignore[arg-type]
    for seed in range(30, 50):
        draw(make_artwork(ready, seed), label)
    run = start(ready, start=trained.pk, seed=8)
    after = parts(run)
    assert {pk: after[pk] for pk in before} == before and len(after) == 26
    assert run.start == trained


def test_what_any_detector_before_has_learnt_from_is_never_a_test(ready: Any, label: Label, make_artwork: Any) -> None:
    """Also where it was left out of a training in between."""
    for seed in range(30, 44):
        draw(make_artwork(ready, seed), label)
    first = start(ready)
    learnt = {pk for pk, part in parts(first).items() if part == "train"}
    detector = finish(first)
    # In between, what was learnt is without boxes.
    hidden = Box.objects.filter(artwork__in=learnt)
    hidden.update(state="suggested")
    ready.artworks.filter(pk__in=learnt).update(confirmed=0)
    for seed in range(50, 60):
        draw(make_artwork(ready, seed), label)
    second = start(ready, start=detector.pk, seed=1)
    assert not learnt & parts(second).keys()
    hidden.update(state="confirmed")
    ready.artworks.filter(pk__in=learnt).update(confirmed=1)
    for seed in range(4):
        third = start(ready, start=finish(second).pk if seed == 0 else second.detector.pk, seed=seed)
        assert {parts(third)[pk] for pk in learnt} == {"train"}
        services.cancel_run(third)


def test_where_too_little_is_left_to_test_on_it_says_so(
    ready: Any, trained: Detector, curator: Any, client_of: Any
) -> None:
    """The artworks that the earlier detector was tested on have been deleted since."""
    tested = [pk for pk, part in parts(trained.run).items() if part == "test"]  # type: ignore[arg-type]
    ready.artworks.filter(pk__in=tested).delete()
    url = f"/api/datasets/{ready.pk}/training-runs/"
    answer = client_of(curator).post(url, CHOICE | {"start": trained.pk}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")
    assert "they stay in their part" in answer.json()["message"]
    assert not Run.objects.active().exists()


def test_where_no_test_artwork_shows_a_concept_it_says_so(
    ready: Any, trained: Detector, curator: Any, client_of: Any
) -> None:
    """Somebody has found out since that the artworks that the earlier detector was tested on show none of it."""
    tested = [pk for pk, part in parts(trained.run).items() if part == "test"]  # type: ignore[arg-type]
    Box.objects.filter(artwork__in=tested).delete()
    ready.artworks.filter(pk__in=tested).update(confirmed=0, nothing_to_mark=True)
    # Enough of them are left for a training that begins anew.
    url = f"/api/datasets/{ready.pk}/training-runs/"
    answer = client_of(curator).post(url, CHOICE | {"start": trained.pk}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")
    assert "no test artwork shows any of the concepts" in answer.json()["message"]
    assert not Run.objects.active().exists()


@pytest.mark.parametrize("why", ["another architecture", "no weights", "deleted", "pretrained"])
def test_not_every_detector_can_be_gone_on_from(
    why: str, ready: Any, trained: Detector, detector: Detector, curator: Any, client_of: Any
) -> None:
    chosen = detector if why == "pretrained" else trained
    if why == "another architecture":
        Detector.objects.filter(pk=trained.pk).update(architecture="retinanet_efficientnet_lite0")
    elif why == "no weights":
        shutil.rmtree(files.detector_folder(trained))
    elif why == "deleted":
        services.delete_detector(trained)
    url = f"/api/datasets/{ready.pk}/training-runs/"
    answer = client_of(curator).post(url, CHOICE | {"start": chosen.pk}, content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert "gone on from" in answer.json()["message"]
    assert not Run.objects.active().exists()


def test_only_those_that_can_be_gone_on_from_are_offered(
    ready: Any, trained: Detector, detector: Detector, outsider: Any, curator: Any, client_of: Any
) -> None:
    url = f"/api/datasets/{ready.pk}/training-options/"
    offered = client_of(curator).get(url).json()["starts"]
    assert [(row["id"], row["name"], row["architecture"]) for row in offered] == [
        (trained.pk, "Earlier", CHOICE["architecture"])
    ]
    Detector.objects.filter(pk=trained.pk).update(input_size=384)
    larger = client_of(curator).get(url).json()["starts"][0]
    assert set(larger["sizes"].values()) == {384}, "it goes on seeing what it has seen"
