"""A dataset as COCO JSON: artworks, confirmed boxes and labels, streamed row by row."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from itertools import islice
from pathlib import PurePath
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db.models import Count, Window
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from rest_framework.request import Request

from annotations.models import Box, Label
from datasets.models import Artwork, Dataset

ROWS = 500


def response(request: Request, dataset: Dataset) -> StreamingHttpResponse:
    """Answer with the export of a dataset as a download, in pieces of about `ROWS` rows."""
    pieces: Any = document(dataset)
    if isinstance(request._request, ASGIRequest):
        # Under ASGI Django would collect a plain iterator in memory before it sends the first byte.
        pieces = _asynchronously(pieces)
    answer = StreamingHttpResponse(pieces, content_type="application/json")
    answer["Content-Disposition"] = content_disposition_header(True, f"{dataset.name}.coco.json")
    return answer


def document(dataset: Dataset) -> Iterator[str]:
    """Give the COCO document of a dataset in pieces of text; memory grows with
    the number of its artworks alone, by the size of a number each.

    Boxes are `[x, y, width, height]` in pixels of the artwork after EXIF orientation, which are also the `width` and
    `height` of its image. An image of which a person said that there is nothing to mark has `nothing_to_mark`.
    """
    artworks = Artwork.objects.filter(dataset=dataset).present()
    boxes = Box.objects.confirmed().filter(artwork__dataset=dataset, artwork__deleted_at=None)
    labels = Label.objects.filter(dataset=dataset).order_by("pk")
    info = {
        "description": dataset.name,
        "version": "1.0",
        "year": timezone.now().year,
        "date_created": timezone.now().isoformat(timespec="seconds"),
        "counts": {"images": artworks.count(), "annotations": boxes.count(), "categories": labels.count()},
    }
    yield f'{{"info":{json.dumps(info)},"licenses":[],"categories":'
    # What comes in while this is written is left out: each box is of an image and a label that are here.
    named, shown = set[int](), set[int]()
    yield from _array(_noting(labels, named), lambda number, label: _category(label))
    yield ',"images":'
    copies = Window(Count("pk"), partition_by="file_name")
    artworks = artworks.annotate(copies=copies).order_by("pk")
    yield from _array(_noting(artworks, shown), lambda number, artwork: _image(artwork))
    yield ',"annotations":'
    drawn = boxes.order_by("artwork", "created_at", "pk").iterator(chunk_size=ROWS)
    yield from _array((box for box in drawn if box.label_id in named and box.artwork_id in shown), _annotation)
    yield "}"


def _noting(rows: Any, keys: set[int]) -> Iterator[Any]:
    """The rows of a query, their primary keys put into `keys` on the way."""
    for row in rows.iterator(chunk_size=ROWS):
        keys.add(row.pk)
        yield row


def _array(rows: Iterable[Any], make: Callable[[int, Any], dict[str, Any]]) -> Iterator[str]:
    """A JSON array of what `make(number from 1, row)` gives for each row, in pieces of `ROWS`."""
    opening = "["
    items = (json.dumps(make(number, row)) for number, row in enumerate(rows, 1))
    while piece := list(islice(items, ROWS)):
        yield opening + ",".join(piece)
        opening = ","
    yield "[]" if opening == "[" else "]"


def _category(label: Label) -> dict[str, Any]:
    return {"id": label.pk, "name": label.name, "supercategory": ""}


def _image(artwork: Any) -> dict[str, Any]:
    """One artwork; two of the same file name are told apart, since readers take the name for an identity."""
    path = PurePath(artwork.file_name)
    name = str(path) if artwork.copies == 1 else str(path.with_name(f"{path.stem}-{artwork.pk}{path.suffix}"))
    metadata = {key: getattr(artwork, key) for key in Artwork.METADATA}
    size = {"width": artwork.width, "height": artwork.height}
    marks = {"folder": artwork.folder, "sha256": artwork.sha256, "nothing_to_mark": artwork.nothing_to_mark}
    return {"id": artwork.pk, "file_name": name, **size, **metadata, **marks}


def _annotation(number: int, box: Box) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": box.artwork_id,
        "category_id": box.label_id,
        "bbox": [box.x, box.y, box.width, box.height],
        "area": box.width * box.height,
        "iscrowd": 0,
        "segmentation": [],
        "attributes": {"source": box.source, "detector": box.detector_name, "score": box.score},
    }


async def _asynchronously(pieces: Iterable[str]) -> AsyncIterator[str]:
    """The same pieces, each made in the thread that owns the database connection."""
    iterator = iter(pieces)

    def next_piece() -> str | None:
        return next(iterator, None)

    while (piece := await sync_to_async(next_piece)()) is not None:
        yield piece
