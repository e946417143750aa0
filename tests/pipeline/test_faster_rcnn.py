"""Faster R-CNN: trained for real, if only a few steps on small pictures (see `test_architectures`), and exported."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.pipeline.processes import Event, finish, start
from tests.pipeline.shapes import artwork, manifest_of
from training.pipeline import config, manifest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.filterwarnings("ignore")]
STEPS, SIZE = 12, 128


@dataclasses.dataclass
class Run:
    """A finished run."""

    workdir: Path
    events: list[Event]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event["payload"] for event in self.events if event["kind"] == kind]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Trained on four artworks, tested on the same shapes on other grounds."""
    workdir = tmp_path_factory.mktemp("run")
    rows = [artwork(workdir, number, "train") for number in range(1, 5)]
    rows += [artwork(workdir, number + 4, "test", seed=number) for number in range(1, 5)]
    manifest.save(manifest_of(rows), workdir)
    plan = config.plan(architecture="faster_rcnn_resnet50_fpn", budget="quick", augmentation="none", seed=1)
    changes: dict[str, Any] = {"scale_min": 0.9, "scale_max": 1.1, "evaluations": 1, "steps": STEPS, "warmup_steps": 2}
    dataclasses.replace(plan, batch_size=2, input_size=SIZE, **changes).save(workdir)
    code, events = finish(start("training.pipeline", workdir))
    assert code == 0, (workdir / "trainer.log").read_text()[-3000:]
    return Run(workdir, events)


def test_it_learns_and_tells_its_losses_as_the_others_do(run: Run) -> None:
    points = run.of("metrics")
    assert points[-1]["step"] == STEPS
    assert points[-1]["loss"] < points[0]["loss"], points
    for point in points:
        assert point["loss"] == pytest.approx(point["box_loss"] + point["class_loss"], abs=0.001)
        assert point["box_loss"] > 0 and point["class_loss"] > 0


def test_its_files_are_compared_with_it(run: Run) -> None:
    description = json.loads((run.workdir / "detector" / "detector.json").read_text())
    assert description["format"] == "faster_rcnn_tflite"
    assert set(description["checks"]) == {"model.tflite", "model_int8.tflite"}
    assert all(check["pictures"] == 4 for check in description["checks"].values())
    assert abs(description["checks"]["model.tflite"]["difference"]) <= 0.01


def test_the_tflite_file_finds_what_the_saved_model_finds(run: Run) -> None:
    import tensorflow as tf
    from PIL import Image

    from training.pipeline.detectors import Detector

    folder = run.workdir / "detector"
    serve = tf.saved_model.load(str(folder / "saved_model")).signatures["serving_default"]
    # As large as the square that the network sees: TensorFlow and Pillow enlarge and shrink in different ways.
    picture = Image.open(run.workdir / "images" / "6.jpg").convert("RGB").resize((SIZE, SIZE))
    answer = {name: value.numpy()[0] for name, value in serve(image=np.asarray(picture)[None]).items()}
    found = Detector(folder).detect(picture, SIZE, SIZE, 0.05)
    assert len(found) >= 5 and int(answer["num_detections"]) >= 5
    corners = np.minimum(answer["detection_boxes"], SIZE)
    same = 0
    for box in found:  # of equal scores, either may be first, and then others near it fall away
        own = np.array((box.y, box.x, box.y + box.height, box.x + box.width))
        near = (np.abs(corners - own).max(1) < 1) & (answer["detection_classes"] == box.label)
        same += bool((near & (np.abs(answer["detection_scores"] - box.score) < 0.01)).any())
    assert same >= 0.8 * len(found), (same, len(found))


def test_a_later_one_knows_its_concepts_by_class_and_box(run: Run) -> None:
    from training.pipeline import networks, transfer
    from training.pipeline.manifest import LabelEntry

    plan = config.load(run.workdir)
    labels = [LabelEntry(3, "triangle"), LabelEntry(8, "star")]
    before, model = transfer.blank(plan, classes=3), transfer.blank(plan, classes=2)
    fresh = [layer.get_weights()[0].copy() for layer, _ in networks.by_concept(model)]
    transfer.go_on_from(run.workdir / "detector", model, plan, labels)
    transfer.go_on_from(run.workdir / "detector", before, plan, manifest.load(run.workdir).labels)
    pairs = zip(networks.by_concept(before), networks.by_concept(model), fresh, strict=True)
    for ((old, together), (new, _), begun), expected in zip(pairs, (1, 4), strict=True):
        assert together == expected
        kernels = (old.get_weights()[0], new.get_weights()[0], begun)
        known, now, blank = (kernel.reshape(len(kernel), -1, together) for kernel in kernels)
        np.testing.assert_array_equal(now[:, 0], known[:, 0], "the background")
        np.testing.assert_array_equal(now[:, 1], known[:, 3], "the triangle, first now")
        np.testing.assert_array_equal(now[:, 2], blank[:, 2], "a new concept")
    first, second = (value.backbone.weights[0].numpy() for value in (before, model))
    np.testing.assert_array_equal(first, second)


def test_its_features_are_not_kept() -> None:
    """`replay` knows a RetinaNet's targets; going on from an earlier Faster R-CNN freezes the backbone all the same."""
    plan = config.plan(
        architecture="faster_rcnn_resnet50_fpn", budget="standard", augmentation="none", seed=1, start="/earlier"
    )
    assert plan.freeze_backbone and plan.feature_uses == 1
