"""A detector's suggestions replace its earlier ones and nothing else."""

from __future__ import annotations

import math
from typing import Any

import pytest
from django.utils import timezone

from annotations.models import Box
from annotations.services import Found, write_suggestions
from tests.annotations.factories import box_row, suggestion_row

pytestmark = pytest.mark.services


def find(artwork: Any, *found: Found, detector: int = 7) -> tuple[int, int]:
    """Write what detector 7 has found."""
    outcome = write_suggestions(artwork_id=artwork.pk, detector_id=detector, detector_name=f"D{detector}", found=found)
    artwork.refresh_from_db()
    return outcome


def test_what_is_found_waits_for_a_person_with_its_score(artwork: Any, label: Any) -> None:
    """The predecessor threw scores away and took detections for truth (fault 7)."""
    assert find(artwork, Found(label.pk, 10, 20, 30, 40, 0.61)) == (1, 1)
    box = Box.objects.get()
    assert (box.state, box.source, box.score, box.detector_id, box.detector_name) == (
        "suggested",
        "detector",
        0.61,
        7,
        "D7",
    )
    assert (artwork.confirmed, artwork.suggested, artwork.state) == (0, 1, "suggested")


def test_a_second_run_keeps_what_a_person_corrected_confirmed_or_rejected(artwork: Any, label: Any) -> None:
    """The predecessor deleted automatic boxes that a person had corrected (fault 6)."""
    decided = [
        suggestion_row(artwork, label, (0, 0, 20, 20), state="confirmed"),
        suggestion_row(artwork, label, (50, 0, 20, 20), state="rejected"),
        box_row(artwork, label, (100, 0, 20, 20)),
    ]
    again = [Found(label.pk, x + 1, 1, 20, 20, 0.9) for x in (0, 50, 100)]
    assert find(artwork, *again)[1] == 0
    assert set(Box.objects.all()) == set(decided)
    assert find(artwork)[1] == 0 and Box.objects.count() == 3


def test_a_second_run_replaces_its_own_pending_suggestions_only(artwork: Any, label: Any) -> None:
    own = suggestion_row(artwork, label, (0, 0, 20, 20))
    others = suggestion_row(artwork, label, (50, 0, 20, 20), detector_id=8)
    assert find(artwork, Found(label.pk, 100, 0, 20, 20, 0.9))[1] == 1
    assert not Box.objects.filter(pk=own.pk).exists() and Box.objects.filter(pk=others.pk).exists()
    assert artwork.suggested == 2


def test_what_another_detector_suggests_already_is_not_suggested_twice(
    artwork: Any, label: Any, other_label: Any
) -> None:
    suggestion_row(artwork, label, (0, 0, 20, 20), detector_id=8)
    assert find(artwork, Found(label.pk, 1, 1, 20, 20, 0.9), Found(other_label.pk, 1, 1, 20, 20, 0.9))[1] == 1
    assert Box.objects.get(detector_id=7).label == other_label


def test_a_find_that_a_person_has_relabelled_is_not_made_again(artwork: Any, label: Any, other_label: Any) -> None:
    suggestion_row(artwork, other_label, (0, 0, 20, 20), state="confirmed")
    assert find(artwork, Found(label.pk, 0, 0, 20, 20, 0.9))[1] == 0


def test_the_same_finds_again_change_nothing(artwork: Any, label: Any) -> None:
    found = [Found(label.pk, 10.123456, 20, 30, 40, 0.61), Found(label.pk, 90, 20, 30, 40, 0.5)]
    find(artwork, *found)
    known = set(Box.objects.values_list("pk", flat=True))
    assert find(artwork, *found) == (1, 2)
    assert set(Box.objects.values_list("pk", flat=True)) == known


def test_one_new_find_leaves_the_other_suggestions_their_identity(artwork: Any, label: Any) -> None:
    first = Found(label.pk, 10, 20, 30, 40, 0.61)
    find(artwork, first)
    kept = Box.objects.get().pk
    assert find(artwork, first, Found(label.pk, 90, 20, 30, 40, 0.5)) == (2, 2)
    assert Box.objects.filter(pk=kept).exists()


def test_an_artwork_marked_as_showing_nothing_stays_so(artwork: Any, label: Any) -> None:
    artwork.nothing_to_mark, artwork.state = True, "nothing"
    artwork.save()
    assert find(artwork, Found(label.pk, 10, 20, 30, 40, 0.9)) == (0, 0)
    assert artwork.state == "nothing" and not Box.objects.exists()


def test_a_deleted_artwork_takes_no_suggestions(artwork: Any, label: Any) -> None:
    artwork.deleted_at = timezone.now()
    artwork.save()
    assert find(artwork, Found(label.pk, 10, 20, 30, 40, 0.9)) == (0, 0)
    assert write_suggestions(artwork_id=10**9, detector_id=7, detector_name="D", found=[]) == (0, 0)


def test_what_reaches_over_the_edge_is_clipped(artwork: Any, label: Any) -> None:
    find(artwork, Found(label.pk, -30, -30, 50, 60, 1.2))
    box = Box.objects.get()
    assert (box.x, box.y, box.width, box.height, box.score) == (0, 0, 20, 30, 1)


@pytest.mark.parametrize("place", [(300, 0, 20, 20), (0, 0, 0, 20), (0, 0, math.nan, 20), (199.5, 0, 20, 20)])
def test_what_is_no_box_is_passed_over(artwork: Any, label: Any, place: tuple[float, ...]) -> None:
    assert find(artwork, Found(label.pk, *place, 0.9)) == (0, 0)
    assert find(artwork, Found(label.pk, 0, 0, 20, 20, math.nan)) == (0, 0)


def test_a_label_that_is_gone_or_of_another_dataset_is_passed_over(artwork: Any, foreign_label: Any) -> None:
    finds = [Found(foreign_label.pk, 10, 20, 30, 40, 0.9), Found(10**9, 10, 20, 30, 40, 0.9)]
    assert find(artwork, *finds) == (0, 0)
