"""The predecessor's faults 1 and 2 cannot come back: what is tested is never trained on, not even as a copy."""

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.pipeline import records
from tests.pipeline.shapes import artwork, make_workdir
from training.pipeline import annotations, stages
from training.pipeline.events import Event
from training.pipeline.scores import score
from training.pipeline.supervision import Stop, Stopped


@pytest.fixture
def run(offline_weights: Path, tmp_path: Path) -> tuple[stages.Run, list[Event]]:
    """Seven artworks, two of them in the test part, with two copies of each in training."""
    rows = [artwork(tmp_path, number, "test" if number in (3, 6) else "train") for number in range(1, 8)]
    make_workdir(tmp_path, rows, augmentation="categories")
    events: list[Event] = []
    return stages.open_run(tmp_path, offline_weights, events.append, Stop()), events


def _prepare(run: stages.Run) -> None:
    for name in ("annotations", "partition", "augment"):
        stages.STAGES[name](run)


def test_the_split_comes_before_the_augmentation(run: tuple[stages.Run, list[Event]]) -> None:
    opened, _ = run
    names = list(stages.STAGES)
    assert names.index("partition") < names.index("augment") < names.index("tfrecord") < names.index("train")
    _prepare(opened)
    copies = annotations.load(annotations.coco_path(opened.workdir, "train_augmented"))
    assert copies["images"] and not {3, 6} & {image["artwork"] for image in copies["images"]}
    folder = opened.workdir / "webnet_augmented_dataset" / "7"
    assert {Path(image["file_name"]) for image in copies["images"]} == set(folder.glob("*.jpg"))


def test_where_artworks_are_enough_no_changed_copies_are_made(run: tuple[stages.Run, list[Event]]) -> None:
    opened, _ = run
    for most, made in ((8, 3), (5, 0), (4, 0)):
        opened.config = dataclasses.replace(opened.config, most_varied=most)
        _prepare(opened)
        assert len(annotations.load(annotations.coco_path(opened.workdir, "train_augmented"))["images"]) == made


@pytest.mark.filterwarnings("ignore")
def test_train_records_hold_training_artworks_and_copies_and_test_records_the_rest(
    run: tuple[stages.Run, list[Event]],
) -> None:
    opened, events = run
    _prepare(opened)
    stages.STAGES["tfrecord"](opened)
    read = records.artworks(opened.workdir, "train", "train", "train_augmented")
    assert set(read) == {1, 2, 4, 5, 7} and len(read) > 5
    assert records.artworks(opened.workdir, "test", "test") == [3, 6]
    numbers = [{number for number, _jpeg in records.pictures(opened.workdir, part)} for part in ("train", "test")]
    assert not numbers[0] & numbers[1]
    told = [event["payload"] for event in events if event["payload"].get("stage") == "tfrecord"]
    assert told[-1]["done"] == told[-1]["total"] == len(read) + 2


@pytest.mark.filterwarnings("ignore")
def test_two_trainings_of_one_seed_see_the_same_pictures_moved_and_mirrored_in_the_same_ways(
    run: tuple[stages.Run, list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf
    import tf_keras
    from official.vision.tasks.retinanet import RetinaNetTask

    from training.pipeline import configure, graphs

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _kind: [])  # with a graphics card many threads read
    opened, _ = run
    _prepare(opened)
    stages.STAGES["tfrecord"](opened)
    experiment = configure.build(opened.config, classes=2, workdir=opened.workdir)
    seen = []
    for _ in range(3):
        tf_keras.utils.set_random_seed(opened.config.seed)
        batches = graphs.reader(graphs.inputs(RetinaNetTask(experiment.task), experiment.task.train_data))
        seen.append(np.stack([next(batches)[0].numpy() for _ in range(6)]))
    assert np.ptp(seen[0], axis=0).max() > 0.1, "each batch is another one"
    assert np.array_equal(seen[0], seen[1]) and np.array_equal(seen[0], seen[2])


@pytest.mark.filterwarnings("ignore")
def test_pictures_with_copies_are_read_once_and_are_in_the_records_as_if_they_were_read_again(
    run: tuple[stages.Run, list[Event]],
) -> None:
    from training.pipeline import pixels

    opened, _ = run
    _prepare(opened)
    expected = {}
    for image in annotations.load(annotations.coco_path(opened.workdir, "train"))["images"]:
        file = Path(image["file_name"])
        expected[image["id"]] = pixels.to_jpeg(pixels.read_rgb(file, 2 * opened.config.input_size))
        file.write_bytes(b"whoever reads this again will notice")
    stages.STAGES["tfrecord"](opened)
    written = dict(records.pictures(opened.workdir, "train"))
    assert len(written) > len(expected) > 3
    assert {number: jpeg for number, jpeg in written.items() if number in expected} == expected


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("changes", "told"),
    [({}, False), ({"input_size": 384}, True), ({"input_size": 384, "start": "detectors/1"}, False)],
    ids=["usual", "larger", "as-an-earlier-one"],
)
def test_whoever_waits_learns_that_small_things_are_seen_larger(
    run: tuple[stages.Run, list[Event]], changes: dict[str, Any], told: bool
) -> None:
    opened, events = run
    opened.config = dataclasses.replace(opened.config, **changes)
    stages.STAGES["annotations"](opened)
    stages.STAGES["configure"](opened)
    said = [event["payload"]["text"] for event in events if event["kind"] == "log"]
    assert any("384 × 384" in text and "256 × 256" in text for text in said) is told


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_no_box_of_a_crowd_is_taken_for_background(run: tuple[stages.Run, list[Event]]) -> None:
    from training.pipeline import configure

    opened, _ = run
    crowded = opened.manifest.artworks[0]
    crowd = dataclasses.replace(crowded, boxes=crowded.boxes[:1] * 130)
    opened.manifest = dataclasses.replace(opened.manifest, artworks=(crowd, *opened.manifest.artworks[1:]))
    stages.STAGES["configure"](opened)
    # A resumed run has nothing in memory and does not configure again.
    again = configure.of_run(opened.config, opened.manifest, opened.workdir)
    for experiment in (opened.memory["experiment"], again):
        assert experiment.task.train_data.parser.max_num_instances == 130


@pytest.mark.filterwarnings("ignore")
def test_where_time_is_short_only_some_are_read_and_none_is_changed(run: tuple[stages.Run, list[Event]]) -> None:
    opened = _hurried(run, most_records=3)
    assert "artworks: 5 (there is no time for 2 more)" in str(stages.STAGES["annotations"](opened))
    assert "no changed copies: " in str(stages.STAGES["augment"](opened))
    stages.STAGES["tfrecord"](opened)
    assert len(records.artworks(opened.workdir, "train", "train")) == 3
    assert records.artworks(opened.workdir, "test", "test") == [3, 6]


@pytest.mark.filterwarnings("ignore")
def test_where_there_is_time_for_some_copies_only_so_many_are_made(run: tuple[stages.Run, list[Event]]) -> None:
    opened = _hurried(run, most_records=7)
    for name in ("annotations", "augment", "tfrecord"):
        stages.STAGES[name](opened)
    read = records.artworks(opened.workdir, "train", "train", "train_augmented")
    assert set(read) == {1, 2, 4, 5, 7} and len(read) <= 7
    told = [event["payload"] for event in run[1] if event["payload"].get("stage") == "augment"]
    assert told[-1]["done"] == told[-1]["total"] == 2


def _hurried(run: tuple[stages.Run, list[Event]], **changes: int) -> stages.Run:
    """The run opened again, with less time."""
    opened, events = run
    dataclasses.replace(opened.config, **changes).save(opened.workdir)  # type: ignore[arg-type]
    return stages.open_run(opened.workdir, opened.weights_dir, events.append, Stop())


def test_the_lists_of_both_parts_name_every_file_once(run: tuple[stages.Run, list[Event]]) -> None:
    opened, _ = run
    _prepare(opened)
    folder = opened.workdir / "webnet_splitted_dataset" / "7"
    train, test = ((folder / f"{part}.txt").read_text().split() for part in ("train", "test"))
    assert len(train) == 5 and len(test) == 2 and not set(train) & set(test)


def test_a_stage_that_was_done_is_skipped_and_can_be_asked_for_again(run: tuple[stages.Run, list[Event]]) -> None:
    opened, events = run
    done = opened.workdir / "done"
    done.mkdir()
    for name in stages.STAGES:
        (done / f"{name}.json").write_text("{}")
    stages.run_all(opened)
    assert {event["payload"]["state"] for event in events} == {"skipped"}
    stages.forget(opened.workdir, ["evaluate", "export"])
    assert {path.stem for path in done.iterdir()} == set(stages.STAGES) - {"evaluate", "export"}


def test_a_stop_between_stages_is_obeyed(run: tuple[stages.Run, list[Event]]) -> None:
    opened, _ = run
    opened.stop.set()
    with pytest.raises(Stopped):
        stages.run_all(opened)
    assert not (opened.workdir / "done").exists()


@pytest.mark.filterwarnings("ignore")
def test_the_last_score_is_written_for_tensorboard_with_its_step(run: tuple[stages.Run, list[Event]]) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    opened, events = run
    stages.STAGES["annotations"](opened)
    truth = annotations.load(annotations.coco_path(opened.workdir, "test"))
    found = [{**row, "score": 0.9} for row in truth["annotations"]]
    opened.memory["trainer"] = SimpleNamespace(step=SimpleNamespace(numpy=lambda: 120))
    opened.memory["evaluator"] = SimpleNamespace(evaluate=lambda _check: (score(truth, found), found))
    stages.STAGES["evaluate"](opened)
    shown = EventAccumulator(str(opened.workdir / "summaries"), size_guidance={"tensors": 0}).Reload()
    seen = {row["id"]: row["name"] for row in truth["categories"]}[found[0]["category_id"]]
    for name in ("test/AP", "test/AP50", "test/AR100", f"concepts/{seen}"):
        assert [event.step for event in shown.Tensors(name)] == [120], name
    assert events[-1]["kind"] == "evaluation" and events[-1]["payload"]["step"] == 120


@pytest.mark.filterwarnings("ignore")
def test_where_there_was_no_box_to_find_the_test_says_so(run: tuple[stages.Run, list[Event]]) -> None:
    opened, events = run
    stages.STAGES["annotations"](opened)
    path = annotations.coco_path(opened.workdir, "test")
    truth = {**annotations.load(path), "annotations": []}
    annotations.save(truth, path)
    opened.memory["trainer"] = SimpleNamespace(step=SimpleNamespace(numpy=lambda: 120))
    opened.memory["evaluator"] = SimpleNamespace(evaluate=lambda _check: (score(truth, []), []))
    said = stages.STAGES["evaluate"](opened)
    assert said == "There was no box to find on the artworks that it was tested on."
    assert events[-1]["payload"]["AP50"] is None


def test_coco_boxes_are_cut_at_the_border_and_numbered(run: tuple[stages.Run, list[Event]]) -> None:
    opened, _ = run
    data = json.loads((opened.workdir / "manifest.json").read_text())
    data["artworks"][0]["boxes"] = [{"label": 2, "x": -0.4, "y": 0, "width": 480.4, "height": 360.3}]
    from training.pipeline import manifest

    coco = annotations.to_coco(manifest.parse(data, opened.workdir), "train")
    first = coco["annotations"][0]
    assert first["bbox"] == [0.0, 0, 480.0, 360.0] and first["category_id"] == 2
    assert [row["id"] for row in coco["annotations"]] == list(range(1, len(coco["annotations"]) + 1))
    assert [row["label"] for row in coco["categories"]] == [1, 2, 3]
