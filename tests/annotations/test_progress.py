"""How far artworks are: what begins by itself, who may say what, which one comes next, and the report."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import QuerySet

from annotations import counters, services
from annotations.models import Box, Label
from annotations.report import report_of
from annotations.services import Found
from datasets.models import Artwork

pytestmark = [pytest.mark.django_db, pytest.mark.services]

PLACE = {"x": 10.0, "y": 10.0, "width": 20.0, "height": 20.0}


def draw(artwork: Artwork, user: Any, label: Label) -> None:
    artwork.refresh_from_db()
    edit: Any = {"op": "create", "id": uuid.uuid4(), "label": label.pk, **PLACE}
    services.apply_edits(artwork=artwork, user=user, batch_id=uuid.uuid4(), revision=artwork.revision, edits=[edit])
    artwork.refresh_from_db()


def suggest(artwork: Artwork, label: Label, *scores: float) -> None:
    found = [Found(label.pk, 30.0 * n, 5.0, 20.0, 20.0, score) for n, score in enumerate(scores)]
    services.write_suggestions(artwork_id=artwork.pk, detector_id=1, detector_name="Quick", found=found)
    artwork.refresh_from_db()


def say(client: Any, artwork: Artwork, progress: str) -> Any:
    url = f"/api/datasets/{artwork.dataset_id}/artworks/{artwork.pk}/progress/"
    return client.post(url, {"progress": progress}, content_type="application/json")


def test_the_first_edit_begins_an_artwork_and_a_detector_does_not(artwork: Any, annotator: Any, label: Label) -> None:
    suggest(artwork, label, 0.6)
    assert artwork.progress == "todo"
    draw(artwork, annotator, label)
    assert (artwork.progress, artwork.progress_by) == ("in_progress", annotator)


def test_a_review_of_the_whole_dataset_begins_its_artworks(
    dataset: Any, make_artwork: Callable[..., Any], annotator: Any, label: Label
) -> None:
    works = [make_artwork(dataset, seed) for seed in range(3)]
    for work in works[:2]:
        suggest(work, label, 0.6)
    services.review_all(dataset=dataset, user=annotator, action="accept")
    assert [Artwork.objects.get(pk=work.pk).progress for work in works] == ["in_progress", "in_progress", "todo"]


def test_what_was_reviewed_has_to_be_reviewed_again_after_an_edit(
    artwork: Any, annotator: Any, curator: Any, label: Label, client_of: Callable[..., Any]
) -> None:
    assert say(client_of(curator), artwork, "reviewed").status_code == 200
    draw(artwork, annotator, label)
    assert artwork.progress == "done"


def test_only_curators_call_an_artwork_reviewed_or_take_it_back(
    artwork: Any, annotator: Any, curator: Any, client_of: Callable[..., Any]
) -> None:
    for progress in ("in_progress", "done", "todo"):
        assert say(client_of(annotator), artwork, progress).json()["progress"] == progress
    assert say(client_of(annotator), artwork, "reviewed").json()["code"] == "role_too_low"
    assert say(client_of(curator), artwork, "reviewed").status_code == 200
    assert say(client_of(annotator), artwork, "todo").status_code == 403
    assert say(client_of(curator), artwork, "finished").status_code == 400
    artwork.refresh_from_db()
    assert artwork.progress == "reviewed"


def test_what_teaches_most_comes_next_then_the_rest_by_title(
    dataset: Any, make_artwork: Callable[..., Any], annotator: Any, label: Label, client_of: Callable[..., Any]
) -> None:
    sure, torn, plain, done = (make_artwork(dataset, seed, title=title) for seed, title in enumerate("CBAD"))
    suggest(sure, label, 0.97, 0.02)
    suggest(torn, label, 0.5)
    Artwork.objects.filter(pk=done.pk).update(progress="done")
    client, url = client_of(annotator), f"/datasets/{dataset.pk}/next/"
    order = [torn, sure, plain]
    for work in order:
        assert client.get(url)["Location"] == work.get_absolute_url()
        Artwork.objects.filter(pk=work.pk).update(progress="done")
    assert client.get(url)["Location"] == f"/datasets/{dataset.pk}/progress/"
    Artwork.objects.filter(pk=torn.pk).update(progress="todo")
    assert client.get(url, {"after": torn.pk})["Location"] == f"/datasets/{dataset.pk}/progress/"
    assert client.get(url, {"after": "9" * 40})["Location"] == torn.get_absolute_url()


@pytest.mark.parametrize(("score", "expected"), [(0.5, 1.0), (0.0, 0.0), (1.0, 0.0), (0.75, 0.25), (None, 0.0)])
def test_a_suggestion_teaches_most_where_the_detector_cannot_tell(score: float | None, expected: float) -> None:
    assert counters.teaching_of(score) == pytest.approx(expected)


def test_counting_in_the_database_agrees_with_counting_in_memory(artwork: Any, label: Label) -> None:
    suggest(artwork, label, 0.5, 0.75, 0.99)
    at_once = artwork.teaching
    rows: QuerySet[Artwork] = Artwork.objects.filter(pk=artwork.pk)
    rows.update(teaching=0)
    counters.recount(rows)
    artwork.refresh_from_db()
    assert artwork.teaching == pytest.approx(at_once) == pytest.approx(1 + 0.25 + 0.0004)
    Box.objects.all().delete()
    counters.recount(rows)
    artwork.refresh_from_db()
    assert artwork.teaching == 0


def test_the_report_names_artworks_concepts_and_people(
    dataset: Any,
    make_artwork: Callable[..., Any],
    annotator: Any,
    curator: Any,
    label: Label,
    client_of: Callable[..., Any],
) -> None:
    works = [make_artwork(dataset, seed) for seed in range(4)]
    for work in works[:2]:
        draw(work, annotator, label)
    draw(works[0], curator, label)
    suggest(works[3], label, 0.4, 0.6)
    say(client_of(annotator), works[0], "done")
    say(client_of(curator), works[1], "reviewed")
    report = report_of(dataset)
    assert (report.artworks, report.done, report.suggestions) == (4, 2, 2)
    assert [count for _key, _name, count in report.stages] == [2, 0, 1, 1]
    (row,) = report.labels
    assert (row.box_total, row.artwork_total, row.suggested_total) == (3, 2, 2)  # type: ignore[attr-defined]
    assert [(p.name, p.boxes, p.done, p.reviewed) for p in report.people] == [("anna", 2, 1, 0), ("carla", 1, 0, 1)]
    page = client_of(annotator).get(f"/datasets/{dataset.pk}/progress/").content.decode()
    assert "2 of 4 artworks are done" in page and "anna" in page


def test_the_report_costs_the_same_queries_however_much_there_is(
    dataset: Any, make_artwork: Callable[..., Any], annotator: Any, label: Label, django_assert_num_queries: Any
) -> None:
    for seed in range(2):
        draw(make_artwork(dataset, seed), annotator, label)
    with django_assert_num_queries(5):
        report_of(dataset)
    other = Label.objects.create(dataset=dataset, name="Other", colour="#000000")
    for seed in range(2, 8):
        draw(make_artwork(dataset, seed), annotator, other)
    with django_assert_num_queries(5):
        report_of(dataset)
