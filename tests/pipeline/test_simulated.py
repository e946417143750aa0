"""What is on artworks to learn from alone is tested on simulated photographs of these, and nothing else is."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.pipeline import records
from tests.pipeline.shapes import NAMES, artwork, manifest_of
from training.pipeline import annotations, config, manifest, simulated, stages
from training.pipeline.events import Event
from training.pipeline.report import report
from training.pipeline.scores import score
from training.pipeline.supervision import Stop


def _boxes(*labels: int) -> list[dict[str, Any]]:
    return [{"label": label, "x": 60, "y": 40, "width": 300, "height": 260} for label in labels]


def _opened(workdir: Path, weights: Path, shown: dict[str, list[list[int]]]) -> tuple[stages.Run, list[Event]]:
    """A run of artworks of which each shows these labels, by part; its first three stages are done."""
    rows = []
    for part, pictures in shown.items():
        for labels in pictures:
            rows.append(artwork(workdir, len(rows) + 1, part) | {"boxes": _boxes(*labels)})
    manifest.save(manifest_of(rows) | {"simulated_tests": True}, workdir)
    plan = config.plan(architecture="retinanet_mobilenet_v2", budget="quick", augmentation="instances", seed=3)
    dataclasses.replace(plan, least_copies=8).save(workdir)
    events: list[Event] = []
    run = stages.open_run(workdir, weights, events.append, Stop())
    for name in ("annotations", "partition", "augment"):
        stages.STAGES[name](run)
    return run, events


@pytest.fixture
def run(offline_weights: Path, tmp_path: Path) -> tuple[stages.Run, list[Event]]:
    """Circles are on a test artwork too, the square and the triangle on one to learn from each."""
    return _opened(tmp_path, offline_weights, {"train": [[1], [1, 2], [3], []], "test": [[1], []]})


def _coco(run: stages.Run, part: str) -> annotations.Coco:
    return annotations.load(annotations.coco_path(run.workdir, part))


def test_only_artworks_of_concepts_that_no_test_artwork_shows_are_photographed(
    run: tuple[stages.Run, list[Event]],
) -> None:
    opened, events = run
    test = _coco(opened, "test")
    photographs = [image for image in test["images"] if image.get("simulated")]
    assert {image["artwork"] for image in photographs} == {2, 3} and len(photographs) == 10
    assert [image["artwork"] for image in test["images"] if not image.get("simulated")] == [5, 6]
    shown = {image["id"]: image["artwork"] for image in test["images"]}
    tested = {(shown[box["image_id"]], NAMES[box["category_id"] - 1]) for box in test["annotations"]}
    # The circle beside the square is on a real test artwork too.
    assert tested == {(3, "triangle"), (2, "square"), (5, "circle")}
    assert any("10 simulated photographs" in str(event) for event in events)


def test_what_is_tested_on_is_no_picture_that_was_learnt_from(run: tuple[stages.Run, list[Event]]) -> None:
    opened, _events = run
    test = _coco(opened, "test")
    learnt = [image for part in ("train", "train_augmented") for image in _coco(opened, part)["images"]]
    assert not {image["id"] for image in learnt} & {image["id"] for image in test["images"]}
    files = {Path(image["file_name"]).read_bytes() for image in learnt}
    assert files and not files & {Path(image["file_name"]).read_bytes() for image in test["images"]}


def test_photographs_are_of_the_size_that_they_claim_with_boxes_inside(run: tuple[stages.Run, list[Event]]) -> None:
    test = _coco(run[0], "test")
    sizes = {}
    for image in test["images"]:
        with Image.open(image["file_name"]) as opened:
            sizes[image["id"]] = opened.size
            assert opened.size == (image["width"], image["height"])
            assert np.asarray(opened).std() > 2
    for box in test["annotations"]:
        x, y, width, height = box["bbox"]
        across, down = sizes[box["image_id"]]
        assert x >= 0 and y >= 0 and width > 0 and height > 0
        assert x + width <= across + 0.5 and y + height <= down + 0.5


def test_a_stage_that_is_done_again_does_not_double_them(run: tuple[stages.Run, list[Event]]) -> None:
    opened, _events = run
    before = _coco(opened, "test")
    stages.STAGES["augment"](opened)
    assert _coco(opened, "test") == before


@pytest.mark.filterwarnings("ignore")
def test_their_records_are_those_of_the_test_part(run: tuple[stages.Run, list[Event]]) -> None:
    opened, _events = run
    stages.STAGES["tfrecord"](opened)
    assert set(records.artworks(opened.workdir, "test", "test")) == {2, 3, 5, 6}
    assert len(records.pictures(opened.workdir, "test")) == 12
    numbers = [{number for number, _jpeg in records.pictures(opened.workdir, part)} for part in ("train", "test")]
    assert not numbers[0] & numbers[1]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_what_real_artworks_test_is_not_counted_on_photographs(run: tuple[stages.Run, list[Event]]) -> None:
    """A detector that sees a circle and a triangle everywhere, on a circle's picture among others."""
    from official.vision.tasks.retinanet import RetinaNetTask

    from training.pipeline import configure
    from training.pipeline.evaluate import Evaluator

    opened, _events = run
    stages.STAGES["tfrecord"](opened)
    experiment, test = configure.of_run(opened.config, opened.manifest, opened.workdir), _coco(opened, "test")

    def look(pictures: Any, _labels: Any) -> dict[str, Any]:
        each = len(pictures)
        boxes = np.tile(np.array([[[8, 8, 90, 90]]], np.float32), (each, 2, 1))
        classes, scores = np.tile([1, 3], (each, 1)), np.full((each, 2), 0.9)
        return {
            "detection_boxes": boxes, "detection_classes": classes, "detection_scores": scores,
            "num_detections": np.full(each, 2),
        }  # fmt: skip

    found = Evaluator(RetinaNetTask(experiment.task), experiment, None, test).by_picture(look)
    assert len(found) == 12
    for image in test["images"]:
        seen = [row["category_id"] for row in found[image["id"]]]
        assert seen == ([3] if image.get("simulated") else [1, 3])


def test_there_may_be_no_test_artwork_at_all(offline_weights: Path, tmp_path: Path) -> None:
    opened, _events = _opened(tmp_path, offline_weights, {"train": [[1], [2], [3], []], "test": []})
    test = _coco(opened, "test")
    assert len(test["images"]) == 15 and {box["category_id"] for box in test["annotations"]} == {1, 2, 3}


def test_where_all_concepts_are_tested_nothing_is_simulated(offline_weights: Path, tmp_path: Path) -> None:
    opened, events = _opened(tmp_path, offline_weights, {"train": [[1], [2, 3]], "test": [[1, 2], [3]]})
    assert len(_coco(opened, "test")["images"]) == 2
    assert not any("simulated" in str(event) for event in events)


def test_there_are_not_so_many_that_scoring_takes_all_the_time(
    run: tuple[stages.Run, list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulated, "_MOST", 4)
    stages.STAGES["augment"](run[0])
    assert sum(image.get("simulated", False) for image in _coco(run[0], "test")["images"]) == 4


def test_scores_say_which_concepts_were_tested_so(run: tuple[stages.Run, list[Event]]) -> None:
    truth = _coco(run[0], "test")
    told = score(truth, [])
    assert told["simulated_concepts"] == 2
    assert {row["name"] for row in told["per_label"] if row.get("simulated")} == {"square", "triangle"}
    real = simulated.added(truth, {"images": [], "annotations": []})
    assert "simulated_concepts" not in score(real, [])


@pytest.mark.filterwarnings("ignore")
def test_lists_of_detectors_know_how_many_were_tested_so(run: tuple[stages.Run, list[Event]], tmp_path: Path) -> None:
    from training.pipeline import export

    opened, _events = run
    truth = _coco(opened, "test")
    for coco, expected in ((truth, 2), (simulated.added(truth, {"images": [], "annotations": []}), None)):
        told = report(coco, [], score(coco, []))
        export._write_description(tmp_path, opened.config, opened.manifest, told, {})
        metrics = json.loads((tmp_path / "detector.json").read_text())["metrics"]
        assert metrics.get("simulated_concepts") == expected and "AP50" in metrics
