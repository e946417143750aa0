"""One real training of eight artworks, stopped in the middle and resumed; and what it leaves behind."""

import dataclasses
import itertools
import json
import shutil
import signal
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.pipeline import looking, records
from tests.pipeline.processes import Event, finish, of, start, until
from tests.pipeline.shapes import artwork, make_workdir
from training.pipeline import annotations, compare
from training.pipeline.scores import intersection_over_union, score

# Ten times what it takes on two idle cores.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

STEPS = 100


@dataclasses.dataclass
class Trained:
    """A finished run: its folder, the events before and after the stop, and how long the stop took."""

    workdir: Path
    before: list[Event]
    after: list[Event]
    stop_code: int
    stop_seconds: float


@pytest.fixture(scope="module")
def trained(offline_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Eight artworks, and the same shapes on other grounds to test on: who cannot learn these cannot learn anything."""
    workdir = tmp_path_factory.mktemp("a museum, its ‘run’")
    rows = [artwork(workdir, number, "train") for number in range(1, 9)]
    rows += [artwork(workdir, number + 8, "test", seed=number) for number in range(1, 9)]
    # Few steps have to do, so the pictures are not zoomed.
    make_workdir(workdir, rows, steps=STEPS, evaluations=2, scale_min=0.9, scale_max=1.1)
    process = start("training.pipeline", workdir, offline_weights)
    before = until(process, lambda event: event["kind"] == "metrics" and event["payload"]["step"] > 20)
    asked = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code, rest = finish(process)
    seconds = time.monotonic() - asked
    last, after = finish(start("training.pipeline", workdir, offline_weights))
    assert last == 0, (workdir / "trainer.log").read_text()[-3000:]
    return Trained(workdir, before + rest, after, code, seconds)


def test_a_cancelled_training_ends_within_seconds(trained: Trained) -> None:
    assert trained.stop_code == 3
    assert trained.stop_seconds < 10


def test_a_resumed_training_goes_on_from_its_last_step(trained: Trained) -> None:
    first, second = of(trained.before, "metrics"), of(trained.after, "metrics")
    assert first[-1]["step"] < second[0]["step"] < first[-1]["step"] + 60
    assert second[-1]["step"] == STEPS


def test_a_resumed_training_skips_what_was_done(trained: Trained) -> None:
    skipped = [row["stage"] for row in of(trained.after, "stage") if row["state"] == "skipped"]
    assert skipped == ["annotations", "partition", "augment", "tfrecord", "configure"]
    done = [row["stage"] for row in of(trained.after, "stage") if row["state"] == "done"]
    assert done == ["train", "evaluate", "export"]


def test_eight_artworks_are_learnt(trained: Trained) -> None:
    evaluations = of(trained.after, "evaluation")
    assert evaluations[-1]["step"] == STEPS
    assert evaluations[-1]["AP50"] >= 0.9, evaluations


def test_the_loss_falls_and_is_the_sum_of_its_parts(trained: Trained) -> None:
    from training.pipeline import config

    highest = config.load(trained.workdir).learning_rate
    points = of(trained.before, "metrics") + of(trained.after, "metrics")
    assert points[-1]["loss"] < 0.6 * points[0]["loss"]
    for point in points:
        assert point["loss"] == pytest.approx(point["box_loss"] + point["class_loss"], abs=0.001)
        assert point["images_per_second"] > 0 and point["seconds_left"] >= 0
        assert 0 <= point["learning_rate"] <= highest + 1e-9


def test_metrics_come_about_once_a_second(trained: Trained) -> None:
    points = of(trained.after, "metrics")
    gaps = [(two["step"] - one["step"]) * 8 / two["images_per_second"] for one, two in itertools.pairwise(points)]
    assert sorted(gaps)[len(gaps) // 2] < 3


@pytest.mark.filterwarnings("ignore")
def test_the_trainer_reads_the_train_records_and_the_evaluator_the_test_records(trained: Trained) -> None:
    files = {number: trained.workdir / "images" / f"{number}.jpg" for number in range(1, 17)}
    for split, expected in {"train": list(range(1, 9)), "test": list(range(9, 17))}.items():
        assert records.artworks(trained.workdir, split, split) == expected
        assert records.pictured(trained.workdir, split, files) == expected
    import yaml

    task = yaml.safe_load((trained.workdir / "experiment.yaml").read_text())["task"]
    assert Path(task["train_data"]["input_path"]).name == "train-*.tfrecord" and task["train_data"]["is_training"]
    assert Path(task["validation_data"]["input_path"]).name == "test-*.tfrecord"
    assert not task["validation_data"]["is_training"]


def test_the_detector_folder_is_complete(trained: Trained) -> None:
    folder = trained.workdir / "detector"
    assert {path.name for path in folder.iterdir()} == {
        "checkpoint", "config.yaml", "detector.json", "evaluation.json", "labels.txt", "model.tflite", "model_card.md",
        "model_int8.tflite", "saved_model", "tested",
    }  # fmt: skip
    description = json.loads((folder / "detector.json").read_text())
    evaluation = json.loads((folder / "evaluation.json").read_text())
    best = {row["label"]: row["threshold"] for row in evaluation["per_label"]}
    assert description["labels"] == [
        {"id": n, "name": name, "threshold": pytest.approx(best[n] - 0.005, abs=0.0051)}
        for n, name in enumerate(("circle", "square", "triangle"), 1)
    ]
    assert description["threshold"] == pytest.approx(evaluation["threshold"], abs=0.02)
    assert description["format"] == "retinanet_tflite" and description["metrics"]["AP50"] >= 0.9
    assert "| circle |" in (folder / "model_card.md").read_text()
    (kept,) = compare.compare([folder], range(9, 17), evaluation["per_label"])
    assert kept["AP50"] == pytest.approx(evaluation["AP50"], abs=0.01)
    assert (folder / "model.tflite").stat().st_size < 8e6
    assert (folder / "model_int8.tflite").stat().st_size < 0.8 * (folder / "model.tflite").stat().st_size


@pytest.mark.filterwarnings("ignore")
def test_the_saved_model_finds_the_same_where_it_is_added(trained: Trained, tmp_path: Path) -> None:
    """On pictures of the square's width: TensorFlow and Pillow shrink in different ways."""
    from training.pipeline.detectors import Detector
    from training.pipeline.trial import trial

    own = trained.workdir / "detector"
    shutil.copytree(own / "saved_model", tmp_path / "saved_model")
    description = json.loads((own / "detector.json").read_text())
    (tmp_path / "detector.json").write_text(json.dumps(description | {"format": "saved_model"}))
    trial(tmp_path)
    side, detectors = description["input_size"], (Detector(own), Detector(tmp_path))
    truth, found = annotations.load(annotations.coco_path(trained.workdir, "test")), ([], [])
    for image in truth["images"]:
        picture = Image.open(trained.workdir / image["file_name"]).convert("RGB").resize((side, side * 3 // 4))
        for rows, detector in zip(found, detectors, strict=True):
            rows += looking.as_coco(detector.detect(picture, 480, 360, 0.05), image["id"])
    assert len([row for row in found[0] if row["score"] >= 0.3]) >= 8
    file, saved = (score(truth, rows)["AP"] for rows in found)
    assert file == pytest.approx(saved, abs=0.01)


def test_both_tflite_files_are_compared_with_the_trained_detector(trained: Trained) -> None:
    """Twenty boxes: one that changes its rank moves the score by hundredths. The next test looks at each box."""
    checks = json.loads((trained.workdir / "detector" / "detector.json").read_text())["checks"]
    assert set(checks) == {"model.tflite", "model_int8.tflite"}
    for name, check in checks.items():
        assert check["pictures"] == 8
        assert check["difference"] == pytest.approx(check["AP"] - check["trained_AP"], abs=1e-4)
        assert check["passed"] == (abs(check["difference"]) <= 0.01)
        assert check["AP"] == pytest.approx(check["trained_AP"], abs=0.1)
        told = [row["text"] for row in of(trained.after, "log") if row["text"].startswith(name)]
        assert len(told) == (not check["passed"])


@pytest.mark.filterwarnings("ignore")
def test_the_tflite_file_finds_box_by_box_what_the_trained_detector_finds(
    trained: Trained, offline_weights: Path
) -> None:
    """Whatever a change of rank does to the score of so few boxes.

    Of two boxes with all but one score, suppression may keep the one here and the other there: each that the file
    finds is among the trained network's before suppression, and whatever that one keeps, the file keeps or has
    suppressed by a better one.
    """
    from training.pipeline import checks, config, configure, manifest, train
    from training.pipeline.evaluate import Evaluator

    workdir, plan = trained.workdir, config.load(trained.workdir)
    experiment = configure.build(plan, classes=3, workdir=workdir)
    built = train.build(plan, experiment, manifest.load(workdir).labels, workdir, offline_weights)
    truth = annotations.load(annotations.coco_path(workdir, "test"))
    evaluator = Evaluator(built.task, experiment, built.model, truth)
    expected, before = evaluator.by_picture(evaluator._look), evaluator.by_picture(looking.unsuppressed(built.model))
    found = evaluator.by_picture(checks._Looking((workdir / "detector" / "model.tflite").read_bytes()))

    def like(row: Any, rows: Any, overlap: float) -> list[float]:
        same = [one for one in rows[row["image_id"]] if one["category_id"] == row["category_id"]]
        return [one["score"] for one in same if intersection_over_union(one["bbox"], row["bbox"]) >= overlap]

    for row in looking.sure(found):
        assert any(value == pytest.approx(row["score"], abs=0.005) for value in like(row, before, 0.95))
    assert len(looking.sure(expected)) >= 8
    for row in looking.sure(expected):
        assert max(like(row, found, experiment.task.model.detection_generator.nms_iou_threshold)) > row["score"] - 0.005


@pytest.mark.parametrize("name", ["model.tflite", "model_int8.tflite"])
def test_a_tflite_file_carries_its_labels_and_still_loads(trained: Trained, name: str) -> None:
    from ai_edge_litert.interpreter import Interpreter

    folder = trained.workdir / "detector"
    with zipfile.ZipFile(folder / name) as archive:
        assert archive.read("labels.txt").decode() == "circle\nsquare\ntriangle\n"
        assert archive.read("detector.json") == (folder / "detector.json").read_bytes()
        # Android's MetadataExtractor reads files that are not compressed only.
        assert {row.compress_type for row in archive.infolist()} == {zipfile.ZIP_STORED}
    runner = Interpreter(model_path=str(folder / name)).get_signature_runner()
    assert {key: row["dtype"].__name__ for key, row in runner.get_input_details().items()} == {"image": "float32"}
    found = runner(image=np.zeros((1, 256, 256, 3), np.float32))
    assert {key: values.shape for key, values in found.items()} == {
        "detection_boxes": (1, 100, 4), "detection_classes": (1, 100), "detection_scores": (1, 100),
        "num_detections": (1,),
    }  # fmt: skip


def test_the_int8_file_computes_in_whole_numbers_up_to_its_head(trained: Trained) -> None:
    """Places and scores of 8 bits alone would cost accuracy."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(trained.workdir / "detector" / "model_int8.tflite"))
    tensors = {row["index"]: row for row in interpreter.get_tensor_details()}
    kinds: dict[bool, set[str]] = {True: set(), False: set()}
    for operation in interpreter._get_ops_details():
        if operation["op_name"].endswith("CONV_2D"):
            (made,) = (tensors[int(index)] for index in operation["outputs"])
            kinds["retina_net_head" in made["name"]].add(made["dtype"].__name__)
    assert kinds == {True: {"float32"}, False: {"int8"}}


@pytest.mark.parametrize("number", [10, 15])
def test_the_python_lines_of_the_model_card_find_what_webnet_finds(trained: Trained, number: int) -> None:
    """Executed exactly as they are printed, beside the files."""
    from training.pipeline.detectors import Detector

    folder = trained.workdir / "detector"
    seen = looking.printed(folder, trained.workdir / "images" / f"{number}.jpg", 1)
    expected = Detector(folder).detect(Image.open(trained.workdir / "images" / f"{number}.jpg"), 480, 360, 0.3)
    assert expected
    for box, (label, *numbers) in zip(expected, seen, strict=False):
        assert label == ("circle", "square", "triangle")[int(box.label) - 1]
        values = [box.score, box.x, box.y, box.x + box.width, box.y + box.height]
        # A box is cut at the border by WebNet, not by these lines.
        assert [float(value) for value in numbers] == pytest.approx(values, abs=6)
        assert float(numbers[0]) == pytest.approx(box.score, abs=0.001)


@pytest.mark.parametrize("name", ["model.tflite", "model_int8.tflite"])
def test_a_file_of_it_alone_is_the_same_detector_in_another_installation(
    trained: Trained, name: str, tmp_path: Path
) -> None:
    from training.pipeline.detectors import Detector
    from training.pipeline.outside import lay_out_tflite, own_description
    from training.pipeline.trial import trial

    folder = trained.workdir / "detector"
    file = shutil.copy(folder / name, tmp_path / "sent.tflite")
    described = own_description(Path(file))
    assert described
    assert [row["name"] for row in described["labels"]] == ["circle", "square", "triangle"]
    lay_out_tflite(Path(file), tmp_path / "added", {"name": "Sent", **described})
    trial(tmp_path / "added")
    if name == "model.tflite":
        picture = Image.open(trained.workdir / "images" / "1.jpg")
        there, here = (Detector(path).detect(picture, 480, 360, 0.3) for path in (folder, tmp_path / "added"))
        assert there and here == there


@pytest.fixture(scope="module")
def with_onnx(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the detector's folder with the ONNX file that somebody asked for."""
    folder = tmp_path_factory.mktemp("asked") / "detector"
    shutil.copytree(trained.workdir / "detector", folder)
    code, events = looking.make_onnx(folder, folder.parent / "work", trained.workdir)
    assert (code, events) == (0, []), (folder.parent / "work" / "onnx.log").read_text()[-3000:]
    return folder


@pytest.mark.filterwarnings("ignore")
def test_the_onnx_file_finds_the_boxes_of_the_saved_model(trained: Trained, with_onnx: Path) -> None:
    pictures = [trained.workdir / "images" / f"{number}.jpg" for number in range(9, 17)]
    found = looking.onnx_answers(with_onnx / "model.onnx", pictures)
    for own, expected in zip(found, looking.saved_model_answers(with_onnx / "saved_model", pictures), strict=True):
        assert list(own) == ["detection_boxes", "detection_classes", "detection_scores", "num_detections"]
        assert looking.are_alike(own, expected) and own["detection_scores"][0, 0] > 0.3


def test_the_onnx_file_is_compared_and_carries_its_labels(trained: Trained, with_onnx: Path) -> None:
    description = json.loads((with_onnx / "detector.json").read_text())
    check = description["checks"].pop("model.onnx")
    assert description == json.loads((trained.workdir / "detector" / "detector.json").read_text())
    assert check["pictures"] == 8 and check["passed"] and abs(check["difference"]) <= 0.001
    assert check["trained_AP"] == pytest.approx(description["metrics"]["AP"], abs=0.1)
    known = looking.onnx_metadata(with_onnx / "model.onnx")
    assert known["labels"].splitlines() == ["circle", "square", "triangle"]
    assert known["input_size"] == "256" and float(known["threshold"]) == description["threshold"]


def test_the_ten_lines_of_the_model_card_for_onnx_find_what_webnet_finds(trained: Trained, with_onnx: Path) -> None:
    from training.pipeline.detectors import Detector

    picture = trained.workdir / "images" / "14.jpg"
    seen = looking.printed(with_onnx, picture, 2)
    expected = Detector(with_onnx).detect(Image.open(picture), 480, 360, 0.3)
    assert len(expected) >= 2
    for box, (label, *numbers) in zip(expected, seen, strict=False):
        assert label == ("circle", "square", "triangle")[int(box.label) - 1]
        corners = [box.y, box.x, box.y + box.height, box.x + box.width]
        assert [float(value) for value in numbers[1:]] == pytest.approx(corners, abs=8)
        assert float(numbers[0]) == pytest.approx(box.score, abs=0.1)


@pytest.mark.filterwarnings("ignore")
def test_a_later_training_goes_on_from_this_one_releases_the_late_stages_and_is_resumed(
    trained: Trained, offline_weights: Path, tmp_path: Path
) -> None:
    from training.pipeline import backbones, config, configure, manifest, supervision, train
    from training.pipeline.evaluate import Evaluator

    changes: dict[str, Any] = {"steps": 4, "release_at": 0.5, "backbone_rate": 0.5, "evaluations": 1}
    plan = dataclasses.replace(config.load(trained.workdir), start=str(trained.workdir / "detector"), **changes)
    shutil.copytree(trained.workdir / "records", tmp_path / "records")
    experiment = configure.build(plan, classes=3, workdir=tmp_path)
    labels = manifest.load(trained.workdir).labels
    truth = annotations.load(annotations.coco_path(trained.workdir, "test"))
    first = train.build(plan, experiment, labels, tmp_path, offline_weights)
    evaluator = Evaluator(first.task, experiment, first.model, truth)
    known, _ = evaluator.evaluate()
    assert known["AP50"] >= 0.9, "it knows from the first step what the earlier one has learnt"
    before = [layer.get_weights()[0] for layer, _norm in backbones.pairs(first.model.backbone)]
    train.train(first, tmp_path, evaluator, seconds=None, on_event=lambda event: None, stop=supervision.Stop())
    after = [layer.get_weights()[0] for layer, _norm in backbones.pairs(first.model.backbone)]
    moved = [not np.array_equal(*pair) for pair in zip(before, after, strict=True)]
    assert not any(moved[:15]) and all(moved[-10:])

    second = train.build(plan, experiment, labels, tmp_path, offline_weights)
    assert int(second.step) == 4 and float(second.seconds) > 0
    restored = [layer.get_weights()[0] for layer, _norm in backbones.pairs(second.model.backbone)]
    heads = [trainer.model.head.get_weights() for trainer in (first, second)]
    for one, other in zip(after + heads[0], restored + heads[1], strict=True):
        np.testing.assert_array_equal(one, other)
    # Two steps with the backbone released: its optimizer is as far, and has its moments.
    assert int(second.optimizer._pretrained.iterations) == 2
    last = [backbones.pairs(trainer.model.backbone)[-1][0].weights[0] for trainer in (first, second)]
    for moment in ("m", "v"):
        one, other = (t.optimizer._pretrained.get_slot(w, moment) for t, w in zip((first, second), last, strict=True))
        np.testing.assert_array_equal(one.numpy(), other.numpy())
        assert one.numpy().any()


def test_the_evaluation_names_every_test_artwork(trained: Trained) -> None:
    evaluation = json.loads((trained.workdir / "evaluation.json").read_text())
    assert sorted(row["artwork"] for row in evaluation["artworks"]) == list(range(9, 17))
    assert [row["label"] for row in evaluation["per_label"]] == [1, 2, 3]


def test_the_exported_detector_is_as_good_as_the_trained_one(trained: Trained, tmp_path: Path) -> None:
    """Also where the artwork has twice the pixels of its file: its boxes are twice as large."""
    truth = annotations.load(annotations.coco_path(trained.workdir, "test"))
    images = [{**row, "file": row["file_name"], "width": 960, "height": 720} for row in truth["images"]]
    request = {"detector": str(trained.workdir / "detector"), "threshold": 0.05, "images": images}
    (tmp_path / "request.json").write_text(json.dumps(request))
    code, events = finish(start("training.pipeline.infer", tmp_path))
    assert code == 0
    detections = [
        {"image_id": row["id"], "category_id": box["label"], "score": box["score"]}
        | {"bbox": [box[side] / 2 for side in ("x", "y", "width", "height")]}
        for row in of(events, "found")
        for box in row["boxes"]
    ]
    expected = json.loads((trained.workdir / "evaluation.json").read_text())
    exported = score(truth, detections)
    # There are ten boxes in all: one that changes its rank moves the score by several hundredths.
    assert exported["AP50"] == pytest.approx(expected["AP50"], abs=0.12)
    assert exported["AP"] == pytest.approx(expected["AP"], abs=0.1)


def test_more_threads_lose_no_concept(trained: Trained) -> None:
    """With two threads, TFLite's own suppression drops every box of one of three concepts."""
    from training.pipeline.detectors import Detector

    pictures = [Image.open(trained.workdir / "images" / f"{number}.jpg") for number in range(9, 17)]
    for threads in (1, 2, 3):
        detector = Detector(trained.workdir / "detector", threads=threads)
        found = [box.label for picture in pictures for box in detector.detect(picture, 480, 360, 0.3)]
        assert set(found) == {1, 2, 3}


def test_a_finished_run_started_again_does_nothing(trained: Trained, offline_weights: Path) -> None:
    before = (trained.workdir / "detector" / "model.tflite").stat().st_mtime_ns
    code, events = finish(start("training.pipeline", trained.workdir, offline_weights))
    assert code == 0
    assert {row["state"] for row in of(events, "stage")} == {"skipped"}
    assert (trained.workdir / "detector" / "model.tflite").stat().st_mtime_ns == before
