"""What a training can choose from, what each choice costs, and whether there is enough to train on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from datasets.models import Dataset
from training import files, snapshots
from training.models import Detector
from training.phrases import translated
from training.pipeline.architectures import ARCHITECTURES, Architecture
from training.pipeline.config import (
    AUGMENTATIONS,
    BUDGETS,
    LEAST_MINUTES,
    MOST_MINUTES,
    OWN_MINUTES,
    TEST_SHARE,
    Augmentation,
    estimate_seconds,
    input_size,
    learnt_from,
    most_records,
    most_varied,
)
from training.pipeline.translation import phrase_json

# What is chosen until somebody chooses something else; most variations leave out as many artworks as this one.
USUAL = "gentle"


@dataclass(frozen=True)
class Crowd:
    """The artworks that people have decided about: how many, and how many of them show what is to be learnt."""

    images: int
    boxed: int

    def train(self, variety: Augmentation) -> int:
        """How many the training part will have, without what is left out of those that show nothing (`sample`)."""
        showing, empty = (count - round(count * TEST_SHARE) for count in (self.boxed, self.images - self.boxed))
        return showing + min(empty, math.ceil(variety.empty * showing))


def options_json(
    dataset: Dataset, user: Any, minutes: float = OWN_MINUTES, labels: list[int] | None = None
) -> dict[str, Any]:
    """The answer of TrainingOptions, which the training page shows too.

    `minutes`: what the budget "own" is to be; `labels`: ids of the concepts that are to be learnt, None for all that
    have boxes.
    """
    ready, chosen = snapshots.readiness(dataset, labels)
    crowd, smallest = Crowd(ready.counts["artworks"], ready.counts["boxed"]), snapshots.smallest_of(dataset, chosen)
    times = {budget.key: budget.minutes or minutes for budget in BUDGETS.values()}
    return {
        "ready": ready.ready,
        "problems": [{"message": translated(phrase_json(problem), problem)} for problem in ready.problems],
        "counts": dict(ready.counts),
        "undecided": snapshots.artworks_of(dataset).filter(suggested__gt=0).count(),
        "empty_left_out": crowd.images - round(crowd.images * TEST_SHARE) - crowd.train(AUGMENTATIONS[USUAL]),
        "architectures": [
            {
                **_architecture(a),
                **_costs(a.key, times, crowd, {key: input_size(a.key, time, smallest) for key, time in times.items()}),
            }
            for a in ARCHITECTURES.values()
        ],
        "budgets": [_choice(budget) for budget in BUDGETS.values()],
        "least_minutes": round(LEAST_MINUTES),
        "most_minutes": round(MOST_MINUTES),
        "own_minutes": minutes,
        "augmentations": [
            {**_choice(a), "ready": not ready.in_the_way(simulated=a.simulated)} for a in AUGMENTATIONS.values()
        ],
        "lonely": len(ready.lonely),
        "starts": [
            {
                "id": detector.pk,
                "name": detector.name,
                "architecture": detector.architecture,
                **_costs(detector.architecture, times, crowd, dict.fromkeys(times, detector.input_size)),
            }
            for detector in Detector.objects.usable_in(dataset.pk, user).may_start()
            if detector.architecture in ARCHITECTURES and files.can_go_on_from(detector)
        ],
        "labels": [
            {"id": label.pk, "name": label.name, "artworks": label.artwork_total, "boxes": label.box_total}  # type: ignore[attr-defined]
            for label in snapshots.labels_of(dataset, with_boxes=False)
        ],
    }


def _architecture(option: Architecture) -> dict[str, Any]:
    shown = ("input_size", "parameters", "coco_ap", "coco_size", "license", "suited")
    more = {name: getattr(option, name) for name in shown}
    return {**_choice(option), **more, "knows_nothing": not option.weights}


def _costs(architecture: str, times: Mapping[str, float], crowd: Crowd, sizes: Mapping[str, int]) -> dict[str, Any]:
    """By budget: the `seconds` that a training really takes, the side of the square that it sees (`sizes`, in pixels),
    how many artworks it has the time to learn from (`reads`), None where a longer one would not learn from more, and
    the augmentations that change copies of these (`varied`): with many artworks for the time, none would be made.

    `times`: the minutes of each budget.
    """
    images, train = crowd.images, crowd.train(AUGMENTATIONS[USUAL])
    reads = {key: learnt_from(architecture, minutes, images, sizes[key], train) for key, minutes in times.items()}
    return {
        "seconds": {
            key: estimate_seconds(architecture, minutes, images, sizes[key], train) for key, minutes in times.items()
        },
        "reads": {key: count if count < train else None for key, count in reads.items()},
        "sizes": dict(sizes),
        "varied": {
            key: [
                variety.key
                for variety in AUGMENTATIONS.values()
                if variety.copies and crowd.train(variety) < _room(variety, architecture, minutes, sizes[key])
            ]
            for key, minutes in times.items()
        },
    }


def _room(variety: Augmentation, architecture: str, minutes: float, side: int) -> int:
    """How many pictures there may be before no changed copies are made (`stages`)."""
    return min(most_records(architecture, minutes, side), most_varied(architecture, minutes, side, variety))


def _choice(option: Any) -> dict[str, str]:
    return {"key": option.key, "title": _(option.title), "description": _(option.description)}
