"""Rows for tests that look at no pixels: made in the database at once, without going through the ingest."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from annotations import counters
from annotations.models import Box, Label
from datasets.models import Artwork, Dataset


def artwork_row(dataset: Dataset, number: int = 0, **fields: Any) -> Artwork:
    """An artwork of 200 × 150 pixels without files."""
    values: dict[str, Any] = {
        "title": f"Work {number:05d}",
        "file_name": f"work-{number}.jpg",
        "format": "jpeg",
        "byte_size": 1,
        "sha256": hashlib.sha256(f"{dataset.pk}/{number}".encode()).hexdigest(),
        "width": 200,
        "height": 150,
        "display_width": 200,
        "display_height": 150,
    }
    return Artwork.objects.create(dataset=dataset, **values | fields)


def box_row(artwork: Artwork, label: Label, place: tuple[float, float, float, float], **fields: Any) -> Box:
    """A confirmed box at (x, y, width, height), with the counters of its artwork kept right."""
    x, y, width, height = place
    size = {"image_width": artwork.width, "image_height": artwork.height}
    box = Box.objects.create(artwork=artwork, label=label, x=x, y=y, width=width, height=height, **size, **fields)
    counters.recount(Artwork.objects.filter(pk=artwork.pk))
    artwork.refresh_from_db()
    return box


def suggestion_row(artwork: Artwork, label: Label, place: tuple[float, float, float, float], **fields: Any) -> Box:
    """A pending suggestion of detector 7."""
    known = {"state": "suggested", "source": "detector", "detector_id": 7, "detector_name": "D", "score": 0.8}
    return box_row(artwork, label, place, **known | fields)


def created(label: Label, place: tuple[float, float, float, float] = (10, 20, 30, 40), **fields: Any) -> dict[str, Any]:
    """An edit of the API that creates a box."""
    x, y, width, height = place
    edit = {
        "op": "create",
        "id": str(uuid.uuid4()),
        "label": label.pk,
        "x": x,
        "y": y,
        "width": width,
        "height": height,
    }
    return edit | fields


def batch(artwork: Artwork, *edits: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A batch of edits of the API, based on the revision that `artwork` shows."""
    return {"id": str(uuid.uuid4()), "revision": artwork.revision, "edits": list(edits)} | fields
