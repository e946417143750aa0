"""A checkpoint as the Model Garden publishes them: fetched, made a detector, used, and gone on from."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.installation import ROOT
from tests.pipeline.processes import finish, start
from tests.training.fetches import work
from tests.training.zoo import Zoo, tar
from training import files, services
from training.models import Detector
from training.pipeline.catalogue import CATALOGUE, COCO_LABELS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.filterwarnings("ignore")]

KEY = "garden_mobile_spinenet49"
ARCHIVE = CATALOGUE[KEY].archive.rpartition("/")[2]

# What Orbit saves at the end of a training on COCO. Class c has c / 100 as its bias, so that one knows it again.
MAKE_CHECKPOINT = """
import sys, numpy as np, tensorflow as tf
from training.pipeline import config, transfer
plan = config.plan(architecture="retinanet_mobile_spinenet49", budget="quick", augmentation="none", seed=0)
model = transfer.blank(plan, classes=90)
kernel, *between, bias = model.head._classifier.get_weights()
model.head._classifier.set_weights([kernel, *between, np.tile(np.arange(91) / 100, len(bias) // 91).astype("f")])
step = tf.Variable(5, dtype=tf.int64)
tf.train.Checkpoint(global_step=step, model=model, **model.checkpoint_items).write(sys.argv[1])
"""

# A training of three concepts that goes on from it: the biases of its classes at the first anchor.
GO_ON = """
import sys
from pathlib import Path
from training.pipeline import config, transfer
from training.pipeline.manifest import LabelEntry
start = sys.argv[1]
plan = config.plan(
    architecture="retinanet_mobile_spinenet49", budget="quick", augmentation="none", seed=0, start=start
)
assert plan.freeze_backbone
model = transfer.blank(plan, classes=3)
transfer.go_on_from(Path(start), model, plan, [LabelEntry(5, "Dog"), LabelEntry(6, "unicorn"), LabelEntry(7, "person")])
print([round(float(value), 2) for value in model.head._classifier.get_weights()[-1][:4]])
"""


def python(code: str, *arguments: str) -> str:
    """Run `code` in a process of its own, as everything does that needs TensorFlow."""
    environment = {"PATH": "/usr/bin:/bin", "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=250
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_archive_without_a_checkpoint_is_refused(owner: Any, zoo: Zoo) -> None:
    zoo.files[ARCHIVE] = tar({"spinenet/params.yaml": b"task: {}"})
    fetch = work(owner, KEY)
    assert fetch.state == "failed" and "must hold a checkpoint" in fetch.message
    assert not Detector.objects.exists() and not files.downloads_folder(KEY).exists()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_checkpoint_becomes_a_detector_that_a_training_can_go_on_from(
    owner: Any, dataset: Any, client_of: Callable[..., Any], zoo: Zoo, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    made.mkdir()
    python(MAKE_CHECKPOINT, str(made / "ckpt-277200"))
    members = {f"spinenet49mobile/{path.name}": path.read_bytes() for path in made.iterdir()}
    zoo.files[ARCHIVE] = tar({"spinenet49mobile/params.yaml": b"task: {}", **members})
    fetch = work(owner, KEY)
    assert (fetch.state, fetch.message) == ("done", "")

    detector = Detector.objects.get()
    assert (detector.architecture, len(detector.labels)) == ("retinanet_mobile_spinenet49", len(COCO_LABELS))
    folder = files.detector_folder(detector)
    assert sorted(path.name for path in folder.iterdir()) == [
        "checkpoint", "detector.json", "labels.txt", "model.tflite",
    ]  # fmt: skip
    Image.new("RGB", (400, 300), (90, 120, 60)).save(tmp_path / "0.png")
    pictures = [{"id": 0, "file": "0.png", "width": 400, "height": 300}]
    (tmp_path / "request.json").write_text(json.dumps({"detector": str(folder), "threshold": 0, "images": pictures}))
    code, told = finish(start("training.pipeline.infer", tmp_path))
    assert code == 0
    # Its head knows nothing but these biases: the highest one is everywhere.
    labels = {box["label"] for event in told if event["kind"] == "found" for box in event["payload"]["boxes"]}
    assert labels == {90}

    options = client_of(owner).get(f"/api/datasets/{dataset.pk}/training-options/").json()
    assert [row["id"] for row in options["starts"]] == [detector.pk]
    choice = services.TrainingChoice(detector.architecture, "quick", "none", start=detector.pk)
    assert services._start(dataset, owner, choice) == detector
    dog, unicorn, person = json.loads(python(GO_ON, str(folder)))[1:]
    assert (dog, person) == (0.18, 0.01)
    assert unicorn < 0.0  # as every new concept begins
