"""Stage 6, train: an own loop over Model Garden's train step, with checkpoints, live metrics and scores on the way.

A detector starts from pretrained backbone weights, never from the test part: that one is only read by the evaluator.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from training.pipeline import backbones, events, networks, pretrained_head, transfer, weights
from training.pipeline.annotations import Coco
from training.pipeline.config import RunConfig
from training.pipeline.evaluate import Evaluator
from training.pipeline.events import Metrics, OnEvent
from training.pipeline.manifest import LabelEntry
from training.pipeline.optimizers import TwoRates
from training.pipeline.pace import Pace
from training.pipeline.supervision import Stop, Stopped
from training.pipeline.translation import Phrase, gettext_noop

METRICS_SECONDS = 1.0


class Diverged(RuntimeError):
    """The loss is no number any more; the message says what to try."""


@dataclass
class Trainer:
    """A model in training and what belongs to it; all but the first four is part of the checkpoint.

    `step` counts finished steps, `seconds` the time that they and the evaluations between them have taken.
    """

    config: RunConfig
    experiment: Any
    task: Any
    checkpoints: Any
    model: Any
    optimizer: TwoRates
    step: Any
    seconds: Any


def build(
    config: RunConfig, experiment: Any, labels: Sequence[LabelEntry], workdir: Path, weights_dir: Path
) -> Trainer:
    """A model of `labels` with a pretrained backbone or all that an earlier detector has learnt.

    Where WORKDIR/checkpoints holds a checkpoint, as that left it. Raises WeightsError, ConfigError.
    """
    tf.random.set_seed(config.seed)
    task, model = networks.build(experiment)
    optimizer = TwoRates(experiment.trainer.optimizer_config, model.backbone, config.backbone_rate)
    step = tf.Variable(0, dtype=tf.int64, trainable=False)
    seconds = tf.Variable(0.0, dtype=tf.float64, trainable=False)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, step=step, seconds=seconds)
    checkpoints = tf.train.CheckpointManager(checkpoint, str(workdir / "checkpoints"), max_to_keep=2)
    if checkpoints.latest_checkpoint:
        checkpoint.restore(checkpoints.latest_checkpoint)
    elif config.start:
        transfer.go_on_from(Path(config.start), model, config, labels)
    elif config.weights:
        backbones.load_into(model.backbone, config.weights, weights.find(weights_dir, config.weights))
        if config.pretrained_head:
            pretrained_head.load_into(model, config.pretrained_head, labels)
    if config.weights:
        backbones.keep_normalisation(model.backbone)
    return Trainer(config, experiment, task, checkpoints, model, optimizer, step, seconds)


def train(
    trainer: Trainer, workdir: Path, truth: Coco, *, seconds: float | None, on_event: OnEvent, stop: Stop
) -> None:
    """Train to the end of the time, `seconds` in all tries, or to the last step where there is none.

    On a stop, saves a checkpoint and raises Stopped. `truth`: COCO of the test part.
    """
    evaluator = Evaluator(trainer.task, trainer.experiment, trainer.model, truth)
    pace = Pace(trainer.config, seconds, step=int(trainer.step), spent=float(trainer.seconds))
    report = _Report(trainer, pace, workdir, on_event)
    saved = time.monotonic()
    try:
        for before in _steps(trainer, pace, report):
            stop.check()
            if time.monotonic() - saved > trainer.config.checkpoint_seconds:
                _save(trainer, pace)
                saved = time.monotonic()
            if pace.is_evaluation_due(before):
                with report.paused():
                    scores, _ = evaluator.evaluate(stop.check)
                report.evaluated(scores)
    except Stopped:
        _save(trainer, pace)
        raise
    _save(trainer, pace)


def _steps(trainer: Trainer, pace: Pace, report: _Report) -> Iterator[float]:
    """Train one step after the other; give the progress before each."""
    metrics = trainer.task.build_metrics(training=True)
    data = trainer.experiment.task.train_data
    data.seed = trainer.config.seed + pace.step  # a resumed run goes on with another shuffle
    batches = iter(trainer.task.build_inputs(data))
    one, released = _compiled(trainer, metrics), False
    while (before := pace.progress) < 1:
        if not released and before >= trainer.config.release_at:
            backbones.release(trainer.model.backbone, trainer.config.release_channels)
            one, released = _compiled(trainer, metrics), True
            report.compiles()
        trainer.optimizer.set_rate(pace.learning_rate())
        one(next(batches))
        pace.step += 1
        report.trained(metrics)
        yield before


def _compiled(trainer: Trainer, metrics: list[Any]) -> Callable[[Any], None]:
    """One step of what can be trained now, as a graph."""

    @tf.function  # type: ignore[untyped-decorator]
    def one(batch: Any) -> None:
        trainer.task.train_step(batch, trainer.model, trainer.optimizer, metrics)

    return one  # type: ignore[no-any-return]


def _save(trainer: Trainer, pace: Pace) -> None:
    trainer.step.assign(pace.step)
    trainer.seconds.assign(pace.elapsed)
    trainer.checkpoints.save(checkpoint_number=pace.step)


class _Report:
    """Turns steps into events about once a second, and into TensorBoard summaries."""

    def __init__(self, trainer: Trainer, pace: Pace, workdir: Path, on_event: OnEvent) -> None:
        self._trainer, self._pace, self._on_event = trainer, pace, on_event
        self._writer = tf.summary.create_file_writer(str(workdir / "summaries"))
        self._since, self._steps = time.monotonic(), 0
        self._warm = False

    def trained(self, metrics: list[Any]) -> None:
        """Count a step; tell when a second has passed or the training is over."""
        self._steps += 1
        if not self._warm:  # the first step builds the graph and would spoil every estimate
            self._warm, self._since, self._steps = True, time.monotonic(), 0
            return
        elapsed = time.monotonic() - self._since
        if elapsed < METRICS_SECONDS and self._pace.progress < 1:
            return
        self._tell(self._point(metrics, self._pace.measured(self._steps, elapsed)))
        for metric in metrics:
            metric.reset_state()
        self._since, self._steps = time.monotonic(), 0

    def compiles(self) -> None:
        """The next step builds a graph again."""
        self._warm = False

    def evaluated(self, scores: dict[str, Any]) -> None:
        """Tell the scores of now."""
        self._on_event(events.evaluation(self._pace.step, scores))
        with self._writer.as_default(step=self._pace.step):
            for name in ("AP", "AP50", "AP75"):
                tf.summary.scalar(f"test/{name}", scores[name])

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """What goes on in here counts as evaluation, not as training."""
        started = time.monotonic()
        yield
        seconds = time.monotonic() - started
        self._pace.evaluation_took(seconds)
        self._since += seconds

    def _point(self, metrics: list[Any], step_seconds: float) -> Metrics:
        pace = self._pace
        values = {metric.name: float(metric.result()) for metric in metrics}
        if not math.isfinite(values["total_loss"]):
            text = gettext_noop(
                "The training lost its way at step %(step)d: the loss is no number any more. Start it again."
            )
            raise Diverged(Phrase(text, step=pace.step))
        return Metrics(
            step=pace.step,
            total_steps=pace.total_steps,
            loss=round(values["model_loss"], 5),
            box_loss=round(values["box_loss"] * self._trainer.experiment.task.losses.box_loss_weight, 5),
            class_loss=round(values["cls_loss"], 5),
            learning_rate=pace.learning_rate(),
            images_per_second=round(pace.config.batch_size / step_seconds, 2),
            seconds_left=round(pace.seconds_left, 1),
        )

    def _tell(self, point: Metrics) -> None:
        self._on_event(events.metrics(point))
        with self._writer.as_default(step=point.step):
            for name in ("loss", "box_loss", "class_loss", "learning_rate", "images_per_second"):
                tf.summary.scalar(f"train/{name}", getattr(point, name))
