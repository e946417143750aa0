"""Several trainings in one plot: which can be chosen, what is drawn of them, and what is said where nothing is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from training import curves
from training.models import Event, Snapshot, TrainingRun

pytestmark = pytest.mark.django_db
CHOICE = {"architecture": "retinanet_mobilenet_v2", "budget": "quick", "augmentation": "none"}
Said = Sequence[tuple[str, dict[str, Any]]]
FALLING = [("metrics", {"step": step, "loss": 3.0 / step}) for step in (1, 2, 3)]
SCORED = ("evaluation", {"step": 3, "AP50": 0.4})


@pytest.fixture
def make_run(dataset: Any) -> Callable[..., TrainingRun]:
    """`make_run("Suns", said, state="failed")`: a training and what it has reported, a minute apart."""

    def make(name: str = "T", said: Said = (*FALLING, SCORED), state: str = "done", **fields: Any) -> TrainingRun:
        where = fields.pop("dataset", dataset)
        snapshot = Snapshot.objects.create(dataset=where, manifest={}, sha256="0" * 64)
        known = {**CHOICE, **fields, "kind": "training", "state": state, "snapshot": snapshot}
        run = TrainingRun.objects.create(dataset=where, name=name, **known)
        for seq, (kind, payload) in enumerate(said, 1):
            event = Event.objects.create(run=run, seq=seq, kind=kind, payload=payload)
            Event.objects.filter(pk=event.pk).update(time=run.created_at + timedelta(minutes=seq))
        return run

    return make


@pytest.fixture
def get(client_of: Callable[..., Any], viewer: Any, dataset: Any) -> Callable[..., Any]:
    """`get(run=[1, 2], by="minutes")`: the page as a viewer of the dataset gets it."""
    return lambda **parameters: client_of(viewer).get(f"/datasets/{dataset.pk}/runs/", parameters)


def drawn(answer: Any) -> list[str]:
    assert answer.status_code == 200
    return [row["name"] for row in answer.context["data"]["curves"]]


@pytest.mark.parametrize("state", ["queued", "running", "done", "failed", "cancelled", "interrupted"])
def test_a_training_can_be_drawn_however_it_ended(make_run: Any, get: Any, state: str) -> None:
    run = make_run("Suns", state=state)
    assert drawn(get(run=[run.pk])) == ["Suns"]


def test_the_chosen_ones_are_drawn_and_the_others_offered(make_run: Any, get: Any) -> None:
    first, second, third = (make_run(name) for name in ("Suns", "Sails", "Stars"))
    answer = get(run=[first.pk, third.pk])
    assert drawn(answer) == ["Stars", "Suns"]
    page = answer.content.decode()
    assert [f'value="{run.pk}" checked' in page for run in (first, second, third)] == [True, False, True]
    assert f'value="{second.pk}"' in page and first.get_absolute_url() in page


def test_whoever_has_not_chosen_sees_the_newest_and_whoever_chose_none_sees_none(make_run: Any, get: Any) -> None:
    for number in range(5):
        make_run(f"Run {number}")
    assert drawn(get()) == ["Run 4", "Run 3", "Run 2"]
    nothing = get(by="steps")
    assert drawn(nothing) == [] and b"Choose at least one training" in nothing.content


def test_more_than_can_be_told_apart_are_not_drawn_and_it_is_said(make_run: Any, get: Any) -> None:
    runs = [make_run(f"Run {number}") for number in range(curves.MOST_RUNS + 1)]
    answer = get(run=[run.pk for run in runs])
    assert drawn(answer) == [f"Run {number}" for number in range(curves.MOST_RUNS, 0, -1)]
    assert b"No more than 8 lines" in answer.content
    assert b"No more than 8 lines" not in get(run=[run.pk for run in runs[1:]]).content


def test_a_training_without_a_report_is_not_offered(make_run: Any, get: Any) -> None:
    waiting = make_run("Waiting", [("log", {"text": "Building the detector …"})], state="running")
    answer = get(run=[waiting.pk])
    assert drawn(answer) == []
    assert b"Nothing has been learnt yet" in answer.content and b"Waiting" not in answer.content


def test_nobody_sees_the_trainings_of_another_dataset(make_run: Any, get: Any, outsider: Any) -> None:
    from datasets.models import Dataset

    others = make_run("Secret", dataset=Dataset.objects.exclude(pk=get().context["dataset"].pk)[0])
    answer = get(run=[others.pk])
    assert drawn(answer) == [] and b"Secret" not in answer.content


@pytest.mark.parametrize("wanted", ["0", "-1", "x", "", "1.5", "²", "9" * 18, "9" * 40, "1' OR 1=1"])
def test_what_is_no_number_of_a_training_chooses_none(make_run: Any, get: Any, wanted: str) -> None:
    make_run()
    assert drawn(get(run=[wanted])) == []


def test_a_choice_stays_on_the_next_page_of_trainings(make_run: Any, get: Any) -> None:
    runs = [make_run(f"Run {number:02d}") for number in range(23)]
    page = get(run=[runs[22].pk], by="minutes", page=2).content.decode()
    assert f"?by=minutes&amp;run={runs[22].pk}&amp;page=1" in page
    assert f'value="{runs[22].pk}" checked' in page and f'value="{runs[0].pk}"' in page


def test_steps_and_minutes_lie_along_the_same_losses(make_run: Any, get: Any) -> None:
    run = make_run()
    by_steps, by_minutes = (get(run=[run.pk], by=by).context["data"]["curves"][0] for by in ("steps", "minutes"))
    assert by_steps == {"name": "T", "loss": [[1, 3.0], [2, 1.5], [3, 1.0]], "AP50": [[3, 0.4]]}
    assert by_minutes == {"name": "T", "loss": [[1, 3.0], [2, 1.5], [3, 1.0]], "AP50": [[4, 0.4]]}


def test_a_training_that_went_on_from_a_checkpoint_has_one_curve(make_run: Any) -> None:
    """What it had said of steps that it trained again is taken back, also where it reports other ones than before."""
    said = [("metrics", {"step": step, "loss": loss}) for step, loss in [(1, 3.0), (2, 2.0), (4, 9.0), (3, 1.0)]]
    run = make_run(said=[*said, ("evaluation", {"step": 3, "AP50": 0.3}), SCORED])
    (curve,) = curves.curves_of({run.pk: "D"})
    assert curve == {"name": "D", "loss": [[1, 3.0], [2, 2.0], [3, 1.0]], "AP50": [[3, 0.4]]}


def test_scores_of_steps_that_are_trained_again_are_taken_back_with_their_first_loss(make_run: Any) -> None:
    """The next score may be of a later step than the one that no longer counts."""
    again = [("metrics", {"step": 2, "loss": 2.0}), ("metrics", {"step": 5, "loss": 0.5})]
    run = make_run(said=[("evaluation", {"step": 1, "AP50": 0.1}), *FALLING, SCORED, *again])
    (curve,) = curves.curves_of({run.pk: "D"})
    assert curve == {"name": "D", "loss": [[1, 3.0], [2, 2.0], [5, 0.5]], "AP50": [[1, 0.1]]}


def test_a_long_curve_is_thinned_and_keeps_its_end(make_run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves, "MOST_POINTS", 4)
    run = make_run(said=[("metrics", {"step": step, "loss": float(step)}) for step in range(1, 11)])
    (curve,) = curves.curves_of({run.pk: "D"})
    assert curve["loss"] == [[1, 1.0], [4, 4.0], [7, 7.0], [10, 10.0]]


def test_the_table_says_what_each_line_comes_to(make_run: Any, get: Any) -> None:
    run = make_run(said=[*FALLING, ("evaluation", {"step": 2, "AP50": 0.61}), ("evaluation", {"step": 3, "AP50": 0.4})])
    bare = make_run("Bare", FALLING[:1])
    rows = get(run=[run.pk, bare.pk]).context["drawn"]
    assert [end for _, end in rows] == [
        {"loss": 3.0, "AP50": None, "best": None},
        {"loss": 1.0, "AP50": 40, "best": 61},
    ]


def test_eight_trainings_cost_as_many_queries_as_one(make_run: Any, client_of: Any, viewer: Any, dataset: Any) -> None:
    def cost(runs: list[TrainingRun]) -> int:
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(f"/datasets/{dataset.pk}/runs/", {"run": [run.pk for run in runs]})
        assert len(drawn(answer)) == len(runs)
        return len(queries)

    client = client_of(viewer)
    runs = [make_run(f"Run {number}") for number in range(8)]
    assert cost(runs) == cost(runs[:1]) <= 14


def test_the_ways_to_the_plot_and_back(make_run: Any, get: Any, client_of: Any, viewer: Any, dataset: Any) -> None:
    run = make_run()
    address = f"/datasets/{dataset.pk}/runs/"
    assert f'href="{address}"' in client_of(viewer).get(f"/datasets/{dataset.pk}/training/").content.decode()
    assert f'href="{address}?run={run.pk}"' in client_of(viewer).get(run.get_absolute_url()).content.decode()
    assert f'href="/datasets/{dataset.pk}/training/"' in get().content.decode()
