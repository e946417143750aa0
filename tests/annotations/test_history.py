"""Every change of an artwork's boxes is remembered, and every earlier state can be looked at and brought back."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations import services
from annotations.labelling import delete_label
from annotations.models import Box, Change
from annotations.services import Found, import_boxes, review_all, review_suggestions, write_suggestions
from tests.annotations.factories import artwork_row, box_row, created, suggestion_row

pytestmark = pytest.mark.services

Send = Callable[..., Any]
EDIT, REVIEW, FOUND = Change.Kind.EDIT, Change.Kind.REVIEW, Change.Kind.SUGGESTIONS


def find(artwork: Any, *places: tuple[int, float], score: float = 0.8) -> None:
    """Detector 7 finds boxes of 20 × 20 pixels at (label, x)."""
    found = [Found(label, x, 0, 20, 20, score) for label, x in places]
    write_suggestions(artwork_id=artwork.pk, detector_id=7, detector_name="Quick", found=found)
    artwork.refresh_from_db()


@pytest.fixture
def history(client_of: Callable[..., Any], viewer: Any) -> Callable[..., Any]:
    """`history(artwork, path="")`: what a viewer is told of its history."""
    client = client_of(viewer)
    return lambda artwork, path="": client.get(_url(artwork, path))


@pytest.fixture
def restore(client_of: Callable[..., Any], annotator: Any) -> Send:
    """`restore(artwork, target, **fields)`: bring it back as the annotator, on the revision that `artwork` shows."""
    client = client_of(annotator)

    def send(artwork: Any, target: int, **fields: Any) -> Any:
        body = {"id": str(uuid.uuid4()), "revision": artwork.revision} | fields
        response = client.post(_url(artwork, f"{target}/restore/"), body, content_type="application/json")
        artwork.refresh_from_db()
        return response

    return send


def _url(artwork: Any, path: str) -> str:
    return f"/api/datasets/{artwork.dataset_id}/artworks/{artwork.pk}/history/{path}"


def test_the_history_names_who_did_what_and_when_the_newest_first(
    edit: Send, history: Send, artwork: Any, label: Any, other_label: Any
) -> None:
    before = timezone.now().isoformat()
    first, second = created(label), created(label, (60, 20, 30, 40))
    edit(artwork, first, second)
    edit(artwork, {"op": "update", "id": first["id"], "x": 12}, {"op": "delete", "id": second["id"]})
    edit(artwork, {"op": "update", "id": first["id"], "x": 9, "label": other_label.pk})
    find(artwork, (label.pk, 150))
    answer = history(artwork).json()
    assert [row["revision"] for row in answer["results"]] == [4, 3, 2, 1] and answer["count"] == 4
    assert [row["author"] for row in answer["results"]] == [None, "anna", "anna", "anna"]
    assert [row["detector_name"] for row in answer["results"]] == ["Quick", "", "", ""]
    assert [said(row) for row in answer["results"]] == [
        ("suggestions", {"suggested": 1}),
        ("edit", {"relabelled": 1}),
        ("edit", {"moved": 1, "deleted": 1}),
        ("edit", {"drawn": 2}),
    ]
    times = [row["time"] for row in answer["results"]]
    assert times == sorted(times, reverse=True) and min(times) >= before[:19]


def said(row: dict[str, Any]) -> tuple[str, dict[str, int]]:
    """Kind and counts of an entry, without zeros."""
    return row["kind"], {deed: number for deed, number in row["counts"].items() if number}


@pytest.mark.parametrize(
    ("operation", "state", "deed"),
    [
        ({"op": "accept"}, "suggested", "accepted"),
        ({"op": "reject"}, "suggested", "rejected"),
        ({"op": "delete"}, "suggested", "rejected"),
        ({"op": "delete"}, "confirmed", "deleted"),
        ({"op": "update", "x": 5}, "suggested", "moved"),
        ({"op": "update", "x": 5, "width": 10}, "confirmed", "resized"),
    ],
)
def test_what_a_person_does_to_a_detectors_box_is_called_by_its_name(
    edit: Send, history: Send, artwork: Any, label: Any, operation: dict[str, Any], state: str, deed: str
) -> None:
    box = suggestion_row(artwork, label, (0, 0, 20, 20), state=state)
    edit(artwork, {**operation, "id": str(box.pk)})
    assert said(history(artwork).json()["results"][0]) == ("edit", {deed: 1})


def test_undone_rejections_and_acceptances_are_seen_as_what_they_are(edit: Send, artwork: Any, label: Any) -> None:
    box = suggestion_row(artwork, label, (0, 0, 20, 20))
    knew = {"id": str(box.pk), "label": label.pk, "x": 0, "y": 0, "width": 20, "height": 20, "state": "suggested"}
    for operation in ("reject", "accept"):
        edit(artwork, {"op": operation, "id": str(box.pk)})
        edit(artwork, {"op": "restore", "box": knew})
    assert [row.counts for row in artwork.changes.all()] == [
        {"rejected": 1},
        {"suggested": 1},
        {"accepted": 1},
        {"suggested": 1},
    ]


def test_a_mark_that_there_is_nothing_is_remembered_with_what_it_rejected(
    edit: Send, history: Send, artwork: Any, label: Any
) -> None:
    suggestion_row(artwork, label, (0, 0, 20, 20))
    edit(artwork, {"op": "mark_nothing", "value": True})
    edit(artwork, created(label))
    later, first = history(artwork).json()["results"]
    assert (first["nothing_to_mark"], later["nothing_to_mark"]) == (True, False)
    assert said(first) == ("edit", {"rejected": 1})


def test_every_way_of_changing_boxes_leaves_one_row_per_revision(
    edit: Send, restore: Send, artwork: Any, label: Any, other_label: Any, annotator: Any, curator: Any
) -> None:
    edit(artwork, created(label))
    find(artwork, (other_label.pk, 50), (other_label.pk, 90))
    review_suggestions(artwork=artwork, user=annotator, action="accept", ids=[Box.objects.suggested()[0].pk])
    review_all(dataset=artwork.dataset, user=annotator, action="reject", minimum_score=0)
    import_boxes(artwork=artwork, boxes=[(label.pk, 1, 1, 20, 20)], user=curator)
    delete_label(label=other_label, user=curator, force=True)
    artwork.refresh_from_db()
    restore(artwork, 1)
    rows = list(artwork.changes.all())
    assert [row.revision for row in rows] == list(range(1, artwork.revision + 1))
    assert [(row.kind, row.author, row.detector_name) for row in rows] == [
        (EDIT, annotator, ""),
        (FOUND, None, "Quick"),
        (REVIEW, annotator, ""),
        (REVIEW, annotator, ""),
        (Change.Kind.IMPORT, curator, ""),
        (Change.Kind.LABEL, curator, ""),
        (Change.Kind.RESTORE, annotator, ""),
    ]
    assert [row.counts for row in rows[1:]] == [
        {"suggested": 2},
        {"accepted": 1},
        {"rejected": 1},
        {"drawn": 1},
        {"deleted": 1},
        {"deleted": 1},
    ]


def test_what_changes_nothing_leaves_no_row(restore: Send, artwork: Any, label: Any, annotator: Any) -> None:
    box_row(artwork, label, (0, 0, 20, 20))
    review_suggestions(artwork=artwork, user=annotator, action="accept")
    find(artwork)
    assert restore(artwork, 0).json()["revision"] == 0
    assert not Change.objects.exists()


def test_a_row_holds_what_changed_and_nothing_else(edit: Send, artwork: Any, label: Any, annotator: Any) -> None:
    """Saving a box of two thousand must not write two thousand."""
    box, _other = (box_row(artwork, label, (x, 0, 20, 20)) for x in (0, 50))
    edit(artwork, {"op": "update", "id": str(box.pk), "x": 5})
    (delta,) = Change.objects.values_list("delta", flat=True)
    assert list(delta) == [str(box.pk)]
    before, after = delta[str(box.pk)]
    assert (before.pop("updated_at"), after.pop("updated_at")) == (box.updated_at.isoformat(), _saved(box))
    assert (before, after) == ({"x": 0.0, "author_id": None}, {"x": 5.0, "author_id": annotator.pk})


def _saved(box: Box) -> str:
    box.refresh_from_db()
    return box.updated_at.isoformat()


def test_an_earlier_state_is_shown_as_it_was(edit: Send, history: Send, artwork: Any, label: Any) -> None:
    first = edit(artwork, created(label)).json()
    edit(artwork, {"op": "delete", "id": first["boxes"][0]["id"]}, {"op": "mark_nothing", "value": True})
    told = history(artwork, "1/").json()
    assert told["time"] and told["gone_labels"] == []
    assert {key: told[key] for key in first} == first
    empty = history(artwork, "0/").json()
    assert (empty["revision"], empty["boxes"], empty["time"], empty["nothing_to_mark"]) == (0, [], None, False)
    assert history(artwork, "2/").json()["nothing_to_mark"] is True


@pytest.mark.parametrize("revision", [2, 10**6, 2**63, 10**30])
def test_a_revision_that_there_is_not_cannot_be_shown_or_brought_back(
    edit: Send, history: Send, restore: Send, artwork: Any, label: Any, revision: int
) -> None:
    edit(artwork, created(label))
    for answer in (history(artwork, f"{revision}/"), restore(artwork, revision)):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_revision")


def test_bringing_back_restores_boxes_with_author_times_score_and_detector(
    edit: Send, restore: Send, artwork: Any, label: Any, owner: Any
) -> None:
    find(artwork, (label.pk, 0), score=0.61)
    edit(artwork, created(label, (50, 50, 20, 20)))
    known = services.document(artwork)
    ids = [box["id"] for box in known["boxes"]]
    services.apply_edits(
        artwork=artwork,
        user=owner,
        batch_id=uuid.uuid4(),
        revision=artwork.revision,
        edits=[{"op": "delete", "id": uuid.UUID(key)} for key in ids],
    )
    artwork.refresh_from_db()
    answer = restore(artwork, 2)
    assert answer.status_code == 200
    assert answer.json() == {**known, "revision": 4, "left_out": []}
    assert (artwork.confirmed, artwork.suggested, artwork.state) == (1, 1, "suggested")


def test_what_was_brought_back_can_be_taken_back(edit: Send, restore: Send, artwork: Any, label: Any) -> None:
    edit(artwork, created(label))
    known = edit(artwork, created(label, (60, 60, 20, 20))).json()
    assert len(restore(artwork, 1).json()["boxes"]) == 1
    assert restore(artwork, 2).json()["boxes"] == known["boxes"]
    assert [row.counts for row in artwork.changes.all()][2:] == [{"deleted": 1}, {"drawn": 1}]


def test_the_history_says_which_state_was_brought_back(
    edit: Send, restore: Send, history: Send, artwork: Any, label: Any
) -> None:
    edit(artwork, created(label))
    edit(artwork, created(label, (60, 60, 20, 20)))
    restore(artwork, 1)
    newest, _second, first = history(artwork).json()["results"]
    assert (newest["kind"], newest["restored"]) == ("restore", 1)
    assert newest["restored_time"][:23] == first["time"][:23]


def test_bringing_back_on_an_old_revision_gets_the_current_document_and_changes_nothing(
    edit: Send, restore: Send, artwork: Any, label: Any
) -> None:
    edit(artwork, created(label))
    edit(artwork, created(label, (60, 60, 20, 20)))
    answer = restore(artwork, 1, revision=1)
    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    assert answer.json()["current"]["revision"] == 2 and len(answer.json()["current"]["boxes"]) == 2
    assert Box.objects.count() == 2 and Change.objects.count() == 2


def test_sent_again_it_is_answered_and_not_done_again(
    edit: Send, restore: Send, artwork: Any, label: Any, dataset: Any
) -> None:
    edit(artwork, created(label))
    sent = {"id": str(uuid.uuid4()), "revision": 1}
    first, second = restore(artwork, 0, **sent), restore(artwork, 0, **sent)
    assert first.status_code == 200 and first.json() == second.json() and artwork.revision == 2
    elsewhere = restore(artwork_row(dataset, 1), 0, **(sent | {"revision": 0}))
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (400, "batch_id_used")


def test_boxes_of_a_concept_that_is_gone_are_shown_reported_and_left_out(
    edit: Send, history: Send, restore: Send, artwork: Any, label: Any, other_label: Any, curator: Any
) -> None:
    edit(artwork, created(label), created(other_label, (60, 60, 20, 20)), created(other_label, (90, 60, 20, 20)))
    delete_label(label=other_label, user=curator, force=True)
    edit(artwork, created(label, (5, 5, 20, 20)), revision=2)
    gone = [{"id": history(artwork, "1/").json()["boxes"][1]["label"], "name": "Book", "colour": "#0072b2", "boxes": 2}]
    told = history(artwork, "1/").json()
    assert len(told["boxes"]) == 3 and told["gone_labels"] == gone
    assert [row["concept"] for row in history(artwork).json()["results"]] == [None, "Book", None]
    sent = {"id": str(uuid.uuid4()), "revision": 3}
    answers = [restore(artwork, 1, **sent).json() for _attempt in range(2)]
    assert [len(answer["boxes"]) for answer in answers] == [1, 1]
    assert [answer["left_out"] for answer in answers] == [gone, gone]


def test_a_rejected_suggestion_stays_rejected_when_the_state_before_it_is_brought_back(
    edit: Send, restore: Send, artwork: Any, label: Any
) -> None:
    edit(artwork, created(label, (100, 100, 20, 20)))
    find(artwork, (label.pk, 0), (label.pk, 50))
    rejected, pending = Box.objects.suggested()
    edit(artwork, {"op": "reject", "id": str(rejected.pk)})
    restore(artwork, 1)
    assert not Box.objects.filter(pk=pending.pk).exists()
    find(artwork, (label.pk, 0), (label.pk, 50))
    (again,) = Box.objects.suggested()
    assert again.x == 50


def test_a_box_that_was_there_before_the_history_is_in_every_state(edit: Send, artwork: Any, label: Any) -> None:
    """Boxes that are older than the records are never touched by undoing these."""
    old = box_row(artwork, label, (0, 0, 20, 20))
    edit(artwork, created(label))
    from annotations.history import past

    assert list(past(artwork, 0).boxes) == [old.pk]


def test_changes_older_than_the_history_are_listed_and_not_offered(
    edit: Send, history: Send, restore: Send, artwork: Any, label: Any
) -> None:
    for place in ((0, 0, 20, 20), (30, 0, 20, 20), (60, 0, 20, 20)):
        edit(artwork, created(label, place))
    # As an update of the installation leaves them; the suggestions of revision 1 left no row then.
    artwork.changes.filter(revision=1).delete()
    artwork.changes.filter(revision=2).update(delta=None)
    rows = history(artwork).json()["results"]
    assert [(row["revision"], row["known"], row["known_before"]) for row in rows] == [(3, True, True), (2, True, False)]
    assert len(history(artwork, "2/").json()["boxes"]) == 2
    assert history(artwork, "1/").status_code == restore(artwork, 0).status_code == 404


def test_somebody_who_has_left_leaves_their_boxes_without_a_name(
    edit: Send, history: Send, restore: Send, artwork: Any, label: Any, annotator: Any, owner: Any, client_of: Any
) -> None:
    box = edit(artwork, created(label)).json()["boxes"][0]
    edit(artwork, {"op": "delete", "id": box["id"]})
    client = client_of(owner)
    annotator.delete()
    assert client.get(_url(artwork, "")).json()["results"][0]["author"] is None
    body = {"id": str(uuid.uuid4()), "revision": 2}
    answer = client.post(_url(artwork, "1/restore/"), body, content_type="application/json")
    assert answer.status_code == 200 and answer.json()["boxes"] == [{**box, "author": None}]


def test_a_review_of_a_dataset_costs_the_same_statements_for_many_artworks(
    dataset: Any, label: Any, annotator: Any
) -> None:
    def cost(first: int, count: int) -> int:
        for number in range(first, first + count):
            suggestion_row(artwork_row(dataset, number), label, (0, 0, 20, 20))
        with CaptureQueriesContext(connection) as queries:
            assert review_all(dataset=dataset, user=annotator, action="accept", minimum_score=0) == count
        return len(queries)

    assert cost(0, 2) == cost(100, 40)
    assert Change.objects.filter(kind=REVIEW, revision=1, counts={"accepted": 1}).count() == 42
