"""What has happened to the boxes of artworks: a row per revision, and the boxes as they were at an earlier one.

A row holds a delta: for each box that was touched what it was and what it became. The boxes at a revision are those of
now with the deltas after it undone, the newest first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, TypedDict
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import F
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from annotations import counters
from annotations.documents import Document, document
from annotations.models import Box, Change, Label
from datasets import progress
from datasets.models import Artwork
from datasets.refusals import Refusal

CORNER, SIZE = ("x", "y"), ("width", "height")
TIMES = ("created_at", "updated_at")
ORIGIN = ("state", "source", "detector_id", "detector_name", "score", "author_id")
FIELDS = ("label_id", *CORNER, *SIZE, *ORIGIN, *TIMES)
# What a change may have done to a box, as `Change.counts` names it.
DEEDS = ("drawn", "moved", "resized", "relabelled", "deleted", "accepted", "rejected", "suggested", "withdrawn")
# Of a box that was not seen before, and of one that was.
NEWLY = {"suggested": "suggested", "confirmed": "drawn"}
AGAIN = {"suggested": "suggested", "confirmed": "accepted"}

# The fields of a box as JSON has them.
BoxState = dict[str, Any]
# What a box was and what it became: None where it was not there, and of a changed box only the fields that differ.
BoxChange = tuple[BoxState | None, BoxState | None]
# By the id of the box.
Delta = dict[str, BoxChange]


class GoneLabel(TypedDict):
    """A label that has been deleted, and how many shown boxes of an earlier state carried it.

    The name is "" where it was deleted while no box of this artwork carried it.
    """

    id: int
    name: str
    colour: str
    boxes: int


NAMELESS = {"name": "", "colour": "#888888"}


class PastDocument(Document):
    """What was marked on an artwork at a revision, boxes of labels that are gone among it. `time` is when it became so,
    None at revision 0 and where that is not recorded."""

    time: str | None
    gone_labels: list[GoneLabel]


@dataclass(frozen=True, slots=True)
class Past:
    """An artwork at an earlier revision; its `boxes`, the rejected ones too, are not to be saved as they are."""

    artwork: Artwork
    revision: int
    time: str | None
    nothing_to_mark: bool
    boxes: dict[UUID, Box]
    labels: Set[int]
    gone_labels: list[GoneLabel]

    def possible_boxes(self) -> dict[UUID, Box]:
        """The boxes that can be brought back: those whose label is still there."""
        return {key: box for key, box in self.boxes.items() if box.label_id in self.labels}

    def document(self) -> PastDocument:
        """What a person saw then."""
        now = document(self.artwork, self.boxes.values())
        then = {**now, "revision": self.revision, "nothing_to_mark": self.nothing_to_mark}
        return {**then, "time": self.time, "gone_labels": self.gone_labels}  # type: ignore[typeddict-item]


def box_state(box: Box) -> BoxState:
    """All that is remembered of a box."""
    state = {field: getattr(box, field) for field in FIELDS}
    return state | {field: state[field].isoformat() for field in TIMES}


def add_change(delta: Delta, key: UUID, before: BoxState | None, after: BoxState | None) -> None:
    """Put what happened to one box into a delta, if anything did. States that are there name the same fields."""
    if before is not None and after is not None:
        differing = [field for field in before if before[field] != after[field]]
        before, after = ({field: state[field] for field in differing} for state in (before, after))
    if before or after:
        delta[str(key)] = (before, after)


class Log:
    """What is being done to one locked artwork; made before anything is."""

    def __init__(self, artwork: Artwork) -> None:
        self.artwork = artwork
        self.delta: Delta = {}
        self.nothing_before = artwork.nothing_to_mark

    def add(self, key: UUID, before: BoxState | None, after: BoxState | None) -> None:
        """A box was changed, drawn (`before` is None) or deleted (`after` is None)."""
        add_change(self.delta, key, before, after)

    def create(self, boxes: Sequence[Box]) -> None:
        """Write new boxes."""
        Box.objects.bulk_create(boxes)
        for box in boxes:
            self.add(box.pk, None, box_state(box))

    def delete(self, boxes: Iterable[Box]) -> None:
        """Delete boxes."""
        gone = {box.pk: box_state(box) for box in boxes}
        Box.objects.filter(pk__in=gone).delete()
        for key, state in gone.items():
            self.add(key, state, None)

    def close(self, boxes: Collection[Box], **fields: Any) -> None:
        """Count `boxes`, which are all that the artwork has now, go on to its next revision and record it.

        Args:
            fields: of the row (`kind`, `author`, `detector_name`, `details`, and `id` where a client made it).
        """
        if fields.get("author"):
            progress.begin(self.artwork, fields["author"])
        counters.save_changed(self.artwork, boxes)
        known = {"artwork": self.artwork, "revision": self.artwork.revision, "delta": self.delta}
        nothing = {"nothing_before": self.nothing_before, "nothing_after": self.artwork.nothing_to_mark}
        Change.objects.create(**known, **nothing, counts=_counts(self.delta), **fields)


def close_many(deltas: Mapping[int, Delta], **fields: Any) -> None:
    """Do what `Log.close` does for many locked artworks (ids → what was done) in a few statements."""
    artworks = Artwork.objects.filter(pk__in=list(deltas))
    nothing_before = dict(artworks.values_list("pk", "nothing_to_mark"))
    artworks.update(revision=F("revision") + 1)
    if fields.get("author"):
        progress.begin_many(artworks, fields["author"])
    counters.recount(artworks)
    Change.objects.bulk_create(
        Change(
            artwork_id=pk,
            revision=revision,
            delta=deltas[pk],
            counts=_counts(deltas[pk]),
            nothing_before=nothing_before[pk],
            nothing_after=nothing_after,
            **fields,
        )
        for pk, revision, nothing_after in artworks.values_list("pk", "revision", "nothing_to_mark")
    )


def earliest_known(artwork: Artwork) -> int:
    """The first revision whose boxes can be told: 0, or more where changes are older than the history.

    Since there is a history every revision has left a row, so the rows with a delta are the last ones without a gap.
    """
    return artwork.revision - artwork.changes.filter(delta__isnull=False, revision__lte=artwork.revision).count()


def past(artwork: Artwork, revision: int) -> Past:
    """The boxes of an artwork at a revision.

    What somebody changes in the same moment does no harm: undoing a change that the boxes have not seen leaves them as
    they are. So the boxes are read before the changes.

    Raises:
        Refusal: 404, the artwork has no such revision or what it was like is not recorded.
    """
    if not earliest_known(artwork) <= revision <= artwork.revision:
        message = _("The state at this revision is not known. Choose one of the history's.")
        raise Refusal(message, code="unknown_revision", status_code=404)
    states = {str(box.pk): box_state(box) for box in artwork.boxes.all()}
    nothing, deleted = artwork.nothing_to_mark, {}
    after = artwork.changes.filter(revision__gt=revision).order_by("-revision")
    for change in after.only("artwork_id", "kind", "delta", "nothing_before", "details").iterator():
        _undo(states, change.delta or {})
        nothing = change.nothing_before
        if change.kind == Change.Kind.LABEL:
            deleted[change.details["id"]] = change.details
    boxes = _boxes(artwork, states)
    labels = set(Label.objects.filter(dataset=artwork.dataset_id).values_list("pk", flat=True))
    time = artwork.changes.filter(revision=revision).values_list("time", flat=True).first()
    gone_labels = _gone_labels(boxes.values(), labels, deleted)
    return Past(artwork, revision, time.isoformat() if time else None, nothing, boxes, labels, gone_labels)


def _undo(states: dict[str, BoxState], delta: Delta) -> None:
    for key, (before, _after) in delta.items():
        if before is None:
            states.pop(key, None)
        else:
            states[key] = {**states.get(key, {}), **before}


def _boxes(artwork: Artwork, states: Mapping[str, BoxState]) -> dict[UUID, Box]:
    """The boxes of these states in the order in which they were drawn, with their authors as far as they are left."""
    authors = get_user_model().objects.in_bulk({state["author_id"] for state in states.values()} - {None})
    boxes = [_box(artwork, key, state, authors) for key, state in states.items()]
    return {box.pk: box for box in sorted(boxes, key=lambda box: (box.created_at, box.pk))}


def _box(artwork: Artwork, key: str, state: BoxState, authors: Mapping[int, Any]) -> Box:
    values = state | {field: parse_datetime(state[field]) for field in TIMES}
    author = authors.get(values.pop("author_id"))
    size = {"image_width": artwork.width, "image_height": artwork.height}
    return Box(pk=UUID(key), artwork=artwork, author=author, **size, **values)


def _gone_labels(boxes: Iterable[Box], labels: Set[int], deleted: Mapping[int, dict[str, Any]]) -> list[GoneLabel]:
    """The labels of the shown ones of these boxes that are not among `labels`, with the names that are `deleted`."""
    shown = Counter(box.label_id for box in boxes if box.state != Box.State.REJECTED and box.label_id not in labels)
    named = {pk: deleted.get(pk, NAMELESS) for pk in shown}
    return [GoneLabel(id=pk, name=of["name"], colour=of["colour"], boxes=shown[pk]) for pk, of in named.items()]


def _counts(delta: Delta) -> dict[str, int]:
    return dict(Counter(deed for before, after in delta.values() if (deed := _deed(before, after))))


def _deed(before: BoxState | None, after: BoxState | None) -> str | None:
    """What a person sees happen to a box. One that is rejected is not there for them."""
    was, now = _seen(before), _seen(after)
    if was is None:
        return NEWLY.get(now or "")
    if now is None:
        return "deleted" if was == Box.State.CONFIRMED else "withdrawn" if after is None else "rejected"
    assert after is not None
    if "label_id" in after:
        return "relabelled"
    if after.keys() & set(SIZE):
        return "resized"
    return "moved" if after.keys() & set(CORNER) else AGAIN.get(now)


def _seen(state: BoxState | None) -> str | None:
    """The state that a box is seen in, None where it is not seen; "" where a change left it as it is."""
    seen: str | None = None if state is None else state.get("state", "")
    return None if seen == Box.State.REJECTED else seen
