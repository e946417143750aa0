"""What an artwork's row says about its boxes, so that lists of artworks need no joins."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Case, Count, Exists, F, FloatField, OuterRef, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Abs, Coalesce
from django.utils import timezone

from annotations.models import Box
from datasets.models import Artwork

FIELDS = [
    "confirmed",
    "suggested",
    "nothing_to_mark",
    "state",
    "teaching",
    "progress",
    "progress_by",
    "progress_at",
    "revision",
    "updated_at",
]


def state_of(confirmed: int, suggested: int, nothing_to_mark: bool) -> str:
    """The state of an artwork. What waits for a person comes first: that is what they look for in the grid."""
    if suggested:
        return Artwork.State.SUGGESTED
    if confirmed:
        return Artwork.State.ANNOTATED
    return Artwork.State.NOTHING if nothing_to_mark else Artwork.State.TODO


def teaching_of(score: float | None) -> float:
    """What deciding on a suggestion would teach a detector, from 0 (it is sure) to 1 (it cannot tell).

    The squared margin between the two most likely answers, here "is" and "is not"; an artwork counts the sum over its
    suggestions (C.-A. Brust et al., Active Learning for Deep Object Detection, arXiv 1809.09875, "1-vs-2" and "sum").
    """
    return 0.0 if score is None else (1 - abs(2 * score - 1)) ** 2


def save_changed(artwork: Artwork, boxes: Collection[Box]) -> None:
    """Count `boxes`, which are all boxes of the locked `artwork`, into its row and go on to its next revision.

    A confirmed box takes back the mark that there is nothing.
    """
    artwork.confirmed = sum(box.state == Box.State.CONFIRMED for box in boxes)
    artwork.suggested = sum(box.state == Box.State.SUGGESTED for box in boxes)
    artwork.nothing_to_mark = artwork.nothing_to_mark and not artwork.confirmed
    artwork.state = state_of(artwork.confirmed, artwork.suggested, artwork.nothing_to_mark)
    artwork.teaching = sum(teaching_of(box.score) for box in boxes if box.state == Box.State.SUGGESTED)
    artwork.revision += 1
    artwork.save(update_fields=FIELDS)


def recount(artworks: QuerySet[Artwork]) -> None:
    """Do the same for many artworks in one statement, without loading a row. The revision stays."""
    boxes = Box.objects.filter(artwork=OuterRef("pk")).order_by()
    confirmed, suggested = Exists(boxes.confirmed()), Exists(boxes.suggested())
    artworks.update(
        confirmed=_total(boxes.confirmed()),
        suggested=_total(boxes.suggested()),
        nothing_to_mark=Case(When(confirmed, then=Value(False)), default=F("nothing_to_mark")),
        state=Case(
            When(suggested, then=Value(Artwork.State.SUGGESTED)),
            When(confirmed, then=Value(Artwork.State.ANNOTATED)),
            When(nothing_to_mark=True, then=Value(Artwork.State.NOTHING)),
            default=Value(Artwork.State.TODO),
        ),
        teaching=_teaching(boxes.suggested()),
        updated_at=timezone.now(),
    )


def _teaching(suggestions: QuerySet[Box]) -> Any:
    """The sum of `teaching_of`, as an expression."""
    sure = Abs(2 * F("score") - 1)
    each = (Value(1.0) - sure) * (Value(1.0) - sure)
    summed = suggestions.values("artwork").annotate(total=Sum(each, output_field=FloatField())).values("total")
    return Coalesce(Subquery(summed), 0.0)


def _total(boxes: QuerySet[Box]) -> Any:
    return Coalesce(Subquery(boxes.values("artwork").annotate(total=Count("pk")).values("total")), 0)
