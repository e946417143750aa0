"""How far a dataset is: per artwork, per concept and per person, in a constant number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from annotations.models import Box, Label
from datasets.models import Artwork, Dataset

DONE = (Artwork.Progress.DONE, Artwork.Progress.REVIEWED)


@dataclass
class Person:
    """What one person has done: boxes that are theirs now, artworks that they called done or reviewed."""

    name: str
    boxes: int = 0
    done: int = 0
    reviewed: int = 0


@dataclass(frozen=True)
class Report:
    """`stages`: (key, name, artworks) of each progress; `labels` have their totals (see `_labels`)."""

    artworks: int
    stages: list[tuple[str, Any, int]]
    suggestions: int
    labels: list[Label]
    people: list[Person]

    @property
    def done(self) -> int:
        """Artworks that are done or reviewed."""
        return sum(count for key, _name, count in self.stages if key in DONE)


def report_of(dataset: Dataset) -> Report:
    """The report on a dataset as it is now."""
    artworks = dataset.artworks.present()
    totals = artworks.progress_totals()
    labels = _labels(dataset)
    return Report(
        artworks=sum(totals.values()),
        stages=[(key, name, totals[key]) for key, name in Artwork.Progress.choices],
        suggestions=sum(label.suggested_total for label in labels),  # type: ignore[attr-defined]
        labels=labels,
        people=_people(artworks),
    )


def _labels(dataset: Dataset) -> list[Label]:
    waiting = Box.objects.suggested().filter(artwork__dataset=dataset, artwork__deleted_at=None).order_by()
    suggested = dict(waiting.values_list("label").annotate(Count("pk")))
    labels = list(Label.objects.filter(dataset=dataset).with_counts().order_by("name", "pk"))
    for label in labels:
        label.suggested_total = suggested.get(label.pk, 0)  # type: ignore[attr-defined]
    return labels


def _people(artworks: Any) -> list[Person]:
    people: dict[str, Person] = {}
    boxes = Box.objects.confirmed().filter(artwork__in=artworks, author__isnull=False).order_by()
    for name, count in boxes.values_list("author__username").annotate(Count("pk")):
        people.setdefault(name, Person(name)).boxes = count
    finished = artworks.filter(progress__in=DONE, progress_by__isnull=False).order_by()
    counts = {"done": Count("pk", filter=Q(progress="done")), "reviewed": Count("pk", filter=Q(progress="reviewed"))}
    for row in finished.values("progress_by__username").annotate(**counts):
        person = people.setdefault(row["progress_by__username"], Person(row["progress_by__username"]))
        person.done, person.reviewed = row["done"], row["reviewed"]
    return sorted(people.values(), key=lambda person: (-person.boxes, person.name))
