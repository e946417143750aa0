"""The catalogue of architectures: each is as it is described, and those that no other test trains do learn."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.pipeline.architectures import ARCHITECTURES, GPU, LAPTOP
from training.pipeline.config import plan

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.filterwarnings("ignore")]
SIZE, CONCEPTS = 128, 10


def _built(key: str) -> tuple[Any, Any, Any]:
    """Task, model and experiment of an architecture that sees pictures of SIZE × SIZE."""
    from training.pipeline import configure, networks

    config = plan(architecture=key, budget="quick", augmentation="none", seed=1)
    config = dataclasses.replace(config, input_size=SIZE, batch_size=2)
    experiment = configure.build(config, classes=CONCEPTS, workdir=Path("/nowhere"))
    return *networks.build(experiment), experiment


def _check(key: str, model: Any) -> None:
    entry = ARCHITECTURES[key]
    parameters = sum(math.prod(variable.shape) for variable in model.weights) / 1e6
    assert parameters == pytest.approx(entry.parameters, abs=0.06)
    assert entry.suited in (LAPTOP, GPU) and entry.input_size % SIZE == 0


@pytest.mark.parametrize("key", [key for key, entry in ARCHITECTURES.items() if entry.weights])
def test_an_architecture_has_the_parameters_that_are_shown(key: str) -> None:
    _check(key, _built(key)[1])


def _batch(experiment: Any) -> tuple[Any, Mapping[str, Any]]:
    """Two pictures with a bright square each, parsed as Model Garden does it: the pictures and what is on them."""
    import tensorflow as tf
    from official.vision.dataloaders import maskrcnn_input, retinanet_input

    from training.pipeline import faster_rcnn

    data, model = experiment.task.train_data, experiment.task.model
    kind, others = retinanet_input.Parser, {}
    if faster_rcnn.is_one(experiment):
        kind, others = maskrcnn_input.Parser, {"aug_rand_hflip": False, "include_mask": False}
    parser = kind(
        output_size=model.input_size[:2], min_level=model.min_level, max_level=model.max_level,
        num_scales=model.anchor.num_scales, aspect_ratios=model.anchor.aspect_ratios,
        anchor_size=model.anchor.anchor_size, dtype="float32", max_num_instances=data.parser.max_num_instances,
        **others,
    )  # fmt: skip
    rows = []
    for number, left in enumerate((20, 70)):
        pixels = np.random.default_rng(number).integers(0, 90, (SIZE, SIZE, 3), dtype=np.uint8)
        pixels[30:80, left : left + 40] += 150
        box = np.array([[30, left, 80, left + 40]], np.float32) / SIZE
        rows.append(
            parser._parse_train_data(
                {
                    "image": tf.constant(pixels), "groundtruth_boxes": tf.constant(box),
                    "groundtruth_classes": tf.constant([number + 1], tf.int64),
                    "groundtruth_is_crowd": tf.constant([False]), "groundtruth_area": tf.constant([2000.0]),
                    "source_id": tf.constant(str(number)), "height": tf.constant(SIZE), "width": tf.constant(SIZE),
                }
            )
        )  # fmt: skip
    pictures, labels = zip(*rows, strict=True)
    return tf.stack(pictures), tf.nest.map_structure(lambda *each: tf.stack(each), *labels)


@pytest.mark.parametrize("key", [key for key, entry in ARCHITECTURES.items() if not entry.weights])
def test_an_architecture_is_as_it_is_shown_and_learns_two_pictures(key: str) -> None:
    import tensorflow as tf
    import tf_keras

    from training.pipeline import graphs

    tf.random.set_seed(1)
    task, model, experiment = _built(key)
    _check(key, model)
    batch, optimizer = _batch(experiment), tf_keras.optimizers.legacy.Adam(ARCHITECTURES[key].learning_rate)
    metrics = task.build_metrics(training=True)
    step = graphs.graph(lambda: task.train_step(batch, model, optimizer, metrics)["loss"])
    losses = [float(step()) for _ in range(25)]
    assert all(math.isfinite(loss) for loss in losses)
    assert min(losses[-3:]) < 0.8 * losses[0], losses
    _check_release(model.backbone, lambda: task.train_step(batch, model, optimizer, metrics))


def _check_release(backbone: Any, step: Callable[[], object]) -> None:
    """Its kernels learn when they are let, and its normalisation stays as it was; as in a training that goes on."""
    from training.pipeline import backbones

    norms = [layer for layer in backbone.submodules if hasattr(layer, "moving_variance")]
    backbone.trainable = False
    assert norms and not backbone.trainable_variables
    backbones.release(backbone, 64)
    kernels = backbone.trainable_variables
    before = [[variable.numpy() for norm in norms for variable in norm.variables], [each.numpy() for each in kernels]]
    step()
    after = [[variable.numpy() for norm in norms for variable in norm.variables], [each.numpy() for each in kernels]]
    assert all(np.array_equal(*pair) for pair in zip(before[0], after[0], strict=True))
    assert sum(not np.array_equal(*pair) for pair in zip(before[1], after[1], strict=True)) > 9
