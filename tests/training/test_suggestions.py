"""What becomes of the boxes that a detector has found."""

from __future__ import annotations

import json
from typing import Any

import pytest

from annotations.models import Box, Label
from tests.training.starting import start_looking
from training import files, tasks
from training.models import Detector, Event, InferenceRun
from training.suggesting import SuggestionWriter, seen_before

pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_folders_of_earlier_runs"),
]


def test_of_two_classes_that_stand_for_one_concept_the_surer_box_of_a_thing_is_left(
    dataset: Any, owner: Any, label: Label, artwork: Any, pretrained: Detector
) -> None:
    """One shoe that is a boot as well, another shoe, and two boots side by side that the detector told apart."""
    run = InferenceRun.objects.get(pk=start_looking(dataset, owner, pretrained, label).pk)
    files.run_folder(run.pk).mkdir(parents=True)
    boot, shoe = (int(known["id"]) for known in pretrained.labels[:2])
    rows = [(boot, 10, 0.5), (shoe, 12, 0.7), (shoe, 90, 0.6), (boot, 150, 0.4), (boot, 155, 0.3)]
    boxes = [{"label": of, "x": x, "y": 10, "width": 40, "height": 30, "score": score} for of, x, score in rows]
    writer = SuggestionWriter(run, files.run_folder(run.pk), 1, lambda: None)
    writer.take([{"kind": "found", "payload": {"id": artwork.pk, "boxes": boxes}}])
    assert sorted(Box.objects.filter(artwork=artwork).values_list("x", flat=True)) == [12, 90, 150, 155]
    assert "4 suggestions" in writer.summary()


def test_each_concept_begins_at_its_own_best_score_where_that_is_wanted(
    dataset: Any, owner: Any, label: Label, artwork: Any, pretrained: Detector
) -> None:
    first, second, third = (known["id"] for known in pretrained.labels[:3])
    best = {first: 0.3, second: 0.8}
    known = [row | ({"threshold": best[row["id"]]} if row["id"] in best else {}) for row in pretrained.labels]
    Detector.objects.filter(pk=pretrained.pk).update(labels=known)
    rows = [(first, 0.35), (first, 0.29), (second, 0.79), (second, 0.8), (third, 0.45), (third, 0.5)]
    boxes = [
        {"label": of, "x": 1, "y": 20 * place, "width": 40, "height": 15, "score": score}
        for place, (of, score) in enumerate(rows)
    ]
    for own, expected in ((True, [0.35, 0.5, 0.8]), (False, [0.5, 0.79, 0.8])):
        choice = {"threshold": 0.5, "own_scores": own}
        run = InferenceRun.objects.get(pk=start_looking(dataset, owner, pretrained, label, **choice).pk)
        workdir, _total = tasks._prepare_inference(run, lambda: None)
        assert json.loads((workdir / "request.json").read_text())["threshold"] == (0.3 if own else 0.5)
        writer = SuggestionWriter(run, workdir, 1, lambda: None)
        writer.take([{"kind": "found", "payload": {"id": artwork.pk, "boxes": boxes}}])
        assert sorted(Box.objects.filter(artwork=artwork).values_list("score", flat=True)) == expected


def test_a_part_of_a_line_names_no_artwork_however_often_a_run_goes_on(
    dataset: Any, owner: Any, label: Label, make_artwork: Any, pretrained: Detector
) -> None:
    """A full disk cut off "123": what is left of it is another artwork's number."""
    work = make_artwork(dataset, 1)
    run = InferenceRun.objects.get(pk=start_looking(dataset, owner, pretrained, label).pk)
    workdir = files.run_folder(run.pk)
    workdir.mkdir(parents=True)
    (workdir / "seen.txt").write_text("8 unreadable\n12")
    for _ in range(2):
        SuggestionWriter(run, workdir, 1, lambda: None).summary()
        assert seen_before(workdir) == {8: False}
    writer = SuggestionWriter(run, workdir, 1, lambda: None)
    writer.take([{"kind": "found", "payload": {"id": work.pk, "boxes": []}}])
    assert seen_before(workdir) == {8: False, work.pk: True}


def test_a_run_that_is_taken_away_is_left_between_two_artworks_and_what_was_written_is_told(
    dataset: Any, owner: Any, label: Label, make_artwork: Any, pretrained: Detector
) -> None:
    works = [make_artwork(dataset, seed) for seed in range(3)]
    run = InferenceRun.objects.get(pk=start_looking(dataset, owner, pretrained, label).pk)
    files.run_folder(run.pk).mkdir(parents=True)
    beats = iter([False, True])

    def beat() -> None:
        if next(beats):
            raise tasks._Stop

    writer = SuggestionWriter(run, files.run_folder(run.pk), 3, beat)
    with pytest.raises(tasks._Stop):
        writer.take([{"kind": "found", "payload": {"id": work.pk, "boxes": []}} for work in works])
    assert list(seen_before(files.run_folder(run.pk))) == [works[0].pk]
    assert [event.payload["artwork"] for event in Event.objects.filter(run=run, kind="artwork")] == [works[0].pk]
