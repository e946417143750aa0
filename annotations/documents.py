"""Boxes as the browser knows them: one box, and the document of an artwork with its revision."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from annotations.geometry import Rect
from annotations.models import Box
from datasets.models import Artwork


class BoxJson(TypedDict):
    """A box in pixels of the oriented artwork. `score` is 0 to 1 where a detector drew it, else None."""

    id: str
    label: int
    x: float
    y: float
    width: float
    height: float
    state: str
    source: str
    detector: int | None
    detector_name: str
    score: float | None
    author: str | None
    updated_at: str


class Document(TypedDict):
    """All that is marked on an artwork at one revision."""

    artwork: int
    revision: int
    nothing_to_mark: bool
    width: int
    height: int
    boxes: list[BoxJson]


def box_json(box: Box) -> BoxJson:
    """One box; its `author` must be loaded already."""
    return {
        "id": str(box.pk),
        "label": box.label_id,
        "x": box.x,
        "y": box.y,
        "width": box.width,
        "height": box.height,
        "state": box.state,
        "source": box.source,
        "detector": box.detector_id,
        "detector_name": box.detector_name,
        "score": box.score,
        "author": box.author.get_username() if box.author else None,
        "updated_at": box.updated_at.isoformat(),
    }


def document(artwork: Artwork, boxes: Iterable[Box] | None = None) -> Document:
    """The document of an artwork, of `boxes` if they are loaded already; rejected boxes are left out."""
    if boxes is None:
        boxes = artwork.boxes.shown().select_related("author")
    return {
        "artwork": artwork.pk,
        "revision": artwork.revision,
        "nothing_to_mark": artwork.nothing_to_mark,
        "width": artwork.width,
        "height": artwork.height,
        "boxes": [box_json(box) for box in boxes if box.state != Box.State.REJECTED],
    }


def rect_of(box: Box) -> Rect:
    """Where a box is."""
    return Rect(box.x, box.y, box.width, box.height)
