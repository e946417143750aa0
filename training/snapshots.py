"""Freezing a dataset into the manifest that a training reads."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from annotations.models import Box, Label
from annotations.querysets import BoxQuerySet
from datasets.models import Artwork, Dataset
from datasets.refusals import Conflict
from training.models import Detector, Snapshot
from training.pipeline.manifest import ENOUGH, VERSION, manifest_sha256
from training.pipeline.partition import LabelCount, Readiness, assign_splits, readiness_of_counts


def labels_of(dataset: Dataset, label_ids: list[int] | None = None, *, with_boxes: bool = True) -> list[Label]:
    """The labels to train, with `box_total` and `artwork_total`: the chosen ones, or all (that have boxes)."""
    labels = Label.objects.filter(dataset=dataset).with_counts().order_by("pk")
    if label_ids is not None:
        return list(labels.filter(pk__in=label_ids))
    return [label for label in labels if label.box_total or not with_boxes]  # type: ignore[attr-defined]


def artworks_of(dataset: Dataset) -> QuerySet[Artwork]:
    """What a person has decided about: artworks with confirmed boxes, and those with nothing to mark.

    An artwork whose only boxes are unreviewed suggestions teaches nothing yet and is left out.
    """
    decided = Q(confirmed__gt=0) | Q(nothing_to_mark=True)
    return Artwork.objects.present().filter(decided, dataset=dataset).order_by("pk")


def readiness(dataset: Dataset, label_ids: list[int] | None = None) -> tuple[Readiness, list[Label]]:
    """Whether the dataset suffices for a training, and the labels that would be trained."""
    labels = labels_of(dataset, label_ids)
    artworks = artworks_of(dataset)
    boxed = artworks.filter(boxes__label__in=labels, boxes__state="confirmed").distinct().count() if labels else 0
    counts = [LabelCount(label.name, label.artwork_total, label.box_total) for label in labels]  # type: ignore[attr-defined]
    known = artworks.aggregate(all=Count("pk"), empty=Count("pk", filter=Q(nothing_to_mark=True)))
    return readiness_of_counts(counts, artworks=known["all"], boxed=boxed, nothing_to_mark=known["empty"]), labels


def smallest_of(dataset: Dataset, labels: list[Label]) -> float | None:
    """What `Manifest.smallest` will be about, of which it is not known yet which artworks are kept aside."""
    return min(_boxes(dataset, labels).median_sides(ENOUGH).values(), default=None)


def freeze(
    dataset: Dataset, labels: list[Label], *, seed: int, earlier: Detector | None = None, simulated: bool = False
) -> Snapshot:
    """Store the dataset as it is now: files by hash, labels, confirmed boxes, and the split by artwork.

    What `earlier`, a detector that is gone on from, and those before it were trained and tested on stays in its part.
    `simulated`: concepts that no test artwork shows are tested on simulated photographs.
    Raises Conflict where that leaves too little.
    """
    artworks = list(artworks_of(dataset))
    boxes = _boxes_by_artwork(dataset, labels)
    rows = [_artwork_row(artwork, boxes[artwork.pk]) for artwork in artworks]
    known = _parts(earlier.run.snapshot.manifest) if earlier and earlier.run else {}
    splits = assign_splits(rows, seed=seed, known=known, simulated=simulated)
    for row in rows:
        row["split"] = splits[row["id"]]
    manifest = {
        "version": VERSION,
        "dataset": {"id": dataset.pk, "name": dataset.name},
        "seed": seed,
        "suggestions": "ignored",
        "labels": [{"id": label.pk, "name": label.name} for label in labels],
        "artworks": rows,
        "simulated_tests": simulated,
        # Of all the detectors that this training goes on from, one from the other.
        "earlier_parts": known,
    }
    if known:
        _refuse_empty_parts(rows, labels, simulated=simulated)
    return Snapshot.objects.create(dataset=dataset, manifest=manifest, sha256=manifest_sha256(manifest))


def _parts(manifest: dict[str, Any]) -> dict[str, str]:
    """The part of every file (by its sha256) that a detector and those before it were trained or tested on."""
    parts: dict[str, str] = dict(manifest.get("earlier_parts", {}))
    for row in manifest["artworks"]:
        # What one of them has learnt from is never a test again.
        if parts.get(row["sha256"]) != "train":
            parts[row["sha256"]] = row["split"]
    return parts


def _refuse_empty_parts(rows: list[dict[str, Any]], labels: list[Label], *, simulated: bool) -> None:
    """Refuse a split that earlier ones have left without something to learn from, or to test on. Raises Conflict."""
    learnt = {box["label"] for row in rows if row["split"] == "train" for box in row["boxes"]}
    missing = [label.name for label in labels if label.pk not in learnt]
    tested = [row for row in rows if row["split"] == "test"]
    # Simulated photographs are made of whatever no test artwork shows.
    if missing or not (simulated or any(row["boxes"] for row in tested)):
        untested = _("no test artwork shows any of the concepts") if tested else _("no test artwork")
        message = _(
            "The earlier detector was trained or tested on most of these artworks, and they stay in their part: there"
            " is not enough left to learn from and to test on (%(missing)s). Annotate new artworks, or begin with what"
            " the detector comes with."
        )
        raise Conflict(message % {"missing": ", ".join(missing) or untested}, code="not_ready")


def _boxes(dataset: Dataset, labels: list[Label]) -> BoxQuerySet:
    return Box.objects.confirmed().filter(artwork__dataset=dataset, artwork__deleted_at=None, label__in=labels)


def _boxes_by_artwork(dataset: Dataset, labels: list[Label]) -> dict[int, list[dict[str, Any]]]:
    boxes: dict[int, list[dict[str, Any]]] = defaultdict(list)
    fields = (
        _boxes(dataset, labels)
        .order_by("artwork", "created_at", "pk")
        .values("artwork", "label", "x", "y", "width", "height")
    )
    for row in fields.iterator():
        box: dict[str, Any] = dict(row)
        boxes[box.pop("artwork")].append(box)
    return boxes


def _artwork_row(artwork: Artwork, boxes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": artwork.pk,
        "file": f"images/{artwork.sha256}.jpg",
        "sha256": artwork.sha256,
        "width": artwork.width,
        "height": artwork.height,
        "nothing_to_mark": artwork.nothing_to_mark,
        "rights": artwork.rights,
        "boxes": boxes,
    }
