"""A batch of edits applied to the boxes of one artwork: in memory first, then written at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Required, TypedDict
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations.documents import rect_of
from annotations.geometry import Rect, checked
from annotations.history import BoxState, Log, Past, box_state
from annotations.models import Box, Label
from annotations.refusals import EditRefused
from datasets.models import Artwork

WHERE_IT_IS = ["label", "x", "y", "width", "height", "state", "author", "updated_at"]
# A box that comes back out of the history may have been drawn anew, under its old id, by somebody else.
WHERE_IT_COMES_FROM = ["source", "detector_id", "detector_name", "score", "created_at"]


class RestoredBox(TypedDict, total=False):
    """A box as a client knew it, to be brought back."""

    id: Required[UUID]
    label: Required[int]
    x: Required[float]
    y: Required[float]
    width: Required[float]
    height: Required[float]
    state: str
    source: str


class EditData(TypedDict, total=False):
    """One edit as the API takes it; which keys are there depends on `op`."""

    op: Required[str]
    id: UUID
    label: int
    x: float
    y: float
    width: float
    height: float
    value: bool
    box: RestoredBox


class Board:
    """The boxes of one locked artwork while `user` edits them. `save` writes what differs from before."""

    def __init__(self, *, artwork: Artwork, user: Any) -> None:
        self.artwork = artwork
        self.user = user
        self.log = Log(artwork)
        self.boxes = {box.pk: box for box in artwork.boxes.select_related("author")}
        self._before = set(self.boxes)
        # What was touched → what it was; only of these, since most boxes of a large artwork stay as they are.
        self._touched: dict[UUID, BoxState | None] = {}
        self._now = timezone.now()
        self._labels = set(Label.objects.filter(dataset=artwork.dataset_id).values_list("pk", flat=True))

    def apply(self, edits: Sequence[EditData]) -> None:
        """Apply every edit in its order.

        Raises:
            EditRefused: one of them cannot be; the message says which and why.
        """
        for number, edit in enumerate(edits, 1):
            try:
                getattr(self, f"_{edit['op']}")(edit)
            except EditRefused as refusal:
                raise refusal.at(number, len(edits)) from None

    def become(self, past: Past) -> None:
        """Put every box back to where it was, with all that was known of it then.

        What is rejected now and was not there then stays: nobody sees it, and it keeps the detector from suggesting it
        again.
        """
        wanted = past.possible_boxes()
        for box in [box for key, box in self.boxes.items() if key not in wanted and box.state != Box.State.REJECTED]:
            self._hold(box)
            del self.boxes[box.pk]
        for key, box in wanted.items():
            known = self.boxes.get(key, box)
            if known is box or box_state(known) != box_state(box):
                self._hold(known)
                self.boxes[key] = box
        self.artwork.nothing_to_mark = past.nothing_to_mark

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to save."""
        return bool(self._touched) or self.log.nothing_before != self.artwork.nothing_to_mark

    def save(self) -> None:
        """Write new, changed and deleted boxes in three statements at most, and log them."""
        new = [box for key, box in self.boxes.items() if key not in self._before]
        if Box.objects.filter(pk__in=[box.pk for box in new]).exists():
            raise EditRefused(
                _("A box with this id exists on another artwork. Give the box a new id."), code="box_exists"
            )
        Box.objects.bulk_create(new)
        changed = [self.boxes[key] for key in self._touched.keys() & self._before & self.boxes.keys()]
        # Their rows are held by the lock on the artwork, so this only ever updates.
        fields = WHERE_IT_IS + WHERE_IT_COMES_FROM
        Box.objects.bulk_create(changed, update_conflicts=True, unique_fields=["id"], update_fields=fields)
        Box.objects.filter(pk__in=self._before - self.boxes.keys()).delete()
        for key, before in self._touched.items():
            self.log.add(key, before, box_state(self.boxes[key]) if key in self.boxes else None)

    def _create(self, edit: EditData) -> None:
        if edit["id"] in self.boxes:
            raise EditRefused(
                _("A box with this id exists already. Give the new box an id of its own."), code="box_exists"
            )
        self._put(edit["id"], edit["label"], edit, state=Box.State.CONFIRMED, source=Box.Source.MANUAL)

    def _update(self, edit: EditData) -> None:
        box = self._shown(edit)
        known = rect_of(box)
        place = Rect(
            edit.get("x", known.x),
            edit.get("y", known.y),
            edit.get("width", known.width),
            edit.get("height", known.height),
        )
        self._move(box, edit.get("label", box.label_id), place)
        box.state = Box.State.CONFIRMED

    def _accept(self, edit: EditData) -> None:
        box = self._shown(edit)
        if box.state == Box.State.SUGGESTED:
            self._touch(box)
            box.state = Box.State.CONFIRMED

    def _delete(self, edit: EditData) -> None:
        """A detector's box stays as a rejected one, or the next inference would suggest it again."""
        box = self._shown(edit)
        if box.source == Box.Source.DETECTOR:
            self._touch(box)
            box.state = Box.State.REJECTED
        else:
            self._hold(box)
            del self.boxes[box.pk]

    def _reject(self, edit: EditData) -> None:
        if self._shown(edit).source != Box.Source.DETECTOR:
            raise EditRefused(_("A person made this box: delete it instead of rejecting it."), code="not_a_suggestion")
        self._delete(edit)

    def _restore(self, edit: EditData) -> None:
        """Bring a box back as it was. Where it came from is believed of the database alone, never of the client."""
        wanted = edit["box"]
        box = self.boxes.get(wanted["id"])
        if box is None:
            imported = wanted.get("source") == Box.Source.IMPORT
            source = Box.Source.IMPORT if imported else Box.Source.MANUAL
            self._put(wanted["id"], wanted["label"], wanted, state=Box.State.CONFIRMED, source=source)
            return
        self._move(box, wanted["label"], Rect(wanted["x"], wanted["y"], wanted["width"], wanted["height"]))
        is_suggestion = box.source == Box.Source.DETECTOR and wanted.get("state") == Box.State.SUGGESTED
        box.state = Box.State.SUGGESTED if is_suggestion else Box.State.CONFIRMED

    def _mark_nothing(self, edit: EditData) -> None:
        """Who says that there is nothing also says so about every suggestion that waits."""
        confirmed = sum(box.state == Box.State.CONFIRMED for box in self.boxes.values())
        if edit["value"] and confirmed:
            message = ngettext(
                "There is %(number)d box on this artwork. Delete it before marking that there is nothing.",
                "There are %(number)d boxes on this artwork. Delete them before marking that there is nothing.",
                confirmed,
            )
            raise EditRefused(message % {"number": confirmed}, code="has_boxes")
        if edit["value"]:
            for box in self.boxes.values():
                if box.state == Box.State.SUGGESTED:
                    self._touch(box)
                    box.state = Box.State.REJECTED
        self.artwork.nothing_to_mark = edit["value"]

    def _shown(self, edit: EditData) -> Box:
        box = self.boxes.get(edit["id"])
        if box is None or box.state == Box.State.REJECTED:
            raise EditRefused(_("This box is not on the artwork (any more). Reload the artwork."), code="unknown_box")
        return box

    def _put(self, key: UUID, label: int, place: EditData | RestoredBox, *, state: str, source: str) -> None:
        box = Box(pk=key, artwork=self.artwork, state=state, source=source)
        box.image_width, box.image_height = self.artwork.width, self.artwork.height
        self._move(box, label, Rect(place["x"], place["y"], place["width"], place["height"]))
        self.boxes[key] = box

    def _move(self, box: Box, label: int, place: Rect) -> None:
        if label not in self._labels:
            raise EditRefused(_("This concept is not one of this dataset. Reload its concepts."), code="unknown_label")
        inside = checked(place, self.artwork.width, self.artwork.height)
        self._touch(box)
        box.label_id = label
        box.x, box.y, box.width, box.height = inside.x, inside.y, inside.width, inside.height
        self.artwork.nothing_to_mark = False

    def _touch(self, box: Box) -> None:
        self._hold(box)
        box.author, box.updated_at = self.user, self._now

    def _hold(self, box: Box) -> None:
        """Remember what a box was before this batch first touched it."""
        if box.pk not in self._touched:
            self._touched[box.pk] = box_state(box) if box.pk in self._before else None
