"""What a detector has found, compared with what people and detectors have put on the artwork before."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from annotations.documents import rect_of
from annotations.geometry import SMALLEST, Rect, clipped, iou
from annotations.models import Box
from datasets.models import Artwork

# From this overlap on, two boxes mean the same thing.
SAME = 0.5


@dataclass(frozen=True, slots=True)
class Found:
    """One box that a detector has found, in pixels of the artwork; `score` is 0 to 1."""

    label_id: int
    x: float
    y: float
    width: float
    height: float
    score: float


class Proposals:
    """The suggestions of one detector on one locked artwork.

    What it has found becomes a suggestion unless it overlaps by `SAME` or more with a box of the same label that a
    person has confirmed or rejected or that another detector suggests, or with a box of its own that a person has
    confirmed: under whatever label, that is the correction of this very find.
    """

    def __init__(
        self,
        artwork: Artwork,
        boxes: Sequence[Box],
        labels: Collection[int],
        detector_id: int,
        detector_name: str,
    ) -> None:
        self.artwork, self.labels = artwork, labels
        self.detector_id, self.detector_name = detector_id, detector_name
        self.pending = [box for box in boxes if self._is_own(box) and box.state == Box.State.SUGGESTED]
        self.others = [box for box in boxes if box not in self.pending]

    def compare(self, found: Sequence[Found]) -> tuple[list[Box], list[Box]]:
        """Return (suggestions to add, suggestions to remove); those found again just as before are in neither."""
        wanted = [box for box in map(self._box, found) if box and not self._is_known(box)]
        old = {_key(box): box for box in self.pending}
        new = {_key(box): box for box in wanted}
        kept = {old[key].pk for key in old.keys() & new.keys()}
        added = [box for key, box in new.items() if key not in old]
        return added, [box for box in self.pending if box.pk not in kept]

    def _box(self, found: Found) -> Box | None:
        rect = Rect(found.x, found.y, found.width, found.height)
        if found.label_id not in self.labels or not rect.is_finite() or not math.isfinite(found.score):
            return None
        rect = clipped(rect, self.artwork.width, self.artwork.height)
        if rect.width < SMALLEST or rect.height < SMALLEST:
            return None
        return Box(
            artwork=self.artwork,
            label_id=found.label_id,
            x=rect.x,
            y=rect.y,
            width=rect.width,
            height=rect.height,
            image_width=self.artwork.width,
            image_height=self.artwork.height,
            state=Box.State.SUGGESTED,
            source=Box.Source.DETECTOR,
            detector_id=self.detector_id,
            detector_name=self.detector_name,
            score=min(max(found.score, 0.0), 1.0),
        )

    def _is_known(self, box: Box) -> bool:
        return any(
            (other.label_id == box.label_id or (self._is_own(other) and other.state == Box.State.CONFIRMED))
            and iou(rect_of(other), rect_of(box)) >= SAME
            for other in self.others
        )

    def _is_own(self, box: Box) -> bool:
        return box.source == Box.Source.DETECTOR and box.detector_id == self.detector_id


def _key(box: Box) -> tuple[float, ...]:
    """What makes two finds the same one: to a hundredth of a pixel and a ten-thousandth of score."""
    place = (round(value, 2) for value in (box.x, box.y, box.width, box.height))
    return (box.label_id, *place, round(box.score or 0.0, 4))
