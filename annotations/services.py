"""Everything that changes boxes and labels. Each function owns its transaction and locks the artwork it changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations import history
from annotations.batch import Board, EditData
from annotations.documents import Document, document
from annotations.geometry import Rect, checked
from annotations.labelling import create_label, delete_label, update_label
from annotations.models import Box, Change, Label
from annotations.querysets import BoxQuerySet
from annotations.refusals import EditRefused
from annotations.suggestions import Found, Proposals
from datasets.models import Artwork, Dataset
from datasets.refusals import Conflict

__all__ = [
    "Found",
    "apply_edits",
    "create_label",
    "delete_label",
    "import_boxes",
    "restore",
    "review_all",
    "review_suggestions",
    "update_label",
    "write_suggestions",
]

# Artworks per transaction where a whole dataset is reviewed: locks stay short and memory constant.
REVIEWED_AT_ONCE = 500


class RestoredDocument(Document):
    """What is on an artwork after an earlier state was brought back, and the labels of what could not be."""

    left_out: list[history.GoneLabel]


def apply_edits(*, artwork: Artwork, user: Any, batch_id: UUID, revision: int, edits: Sequence[EditData]) -> Document:
    """Apply a batch of edits to the boxes of an artwork, all or none, and return what is then on it.

    A batch that has been applied before is not applied again: a client that heard no answer may send it once more.

    Raises:
        Conflict: the artwork has gone on since `revision`; carries its current document.
        EditRefused: an edit is impossible; the message says which and why.
        Http404: the artwork has been deleted meanwhile.
    """
    try:
        with transaction.atomic():
            return _apply(_locked(artwork.pk), user, batch_id, revision, edits)
    except IntegrityError:
        # Somebody deleted a concept, or used the id of a box, in the very same moment.
        raise _stale(Artwork.objects.get(pk=artwork.pk)) from None


def _apply(artwork: Artwork, user: Any, batch_id: UUID, revision: int, edits: Sequence[EditData]) -> Document:
    if _applied(artwork, batch_id):
        return document(artwork)
    if artwork.revision != revision:
        raise _stale(artwork)
    board = Board(artwork=artwork, user=user)
    board.apply(edits)
    board.save()
    board.log.close(board.boxes.values(), id=batch_id, kind=Change.Kind.EDIT, author=user)
    return document(artwork, board.boxes.values())


def restore(*, artwork: Artwork, user: Any, batch_id: UUID, revision: int, target: int) -> RestoredDocument:
    """Bring the boxes of an artwork back to what they were at the revision `target`, as a new revision.

    Boxes whose label has been deleted meanwhile are left out; the answer tells of which labels and how many. Where
    nothing differs there is no new revision. Sent again with the same `batch_id` it is answered, not done again.

    Raises:
        Conflict: the artwork has gone on since `revision`; carries its current document.
        Refusal: 404, the artwork has no revision `target`, or what it was like is not recorded.
        Http404: the artwork has been deleted meanwhile.
    """
    try:
        with transaction.atomic():
            locked = _locked(artwork.pk)
            applied = _applied(locked, batch_id)
            left_out = applied.details["left_out"] if applied else _restore(locked, user, batch_id, revision, target)
            return {**document(locked), "left_out": left_out}
    except IntegrityError:
        # Somebody used the id of a box in the very same moment.
        raise _stale(Artwork.objects.get(pk=artwork.pk)) from None


def _restore(artwork: Artwork, user: Any, batch_id: UUID, revision: int, target: int) -> list[history.GoneLabel]:
    if artwork.revision != revision:
        raise _stale(artwork)
    past = history.past(artwork, target)
    board = Board(artwork=artwork, user=user)
    board.become(past)
    if board.is_changed:
        board.save()
        details = {"revision": target, "time": past.time, "left_out": past.gone_labels}
        board.log.close(board.boxes.values(), id=batch_id, kind=Change.Kind.RESTORE, author=user, details=details)
    return past.gone_labels


def _applied(artwork: Artwork, batch_id: UUID) -> Change | None:
    """What a batch that was sent before has led to, without its delta.

    Raises:
        EditRefused: its id belongs to a batch on another artwork.
    """
    applied = Change.objects.filter(pk=batch_id).defer("delta").first()
    if applied and applied.artwork_id != artwork.pk:
        raise EditRefused(
            _("The id of this batch was used on another artwork. Give each batch a new id."),
            code="batch_id_used",
        )
    return applied


def write_suggestions(
    *, artwork_id: int, detector_id: int, detector_name: str, found: Sequence[Found]
) -> tuple[int, int]:
    """Replace a detector's pending suggestions on an artwork by what it has found now.

    Never touches what a person has confirmed or rejected, nor another detector's suggestions, and adds nothing that
    overlaps with these (see `Proposals`). An artwork that is deleted, or that a person has marked as showing nothing,
    stays as it is. A label that is not one of the dataset (any more) is skipped.

    Returns:
        The revision of the artwork, which is unchanged where nothing changed, and how many of this detector's
        suggestions are pending on it.
    """
    with transaction.atomic():
        artwork = Artwork.objects.select_for_update().filter(pk=artwork_id).first()
        if artwork is None or artwork.deleted_at or artwork.nothing_to_mark:
            return (artwork.revision if artwork else 0), 0
        boxes = list(artwork.boxes.all())
        labels = set(Label.objects.filter(dataset=artwork.dataset_id).values_list("pk", flat=True))
        proposals = Proposals(artwork, boxes, labels, detector_id, detector_name)
        new, gone = proposals.compare(found)
        if new or gone:
            log = history.Log(artwork)
            log.delete(gone)
            log.create(new)
            left = [*(box for box in boxes if box not in gone), *new]
            log.close(left, kind=Change.Kind.SUGGESTIONS, detector_name=detector_name)
        return artwork.revision, len(proposals.pending) - len(gone) + len(new)


def review_suggestions(
    *,
    artwork: Artwork,
    user: Any,
    action: str,
    minimum_score: float | None = None,
    ids: Collection[UUID] | None = None,
) -> Document:
    """Accept or reject pending suggestions of an artwork: all, those of at least a score, or those of `ids`.

    Args:
        action: "accept" or "reject".
        ids: those among them that are pending no more are passed over.
    """
    with transaction.atomic():
        locked = _locked(artwork.pk)
        chosen = _chosen(Box.objects.filter(artwork=locked), minimum_score)
        if ids is not None:
            chosen = chosen.filter(pk__in=ids)
        log = history.Log(locked)
        log.delta |= _review(chosen, user, action)[locked.pk]
        if log.delta:
            log.close(locked.boxes.all(), kind=Change.Kind.REVIEW, author=user)
        return document(locked)


def review_all(
    *,
    dataset: Dataset,
    user: Any,
    action: str,
    minimum_score: float | None = None,
    label: Label | None = None,
) -> int:
    """Accept or reject the pending suggestions of a whole dataset, and return how many there were.

    Artworks are done in portions, each in its own transaction: whoever edits meanwhile waits for one portion at most.
    """
    count, last = 0, 0
    while True:
        with transaction.atomic():
            waiting = _chosen(Box.objects.filter(artwork=OuterRef("pk")), minimum_score, label)
            portion = Artwork.objects.present().filter(Exists(waiting), dataset=dataset, pk__gt=last).order_by("pk")
            ids = list(portion.select_for_update().values_list("pk", flat=True)[:REVIEWED_AT_ONCE])
            if not ids:
                return count
            deltas = _review(_chosen(Box.objects.filter(artwork__in=ids), minimum_score, label), user, action)
            history.close_many(deltas, kind=Change.Kind.REVIEW, author=user)
            count += sum(map(len, deltas.values()))
        last = ids[-1]


def import_boxes(
    *,
    artwork: Artwork,
    boxes: Sequence[tuple[int, float, float, float, float]],
    user: Any = None,
    nothing: bool = False,
) -> int:
    """Add confirmed boxes that come from a file or a generator, and return how many.

    Args:
        boxes: (label id, x, y, width, height) in pixels of the artwork.
        nothing: mark that there is nothing on the artwork, if `boxes` is empty and it has none yet.

    Raises:
        EditRefused: a box cannot be kept, or its label is not one of the dataset. None of them is added then.
    """
    with transaction.atomic():
        locked = _locked(artwork.pk)
        labels = set(Label.objects.filter(dataset=locked.dataset_id).values_list("pk", flat=True))
        log = history.Log(locked)
        log.create([_imported(locked, labels, user, *box) for box in boxes])
        locked.nothing_to_mark = nothing or (locked.nothing_to_mark and not boxes)
        log.close(locked.boxes.all(), kind=Change.Kind.IMPORT, author=user)
        return len(boxes)


def _imported(artwork: Artwork, labels: Collection[int], user: Any, label: int, *place: float) -> Box:
    if label not in labels:
        raise EditRefused(_("This concept is not one of this dataset. Reload its concepts."), code="unknown_label")
    rect = checked(Rect(*place), artwork.width, artwork.height)
    return Box(
        artwork=artwork,
        label_id=label,
        x=rect.x,
        y=rect.y,
        width=rect.width,
        height=rect.height,
        image_width=artwork.width,
        image_height=artwork.height,
        source=Box.Source.IMPORT,
        author=user,
    )


def _locked(artwork_id: int) -> Artwork:
    artwork = Artwork.objects.select_for_update().present().filter(pk=artwork_id).first()
    if artwork is None:
        raise Http404
    return artwork


def _stale(artwork: Artwork) -> Conflict:
    message = _("Somebody has changed the boxes of this artwork meanwhile. Look at the current ones and try again.")
    return Conflict(message, code="stale", current=document(artwork))


def _chosen(boxes: BoxQuerySet, minimum_score: float | None, label: Label | None = None) -> BoxQuerySet:
    chosen = boxes.suggested()
    if minimum_score is not None:
        chosen = chosen.filter(score__gte=minimum_score)
    return chosen.filter(label=label) if label else chosen


def _review(boxes: BoxQuerySet, user: Any, action: str) -> dict[int, history.Delta]:
    """Accept or reject these suggestions; what that does, by the id of the artwork."""
    state = Box.State.CONFIRMED if action == "accept" else Box.State.REJECTED
    now = timezone.now()
    after = {"state": str(state), "author_id": user.pk, "updated_at": now.isoformat()}
    deltas: dict[int, history.Delta] = defaultdict(dict)
    for artwork_id, key, author_id, updated_at in boxes.values_list("artwork_id", "pk", "author_id", "updated_at"):
        waited = {"author_id": author_id, "updated_at": updated_at.isoformat()}
        history.add_change(deltas[artwork_id], key, {"state": str(Box.State.SUGGESTED), **waited}, after)
    boxes.update(state=state, author=user, updated_at=now)
    return deltas
