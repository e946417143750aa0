"""Stage 6, train: an own loop over Model Garden's train step, with checkpoints, live metrics and scores on the way.

A detector starts from pretrained backbone weights, never from the test part: that one is only read by the evaluator.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf
from official.modeling import optimization
from official.vision.tasks.retinanet import RetinaNetTask

from training.pipeline import backbones, events, weights
from training.pipeline.annotations import Coco
from training.pipeline.config import RunConfig
from training.pipeline.evaluate import Evaluator
from training.pipeline.events import Metrics, OnEvent
from training.pipeline.supervision import Stop, Stopped
from training.pipeline.translation import Phrase, gettext_noop

METRICS_SECONDS = 1.0


class Diverged(RuntimeError):
    """The loss is no number any more; the message says what to try."""


@dataclass
class Trainer:
    """A model in training and what belongs to it. `step` counts finished steps and is part of the checkpoint."""

    config: RunConfig
    experiment: Any
    task: Any
    model: Any
    optimizer: Any
    learning_rate: Any
    step: Any
    checkpoints: Any


def build(config: RunConfig, experiment: Any, workdir: Path, weights_dir: Path) -> Trainer:
    """A model with a pretrained backbone, or as the last checkpoint in WORKDIR/checkpoints left it.

    Raises WeightsError.
    """
    tf.random.set_seed(config.seed)
    task = RetinaNetTask(experiment.task)
    model = task.build_model()
    factory = optimization.OptimizerFactory(experiment.trainer.optimizer_config)
    learning_rate = factory.build_learning_rate()
    optimizer = factory.build_optimizer(learning_rate)
    step = tf.Variable(0, dtype=tf.int64, trainable=False)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, step=step)
    checkpoints = tf.train.CheckpointManager(checkpoint, str(workdir / "checkpoints"), max_to_keep=2)
    if checkpoints.latest_checkpoint:
        checkpoint.restore(checkpoints.latest_checkpoint)
        if config.weights:
            backbones.keep_normalisation(model.backbone)
    elif config.weights:
        backbones.load_into(model.backbone, config.weights, weights.find(weights_dir, config.weights))
    return Trainer(config, experiment, task, model, optimizer, learning_rate, step, checkpoints)


def train(trainer: Trainer, workdir: Path, truth: Coco, *, on_event: OnEvent, stop: Stop) -> None:
    """Train to the last step. On a stop, saves a checkpoint and raises Stopped. `truth`: COCO of the test part."""
    evaluator = Evaluator(trainer.task, trainer.experiment, trainer.model, truth)
    report = _Report(trainer, workdir, on_event)
    saved = time.monotonic()
    try:
        for step in _steps(trainer, report):
            stop.check()
            if time.monotonic() - saved > trainer.config.checkpoint_seconds:
                _save(trainer)
                saved = time.monotonic()
            if step in _evaluation_steps(trainer.config):
                with report.paused():
                    scores, _ = evaluator.evaluate(stop.check)
                report.evaluated(step, scores)
    except Stopped:
        _save(trainer)
        raise
    _save(trainer)


def _steps(trainer: Trainer, report: _Report) -> Iterator[int]:
    """Train one step after the other; give the number of the one just finished."""
    metrics = trainer.task.build_metrics(training=True)
    data = trainer.experiment.task.train_data
    data.seed = trainer.config.seed + int(trainer.step)  # a resumed run goes on with another shuffle

    @tf.function  # type: ignore[untyped-decorator]
    def one(batch: Any) -> None:
        trainer.task.train_step(batch, trainer.model, trainer.optimizer, metrics)

    batches = iter(trainer.task.build_inputs(data))
    for step in range(int(trainer.step) + 1, trainer.config.steps + 1):
        one(next(batches))
        trainer.step.assign(step)
        report.trained(step, metrics)
        yield step


def _save(trainer: Trainer) -> None:
    trainer.checkpoints.save(checkpoint_number=int(trainer.step))


def _evaluation_steps(config: RunConfig) -> set[int]:
    """Evenly spread, without the last step: the evaluation stage scores the finished detector."""
    return {round(config.steps * i / config.evaluations) for i in range(1, config.evaluations)}


class _Report:
    """Turns steps into events about once a second, and into TensorBoard summaries."""

    def __init__(self, trainer: Trainer, workdir: Path, on_event: OnEvent) -> None:
        self._trainer, self._on_event = trainer, on_event
        self._writer = tf.summary.create_file_writer(str(workdir / "summaries"))
        self._since, self._steps = time.monotonic(), 0
        self._step_seconds = 0.0
        self._evaluation_seconds = 0.0
        self._warm = False

    def trained(self, step: int, metrics: list[Any]) -> None:
        """Count a step; tell when a second has passed or the training is over."""
        self._steps += 1
        if not self._warm:  # the first step builds the graph and would spoil every estimate
            self._warm, self._since, self._steps = True, time.monotonic(), 0
            return
        elapsed = time.monotonic() - self._since
        if elapsed < METRICS_SECONDS and step < self._trainer.config.steps:
            return
        recent = elapsed / self._steps
        self._step_seconds = recent if not self._step_seconds else 0.8 * self._step_seconds + 0.2 * recent
        self._tell(self._point(step, metrics, recent))
        for metric in metrics:
            metric.reset_state()
        self._since, self._steps = time.monotonic(), 0

    def evaluated(self, step: int, scores: dict[str, Any]) -> None:
        """Tell the scores after `step` steps."""
        self._on_event(events.evaluation(step, scores))
        with self._writer.as_default(step=step):
            for name in ("AP", "AP50", "AP75"):
                tf.summary.scalar(f"test/{name}", scores[name])

    def paused(self) -> _Pause:
        """A context whose time counts as evaluation, not as training."""
        return _Pause(self)

    def add_pause(self, seconds: float) -> None:
        """Remember how long an evaluation takes and leave it out of the training speed."""
        self._evaluation_seconds = seconds
        self._since += seconds

    def _point(self, step: int, metrics: list[Any], step_seconds: float) -> Metrics:
        config = self._trainer.config
        values = {metric.name: float(metric.result()) for metric in metrics}
        if not math.isfinite(values["total_loss"]):
            text = gettext_noop(
                "The training lost its way at step %(step)d: the loss is no number any more. Start it again."
            )
            raise Diverged(Phrase(text, step=step))
        evaluations = sum(other > step for other in _evaluation_steps(config))
        left = (config.steps - step) * self._step_seconds + evaluations * self._evaluation_seconds
        return Metrics(
            step=step,
            total_steps=config.steps,
            loss=round(values["model_loss"], 5),
            box_loss=round(values["box_loss"] * self._trainer.experiment.task.losses.box_loss_weight, 5),
            class_loss=round(values["cls_loss"], 5),
            learning_rate=float(self._trainer.learning_rate(step)),
            images_per_second=round(config.batch_size / step_seconds, 2),
            seconds_left=round(left, 1),
        )

    def _tell(self, point: Metrics) -> None:
        self._on_event(events.metrics(point))
        with self._writer.as_default(step=point.step):
            for name in ("loss", "box_loss", "class_loss", "learning_rate", "images_per_second"):
                tf.summary.scalar(f"train/{name}", getattr(point, name))


class _Pause:
    def __init__(self, report: _Report) -> None:
        self._report = report

    def __enter__(self) -> None:
        self._started = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._report.add_pause(time.monotonic() - self._started)
