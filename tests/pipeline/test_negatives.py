"""Artworks on which a person has said that there is nothing to mark: what they show is learnt as background."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.pipeline import records
from tests.pipeline.shapes import artwork, make_workdir
from training.pipeline import annotations, stages
from training.pipeline.supervision import Stop

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.filterwarnings("ignore")]
EMPTY = (2, 4)


@pytest.fixture(scope="module")
def prepared(offline_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> stages.Run:
    """A run whose records are written: of four artworks to train on, two show nothing, and one copy of each."""
    workdir = tmp_path_factory.mktemp("run")
    rows = [artwork(workdir, number, "train" if number < 5 else "test") for number in range(1, 6)]
    for row in rows:
        row["nothing_to_mark"] = row["id"] in EMPTY
        row["boxes"] = [] if row["id"] in EMPTY else row["boxes"]
    make_workdir(
        workdir, rows, augmentation="gentle", copies=1, least_copies=0, empty=1.0, input_size=128, batch_size=8,
        steps=1, scale_min=1.0, scale_max=1.0,
    )  # fmt: skip
    run = stages.open_run(workdir, offline_weights, lambda event: None, Stop())
    for name in ("annotations", "partition", "augment", "tfrecord", "configure"):
        stages.STAGES[name](run)
    return run


def test_their_pictures_and_copies_are_in_the_training_records(prepared: stages.Run) -> None:
    read = records.artworks(prepared.workdir, "train", "train", "train_augmented")
    assert read == [1, 1, 2, 2, 3, 3, 4, 4]
    for part in ("train", "train_augmented"):
        coco = annotations.load(annotations.coco_path(prepared.workdir, part))
        empty = {image["id"] for image in coco["images"] if image["artwork"] in EMPTY}
        assert len(empty) == 2 and not empty & {row["image_id"] for row in coco["annotations"]}


def test_a_training_learns_from_them_that_no_place_of_theirs_is_anything(prepared: stages.Run) -> None:
    """The gradient says so: all scores of such a picture go down, and no box is asked for."""
    import tensorflow as tf
    from official.vision.tasks.retinanet import RetinaNetTask

    from training.pipeline import graphs

    experiment = prepared.memory["experiment"]
    task, classes = RetinaNetTask(experiment.task), experiment.task.model.num_classes
    # Which pictures are in a batch is chance: wait for one with some of either kind.
    batches = (labels for _pictures, labels in graphs.reader(graphs.inputs(task, experiment.task.train_data)))
    labels, empty = next((labels, empty) for labels in batches if 0 < (empty := _empty(labels)).sum() < 8)
    outputs = {
        "cls_outputs": {level: _zeros(targets, classes) for level, targets in labels["cls_targets"].items()},
        "box_outputs": {level: tf.zeros_like(targets) for level, targets in labels["box_targets"].items()},
    }
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        losses = task.build_losses(outputs, labels)
    pulls = tape.gradient(losses[0], outputs)
    for level, pull in pulls["cls_outputs"].items():
        assert (pull.numpy()[empty] > 0).all(), level
    assert not any(np.abs(pull.numpy()[empty]).max() for pull in pulls["box_outputs"].values())
    assert any((pull.numpy()[~empty] < 0).any() for pull in pulls["cls_outputs"].values()), "others have things on them"


def _zeros(targets: Any, classes: int) -> Any:
    """Scores of one half for each class and anchor of a level; `targets`: batch × height × width × anchors."""
    import tensorflow as tf

    return tf.zeros((*targets.shape[:3], targets.shape[3] * classes))


def _empty(labels: Any) -> Any:
    """Of each picture of a batch, whether nothing is marked on it."""
    return np.array([not any(_marked(t[n]) for t in labels["cls_targets"].values()) for n in range(8)])


def _marked(targets: Any) -> bool:
    return bool((targets.numpy() > 0).any())
