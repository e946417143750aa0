"""Suggestions are accepted and rejected: on an artwork, or over a whole dataset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from annotations import services
from annotations.models import Box
from tests.annotations.factories import artwork_row, box_row, suggestion_row

pytestmark = pytest.mark.services

Review = Callable[..., Any]


@pytest.fixture
def review(client_of: Callable[..., Any], annotator: Any) -> Review:
    """`review(artwork or dataset, **body)`: as the annotator."""
    client = client_of(annotator)

    def send(place: Any, **body: Any) -> Any:
        of_artwork = hasattr(place, "dataset_id")
        path = f"{place.dataset_id}/artworks/{place.pk}" if of_artwork else f"{place.pk}"
        response = client.post(f"/api/datasets/{path}/suggestions/", body, content_type="application/json")
        if of_artwork:
            place.refresh_from_db()
        return response

    return send


def test_all_above_a_score_are_accepted(review: Review, artwork: Any, label: Any, annotator: Any) -> None:
    good = suggestion_row(artwork, label, (0, 0, 20, 20), score=0.7)
    poor = suggestion_row(artwork, label, (50, 0, 20, 20), score=0.3)
    document = review(artwork, action="accept", minimum_score=0.5).json()
    assert {box["id"]: box["state"] for box in document["boxes"]} == {
        str(good.pk): "confirmed",
        str(poor.pk): "suggested",
    }
    assert document["revision"] == 1 and (artwork.confirmed, artwork.suggested) == (1, 1)
    assert Box.objects.get(pk=good.pk).author == annotator


def test_those_with_ids_are_rejected_and_remembered(review: Review, artwork: Any, label: Any) -> None:
    first, second = (suggestion_row(artwork, label, (x, 0, 20, 20)) for x in (0, 50))
    document = review(artwork, action="reject", ids=[str(first.pk)]).json()
    assert [box["id"] for box in document["boxes"]] == [str(second.pk)]
    assert Box.objects.get(pk=first.pk).state == "rejected"


def test_what_a_person_has_decided_is_not_reviewed_again(review: Review, artwork: Any, label: Any) -> None:
    drawn = box_row(artwork, label, (0, 0, 20, 20))
    document = review(artwork, action="reject", ids=[str(drawn.pk)]).json()
    assert document["boxes"][0]["state"] == "confirmed" and document["revision"] == 0


def test_no_ids_means_none_of_them(review: Review, artwork: Any, label: Any) -> None:
    suggestion_row(artwork, label, (0, 0, 20, 20))
    assert review(artwork, action="accept", ids=[]).json()["boxes"][0]["state"] == "suggested"


def test_a_whole_dataset_is_reviewed_in_portions(
    review: Review, dataset: Any, label: Any, other_label: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "REVIEWED_AT_ONCE", 2)
    artworks = [artwork_row(dataset, number) for number in range(5)]
    for artwork in artworks:
        suggestion_row(artwork, label, (0, 0, 20, 20), score=0.9)
        suggestion_row(artwork, label, (50, 0, 20, 20), score=0.2)
        suggestion_row(artwork, other_label, (100, 0, 20, 20), score=0.9)
    assert review(dataset, action="accept", minimum_score=0.5, label=label.pk).json() == {"count": 5}
    for artwork in artworks:
        artwork.refresh_from_db()
        assert (artwork.confirmed, artwork.suggested, artwork.state, artwork.revision) == (
            1,
            2,
            "suggested",
            1,
        )
    assert review(dataset, action="reject", minimum_score=0).json() == {"count": 10}
    assert review(dataset, action="reject", minimum_score=0).json() == {"count": 0}
    assert not dataset.artworks.exclude(state="annotated", revision=2).exists()


def test_the_review_of_one_dataset_leaves_others_alone(review: Review, dataset: Any, foreign_label: Any) -> None:
    elsewhere = suggestion_row(artwork_row(foreign_label.dataset), foreign_label, (0, 0, 20, 20))
    assert review(dataset, action="accept", minimum_score=0).json() == {"count": 0}
    assert review(dataset, action="accept", minimum_score=0, label=foreign_label.pk).status_code == 404
    elsewhere.refresh_from_db()
    assert elsewhere.state == "suggested"


@pytest.mark.parametrize(
    "body",
    [{}, {"action": "burn"}, {"action": "accept", "minimum_score": 2}, {"action": "accept", "ids": ["x"]}],
)
def test_a_review_that_says_nothing_sensible_is_refused(review: Review, artwork: Any, body: dict[str, Any]) -> None:
    assert review(artwork, **body).status_code == 400
