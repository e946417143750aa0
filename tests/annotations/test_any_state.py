"""Whatever people and detectors do to an artwork in whatever order: every revision can be brought back exactly."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from annotations import labelling, services
from annotations.documents import Document, document
from annotations.history import past
from annotations.models import Box, Label
from annotations.services import Found
from datasets.models import Artwork
from tests.annotations.factories import artwork_row

pytestmark = pytest.mark.services

# What is done, and two numbers that choose on what and how.
Step = tuple[str, int, int]


class Play:
    """An artwork that people and detectors work on, and the document of each of its revisions."""

    def __init__(self, dataset: Any, people: Sequence[Any]) -> None:
        self.artwork = artwork_row(dataset)
        self.people = people
        self.labels = [Label.objects.create(dataset=dataset, name=name, colour="#123456") for name in ("A", "B", "C")]
        self.seen = [document(self.artwork)]

    def do(self, name: str, which: int, how: int) -> None:
        getattr(self, f"_{name}")(which, how)
        self.artwork = Artwork.objects.get(pk=self.artwork.pk)
        if self.artwork.revision == len(self.seen):
            self.seen.append(document(self.artwork))
        assert self.artwork.revision == len(self.seen) - 1

    def restored(self, revision: int) -> services.RestoredDocument:
        user = self.people[revision % 2]
        answer = services.restore(
            artwork=self.artwork, user=user, batch_id=uuid.uuid4(), revision=self.artwork.revision, target=revision
        )
        self.artwork.refresh_from_db()
        return answer

    def possible(self, revision: int) -> Document:
        """The document of a revision without the boxes whose labels are gone."""
        labels = {label.pk for label in self.labels}
        seen = self.seen[revision]
        return {**seen, "boxes": [box for box in seen["boxes"] if box["label"] in labels]}

    def _draw(self, which: int, how: int) -> None:
        rect = {"x": float(which % 150), "y": how / 7, "width": 9.5, "height": 11.25}
        self._edit(which, {"op": "create", "id": uuid.uuid4(), "label": self._label(how), **rect})

    def _move(self, which: int, how: int) -> None:
        self._edit_one(which, lambda box: {"op": "update", "id": box.pk, "x": float(how % 150)})

    def _relabel(self, which: int, how: int) -> None:
        self._edit_one(which, lambda box: {"op": "update", "id": box.pk, "label": self._label(how)})

    def _delete(self, which: int, how: int) -> None:
        self._edit_one(which, lambda box: {"op": "delete", "id": box.pk})

    def _accept(self, which: int, how: int) -> None:
        self._edit_one(which, lambda box: {"op": "accept", "id": box.pk})

    def _undo(self, which: int, how: int) -> None:
        """A box as some earlier document had it, whether it is there or not."""
        boxes = self.seen[how % len(self.seen)]["boxes"]
        box: Any = boxes[which % len(boxes)] if boxes else None
        if box and any(label.pk == box["label"] for label in self.labels):
            self._edit(which, {"op": "restore", "box": {**box, "id": uuid.UUID(box["id"])}})

    def _nothing(self, which: int, how: int) -> None:
        if not self.artwork.confirmed:
            self._edit(which, {"op": "mark_nothing", "value": bool(how % 2)})

    def _find(self, which: int, how: int) -> None:
        found = [Found(self._label(how + i), (which * i) % 150, 30.5 * i, 20, 20, (how % 10) / 10) for i in range(3)]
        number = 7 + how % 2
        services.write_suggestions(
            artwork_id=self.artwork.pk, detector_id=number, detector_name=f"D{number}", found=found
        )

    def _review(self, which: int, how: int) -> None:
        action, user = ("accept", "reject")[how % 2], self.people[which % 2]
        services.review_suggestions(artwork=self.artwork, user=user, action=action, minimum_score=(which % 10) / 10)

    def _review_all(self, which: int, how: int) -> None:
        action, user = ("accept", "reject")[how % 2], self.people[which % 2]
        services.review_all(dataset=self.artwork.dataset, user=user, action=action, minimum_score=(which % 10) / 10)

    def _import(self, which: int, how: int) -> None:
        boxes = [(self._label(how), float(which % 100), 5.0, 20.0, 20.0)] * (how % 3)
        services.import_boxes(artwork=self.artwork, boxes=boxes, user=self.people[which % 2], nothing=how % 5 == 0)

    def _bring_back(self, which: int, how: int) -> None:
        self.restored(which % len(self.seen))

    def _forget_label(self, which: int, how: int) -> None:
        if len(self.labels) > 1:
            labelling.delete_label(label=self.labels.pop(which % len(self.labels)), user=self.people[0], force=True)

    def _label(self, number: int) -> int:
        return self.labels[number % len(self.labels)].pk

    def _edit_one(self, which: int, edit: Callable[[Box], Any]) -> None:
        boxes = list(self.artwork.boxes.shown())
        if boxes:
            self._edit(which, edit(boxes[which % len(boxes)]))

    def _edit(self, which: int, edit: Any) -> None:
        services.apply_edits(
            artwork=self.artwork,
            user=self.people[which % 2],
            batch_id=uuid.uuid4(),
            revision=self.artwork.revision,
            edits=[edit],
        )


OFTEN = ("draw", "move", "relabel", "delete", "accept", "undo", "find", "review", "bring_back")
SELDOM = ("nothing", "review_all", "import", "forget_label")
NUMBERS = some.integers(0, 200)
STEPS = some.lists(some.tuples(some.sampled_from([*OFTEN, *OFTEN, *SELDOM]), NUMBERS, NUMBERS), max_size=14)


def test_every_revision_of_any_history_is_shown_and_brought_back_exactly(
    dataset: Any, annotator: Any, curator: Any
) -> None:
    @given(steps=STEPS)
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def hold(steps: list[Step]) -> None:
        with transaction.atomic():
            play = Play(dataset, [annotator, curator])
            for step in steps:
                play.do(*step)
            _check(play)
            transaction.set_rollback(True)

    hold()


def _check(play: Play) -> None:
    for revision, seen in enumerate(play.seen):
        shown = past(play.artwork, revision).document()
        assert {key: shown[key] for key in seen} == seen  # type: ignore[literal-required]
    for revision in range(len(play.seen)):
        wanted, answer = play.possible(revision), play.restored(revision)
        left_out = sum(label["boxes"] for label in answer["left_out"])
        assert answer["boxes"] == wanted["boxes"] and answer["nothing_to_mark"] == wanted["nothing_to_mark"]
        assert left_out == len(play.seen[revision]["boxes"]) - len(wanted["boxes"])
