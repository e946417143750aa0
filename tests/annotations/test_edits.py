"""Batches of edits: on one revision, all or none, never twice, and without harm to what the client did not know of."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from annotations.models import Box, Change
from tests.annotations.factories import artwork_row, batch, box_row, created, suggestion_row

pytestmark = pytest.mark.services

Send = Callable[..., Any]


def test_a_new_box_is_confirmed_and_counted(edit: Send, artwork: Any, label: Any, annotator: Any) -> None:
    response = edit(artwork, created(label, (10, 20, 30.5, 40)))
    assert response.status_code == 200
    document = response.json()
    assert document["revision"] == 1 and document["artwork"] == artwork.pk
    (box,) = document["boxes"]
    assert (box["x"], box["y"], box["width"], box["height"]) == (10, 20, 30.5, 40)
    assert (box["state"], box["source"], box["author"], box["score"]) == ("confirmed", "manual", "anna", None)
    assert (artwork.confirmed, artwork.suggested, artwork.state) == (1, 0, "annotated")


def test_a_box_that_the_client_does_not_mention_stays(edit: Send, artwork: Any, label: Any, other_label: Any) -> None:
    """The predecessor deleted the boxes whose concepts were not on screen (fault 5)."""
    unseen = box_row(artwork, other_label, (0, 0, 20, 20))
    edit(artwork, created(label))
    assert Box.objects.filter(pk=unseen.pk, label=other_label).exists()
    assert artwork.confirmed == 2


def test_moving_and_relabelling_keep_the_box_its_identity(
    edit: Send, artwork: Any, label: Any, other_label: Any
) -> None:
    box = box_row(artwork, label, (0, 0, 20, 20))
    (after,) = edit(artwork, {"op": "update", "id": str(box.pk), "x": 5, "label": other_label.pk}).json()["boxes"]
    assert (after["id"], after["x"], after["width"], after["label"]) == (str(box.pk), 5, 20, other_label.pk)


@pytest.mark.parametrize("operation", [{"op": "accept"}, {"op": "update", "width": 25}])
def test_an_accepted_or_corrected_suggestion_is_confirmed(
    edit: Send, artwork: Any, label: Any, operation: dict[str, Any]
) -> None:
    box = suggestion_row(artwork, label, (0, 0, 20, 20))
    (after,) = edit(artwork, {**operation, "id": str(box.pk)}).json()["boxes"]
    assert (after["state"], after["source"], after["score"], after["author"]) == (
        "confirmed",
        "detector",
        0.8,
        "anna",
    )
    assert (artwork.confirmed, artwork.suggested, artwork.state) == (1, 0, "annotated")


@pytest.mark.parametrize("operation", ["delete", "reject"])
@pytest.mark.parametrize("state", ["suggested", "confirmed"])
def test_a_detectors_box_that_is_deleted_is_remembered_as_rejected(
    edit: Send, artwork: Any, label: Any, operation: str, state: str
) -> None:
    box = suggestion_row(artwork, label, (0, 0, 20, 20), state=state)
    assert edit(artwork, {"op": operation, "id": str(box.pk)}).json()["boxes"] == []
    box.refresh_from_db()
    assert box.state == "rejected" and artwork.state == "todo"


def test_a_drawn_box_that_is_deleted_is_gone(edit: Send, artwork: Any, label: Any) -> None:
    box = box_row(artwork, label, (0, 0, 20, 20))
    assert edit(artwork, {"op": "delete", "id": str(box.pk)}).json()["boxes"] == []
    assert not Box.objects.filter(pk=box.pk).exists()


def test_a_drawn_box_cannot_be_rejected(edit: Send, artwork: Any, label: Any) -> None:
    box = box_row(artwork, label, (0, 0, 20, 20))
    response = edit(artwork, {"op": "reject", "id": str(box.pk)})
    assert (response.status_code, response.json()["code"]) == (400, "not_a_suggestion")


def test_restoring_undoes_a_deletion_with_the_same_id(edit: Send, artwork: Any, label: Any) -> None:
    known = edit(artwork, created(label)).json()["boxes"][0]
    edit(artwork, {"op": "delete", "id": known["id"]})
    (after,) = edit(artwork, {"op": "restore", "box": known}).json()["boxes"]
    assert {**after, "updated_at": ""} == {**known, "updated_at": ""}


@pytest.mark.parametrize("operation", [{"op": "reject"}, {"op": "accept"}, {"op": "update", "x": 50}])
def test_restoring_makes_a_reviewed_suggestion_pending_again(
    edit: Send, artwork: Any, label: Any, operation: dict[str, Any]
) -> None:
    box = suggestion_row(artwork, label, (0, 0, 20, 20))
    client_knew = {
        "id": str(box.pk),
        "label": label.pk,
        "x": 0,
        "y": 0,
        "width": 20,
        "height": 20,
        "state": "suggested",
    }
    edit(artwork, {**operation, "id": str(box.pk)})
    (after,) = edit(artwork, {"op": "restore", "box": client_knew}).json()["boxes"]
    assert (after["state"], after["x"], after["score"], after["detector"]) == ("suggested", 0, 0.8, 7)
    assert (artwork.suggested, artwork.state) == (1, "suggested")


def test_a_client_cannot_forge_where_a_box_comes_from(edit: Send, artwork: Any, label: Any) -> None:
    forged = {**created(label), "state": "suggested", "source": "detector", "detector": 1, "score": 0.99}
    (after,) = edit(artwork, {"op": "restore", "box": forged}).json()["boxes"]
    assert (after["state"], after["source"], after["detector"], after["score"]) == (
        "confirmed",
        "manual",
        None,
        None,
    )


def test_a_batch_may_build_on_itself(edit: Send, artwork: Any, label: Any, other_label: Any) -> None:
    first, second = created(label), created(label, (50, 50, 10, 10))
    response = edit(
        artwork,
        first,
        {"op": "update", "id": first["id"], "label": other_label.pk},
        second,
        {"op": "delete", "id": second["id"]},
    )
    (box,) = response.json()["boxes"]
    assert (box["id"], box["label"], artwork.revision) == (first["id"], other_label.pk, 1)


def test_one_bad_edit_refuses_the_whole_batch(edit: Send, artwork: Any, label: Any) -> None:
    response = edit(artwork, created(label), created(label, (190, 0, 50, 10)))
    assert response.status_code == 400
    assert response.json()["code"] == "outside" and response.json()["message"].startswith("Edit 2 of 2: ")
    assert (Box.objects.count(), Change.objects.count(), artwork.revision) == (0, 0, 0)


def test_a_stale_batch_gets_the_current_document_and_changes_nothing(edit: Send, artwork: Any, label: Any) -> None:
    edit(artwork, created(label))
    response = edit(artwork, created(label), revision=0)
    assert (response.status_code, response.json()["code"]) == (409, "stale")
    assert response.json()["current"]["revision"] == 1 and len(response.json()["current"]["boxes"]) == 1
    assert Box.objects.count() == 1


def test_a_batch_sent_again_is_answered_but_not_applied_again(edit: Send, artwork: Any, label: Any) -> None:
    sent = batch(artwork, created(label))
    first, second = edit(artwork, **sent), edit(artwork, **sent)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json() and artwork.revision == 1


def test_the_id_of_a_batch_cannot_be_used_on_another_artwork(
    edit: Send, artwork: Any, dataset: Any, label: Any
) -> None:
    sent = batch(artwork, created(label))
    edit(artwork, **sent)
    response = edit(artwork_row(dataset, 1), created(label), id=sent["id"])
    assert (response.status_code, response.json()["code"]) == (400, "batch_id_used")


def test_the_id_of_a_box_cannot_be_used_twice(edit: Send, artwork: Any, dataset: Any, label: Any) -> None:
    new = created(label)
    edit(artwork, new)
    for place in (artwork, artwork_row(dataset, 1)):
        response = edit(place, new)
        assert (response.status_code, response.json()["code"]) == (400, "box_exists")
    assert Box.objects.get().artwork_id == artwork.pk


def test_a_box_of_another_artwork_is_out_of_reach(edit: Send, artwork: Any, dataset: Any, label: Any) -> None:
    elsewhere = box_row(artwork_row(dataset, 1), label, (0, 0, 20, 20))
    for operation in ("delete", "accept", "reject", "update"):
        response = edit(artwork, {"op": operation, "id": str(elsewhere.pk), "x": 1})
        assert (response.status_code, response.json()["code"]) == (400, "unknown_box")
    assert Box.objects.filter(pk=elsewhere.pk, x=0).exists()


def test_a_label_of_another_dataset_is_unknown(edit: Send, artwork: Any, foreign_label: Any) -> None:
    response = edit(artwork, created(foreign_label))
    assert (response.status_code, response.json()["code"]) == (400, "unknown_label")


def test_an_artwork_can_be_marked_as_showing_nothing(edit: Send, artwork: Any) -> None:
    assert edit(artwork, {"op": "mark_nothing", "value": True}).json()["nothing_to_mark"] is True
    assert artwork.state == "nothing"
    assert edit(artwork, {"op": "mark_nothing", "value": False}).json()["nothing_to_mark"] is False
    assert artwork.state == "todo"


def test_nothing_cannot_be_marked_beside_boxes(edit: Send, artwork: Any, label: Any) -> None:
    box_row(artwork, label, (0, 0, 20, 20))
    response = edit(artwork, {"op": "mark_nothing", "value": True})
    assert (response.status_code, response.json()["code"]) == (400, "has_boxes")
    assert "1 box" in response.json()["message"]


def test_marking_nothing_rejects_what_waits(edit: Send, artwork: Any, label: Any) -> None:
    suggestion_row(artwork, label, (0, 0, 20, 20))
    assert edit(artwork, {"op": "mark_nothing", "value": True}).json()["boxes"] == []
    assert (artwork.state, artwork.suggested, Box.objects.get().state) == ("nothing", 0, "rejected")


def test_drawing_a_box_takes_back_that_there_is_nothing(edit: Send, artwork: Any, label: Any) -> None:
    edit(artwork, {"op": "mark_nothing", "value": True})
    assert edit(artwork, created(label)).json()["nothing_to_mark"] is False
    assert artwork.state == "annotated"


def test_a_deleted_artwork_takes_no_edits(edit: Send, artwork: Any, label: Any) -> None:
    from django.utils import timezone

    type(artwork).objects.filter(pk=artwork.pk).update(deleted_at=timezone.now())
    assert edit(artwork, created(label)).status_code == 404


def test_an_edit_of_an_unknown_box_is_refused(edit: Send, artwork: Any) -> None:
    response = edit(artwork, {"op": "delete", "id": str(uuid.uuid4())})
    assert (response.status_code, response.json()["code"]) == (400, "unknown_box")
