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
from typing import Any, TypeAlias

import tensorflow as tf
import tf_keras
from official.vision.tasks.retinanet import RetinaNetTask

from training.pipeline import backbones, events, graphs, networks, pretrained_head, replay, summaries, transfer, weights
from training.pipeline.config import RunConfig, scoring_seconds
from training.pipeline.distribution import OFF, Distribution, SharedRetinaNetTask
from training.pipeline.evaluate import Evaluator
from training.pipeline.events import Metrics, OnEvent
from training.pipeline.manifest import LabelEntry
from training.pipeline.optimizers import TwoRates
from training.pipeline.pace import Pace, report_seconds
from training.pipeline.supervision import Stop, Stopped
from training.pipeline.translation import Phrase, gettext_noop

METRICS_SECONDS = 1.0
# Half a gigabyte on a slow disk must not be all that a training does: of its time, saving takes a twentieth at most.
_BETWEEN_SAVES = 20

# Trains with one batch.
OneStep: TypeAlias = Callable[[Any], None]


class Diverged(RuntimeError):
    """The loss is no number any more; the message says what to try."""


@dataclass
class Trainer:
    """A model in training and what belongs to it; all from the model on is part of the checkpoint.

    `step` counts finished steps, `seconds` the time that they and the evaluations between them have taken. The machine
    whose the run is keeps `checkpoints`; others that train along write theirs to a folder that nobody reads.
    """

    config: RunConfig
    experiment: Any
    task: Any
    distribution: Distribution
    checkpoints: Any
    model: Any
    optimizer: TwoRates
    step: Any
    seconds: Any


def build(
    config: RunConfig,
    experiment: Any,
    labels: Sequence[LabelEntry],
    workdir: Path,
    weights_dir: Path,
    distribution: Distribution | None = None,
) -> Trainer:
    """A model of `labels` with a pretrained backbone or all that an earlier detector has learnt.

    Where WORKDIR/checkpoints holds a checkpoint, as that left it. Raises WeightsError, ConfigError.
    """
    tf_keras.utils.set_random_seed(config.seed)  # of TensorFlow, and of the initial weights
    distribution = distribution or Distribution(OFF)
    with distribution.scope():
        if distribution.is_shared:
            experiment.task.model.norm_activation.use_sync_bn = True
        task, model = networks.build(experiment, SharedRetinaNetTask if distribution.is_shared else RetinaNetTask)
        optimizer = TwoRates(experiment.trainer.optimizer_config, model.backbone, config.backbone_rate)
        step = tf.Variable(0, dtype=tf.int64, trainable=False)
        seconds = tf.Variable(0.0, dtype=tf.float64, trainable=False)
        checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, step=step, seconds=seconds)
        if not restore(checkpoint, workdir / "checkpoints"):
            _begin(model, config, labels, weights_dir)
        if config.weights:
            backbones.keep_normalisation(model.backbone)
    folder = workdir / ("checkpoints" if distribution.is_chief else f"checkpoints.{distribution.rank}")
    checkpoints = tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=2)
    return Trainer(config, experiment, task, distribution, checkpoints, model, optimizer, step, seconds)


def _begin(model: Any, config: RunConfig, labels: Sequence[LabelEntry], weights_dir: Path) -> None:
    """Give a new model what it is to begin with."""
    if config.start:
        transfer.go_on_from(Path(config.start), model, config, labels)
    elif config.weights:
        backbones.load_into(model.backbone, config.weights, weights.find(weights_dir, config.weights))
        if config.pretrained_head:
            pretrained_head.load_into(model, config.pretrained_head, labels)


def restore(checkpoint: Any, folder: Path) -> bool:
    """Bring everything to where the last checkpoint in `folder` left it; False where there is none.

    One that cannot be read, as after a power cut, is passed over for the one before. Raises ValueError, IndexError or
    tf.errors.OpError where none can be read.
    """
    fault: Exception | None = None
    # Not by TensorFlow's own list of them, which may be what was lost.
    for index in sorted(folder.glob("ckpt-*.index"), key=lambda path: int(path.stem.rpartition("-")[2]), reverse=True):
        try:
            checkpoint.restore(str(index.with_suffix("")))
            return True
        except (ValueError, IndexError, tf.errors.OpError) as error:
            fault = fault or error
    if fault:
        raise fault
    return False


def train(
    trainer: Trainer, workdir: Path, evaluator: Evaluator, *, seconds: float | None, on_event: OnEvent, stop: Stop
) -> None:
    """Train until there is just time for the export in `seconds`, all tries together; None: to the last step.

    On a stop, saves a checkpoint and raises Stopped. `evaluator`: scores the test part on the way.
    """
    scoring = scoring_seconds(evaluator.picture_count, trainer.config.enlarged)
    pace = Pace(
        trainer.config,
        seconds,
        step=int(trainer.step.numpy()),
        spent=float(trainer.seconds.numpy()),
        evaluation_seconds=scoring,
        after=scoring,
    )
    report = _Report(trainer, pace, workdir, on_event)
    report.begin()
    saved, took = time.monotonic(), 0.0
    for before in _steps(trainer, pace, report):
        overdue = time.monotonic() - saved > max(trainer.config.checkpoint_seconds, took * _BETWEEN_SAVES)
        # Machines that train together do the same at the same time: reading a variable takes all of them.
        stopping, saving, telling, evaluating = trainer.distribution.agree(
            stop.wanted(), overdue, report.is_due(), pace.is_evaluation_due(before)
        )
        if telling or saving or stopping:
            report.tell()  # first: a model whose loss is no number must not be saved
        if saving or stopping:
            began = time.monotonic()
            _save(trainer, pace)
            saved = time.monotonic()
            took = saved - began
        if stopping:
            raise Stopped
        if evaluating:
            _score(trainer, pace, evaluator, report, stop)
    report.tell()
    _save(trainer, pace)


def _score(trainer: Trainer, pace: Pace, evaluator: Evaluator, report: _Report, stop: Stop) -> None:
    """Score the test part on the way. On a stop, saves a checkpoint and raises Stopped."""
    try:
        with report.paused():
            # Of several machines none may leave the others alone.
            scores, _ = evaluator.evaluate(stop.check if trainer.distribution.machines == 1 else lambda: None)
    except Stopped:
        _save(trainer, pace)
        raise
    report.evaluated(scores)


def _steps(trainer: Trainer, pace: Pace, report: _Report) -> Iterator[float]:
    """Train one step after the other; give the progress before each."""
    distribution = trainer.distribution
    data = trainer.experiment.task.train_data
    data.seed = trainer.config.seed + pace.step  # a resumed run goes on with another shuffle
    pictures = distribution.batches(graphs.inputs(trainer.task, data))
    batches, one = _frozen(trainer, pictures, report.metrics)
    released = False
    pace.follow(*distribution.agree(pace.own_progress))
    while (before := pace.progress) < 1:
        if not released and before >= trainer.config.release_at:
            backbones.release(trainer.model.backbone, trainer.config.release_channels)
            batches, one, released = pictures, _compiled(trainer, report.metrics), True
            report.compiles()
        trainer.optimizer.set_rate(pace.learning_rate())
        one(next(batches))
        pace.step += 1
        pace.follow(*distribution.agree(pace.own_progress))
        report.trained()
        yield before


def _frozen(trainer: Trainer, pictures: Iterator[Any], metrics: list[Any]) -> tuple[Iterator[Any], OneStep]:
    """Batches, and a step to train with each, while the backbone stays as it is; of `pictures` where it does not."""
    config = trainer.config
    if not config.freeze_backbone or config.feature_uses == 1 or trainer.distribution.is_shared:
        return pictures, _compiled(trainer, metrics)
    level, seed = trainer.experiment.task.model.min_level, trainer.experiment.task.train_data.seed
    batches = replay.Replay(pictures, trainer.model, least_level=level, uses=config.feature_uses, seed=seed)
    rest = replay.AfterBackbone(trainer.model)

    @graphs.graph
    def one(batch: Any) -> None:
        trainer.task.train_step(replay.unpacked(batch), rest, trainer.optimizer, metrics)

    return batches, one


def _compiled(trainer: Trainer, metrics: list[Any]) -> OneStep:
    """One step of what can be trained now, as a graph."""

    @graphs.graph
    def one(batch: Any) -> None:
        trainer.distribution.strategy.run(trainer.task.train_step, (batch, trainer.model, trainer.optimizer, metrics))

    return one  # type: ignore[no-any-return]


def _save(trainer: Trainer, pace: Pace) -> None:
    trainer.step.assign(pace.step)
    trainer.seconds.assign(pace.elapsed)
    trainer.checkpoints.save(checkpoint_number=pace.step)


class _Report:
    """Turns steps into events about once a second, and into TensorBoard summaries; only the first machine speaks."""

    def __init__(self, trainer: Trainer, pace: Pace, workdir: Path, on_event: OnEvent) -> None:
        self._trainer, self._pace, self._on_event = trainer, pace, on_event
        self._is_chief = trainer.distribution.is_chief
        self._writer = summaries.writer(workdir) if self._is_chief else tf.summary.create_noop_writer()
        with trainer.distribution.scope():
            self.metrics: list[Any] = trainer.task.build_metrics(training=True)
        self._since, self._steps = time.monotonic(), 0
        self._every = report_seconds(trainer.config.minutes, METRICS_SECONDS)
        self._warm = self._compiled = False

    def begin(self) -> None:
        """Say what those who watch will wait for in vain."""
        if self._is_chief and not self._pace.may_evaluate:
            text = gettext_noop("Scoring the test artworks takes long, so it is done at the end only.")
            self._on_event(events.log(Phrase(text)))

    def trained(self) -> None:
        """Count a step."""
        self._steps += 1
        if not self._warm:  # the first step builds the graph and would spoil every estimate
            if not self._compiled:
                self._pace.compiled(time.monotonic() - self._since)
            self._warm = self._compiled = True
            self._since, self._steps = time.monotonic(), 0

    def is_due(self) -> bool:
        """Whether there are steps that nobody knows of, for a second and more (of a long training for some seconds)."""
        return self._steps > 0 and time.monotonic() - self._since >= self._every

    def tell(self) -> None:
        """Tell how the steps since the last time went, where there were any."""
        if not self._steps:
            return
        elapsed = time.monotonic() - self._since
        self._tell(self._point(self._pace.measured(self._steps, elapsed)))
        for metric in self.metrics:
            metric.reset_state()
        self._since, self._steps = time.monotonic(), 0

    def compiles(self) -> None:
        """The next step builds a graph again."""
        self._warm = False

    def evaluated(self, scores: dict[str, Any]) -> None:
        """Tell the scores of now."""
        if not self._is_chief:
            return
        self._on_event(events.evaluation(self._pace.step, scores))
        summaries.write_scores(self._writer, self._pace.step, scores)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """What goes on in here counts as evaluation, not as training."""
        started = time.monotonic()
        yield
        seconds = time.monotonic() - started
        self._pace.evaluation_took(seconds)
        self._since += seconds

    def _point(self, step_seconds: float) -> Metrics:
        pace = self._pace
        values = {metric.name: float(metric.result()) for metric in self.metrics}
        if not math.isfinite(values["total_loss"]):
            text = gettext_noop(
                "The training lost its way at step %(step)d: the loss is no number any more. Start it again."
            )
            raise Diverged(Phrase(text, step=pace.step))
        return Metrics(
            step=pace.step,
            total_steps=pace.total_steps,
            loss=round(values["model_loss"], 5),
            box_loss=round(values["model_loss"] - values["cls_loss"], 5),
            class_loss=round(values["cls_loss"], 5),
            learning_rate=pace.learning_rate(),
            images_per_second=round(pace.config.batch_size / step_seconds, 2),
            seconds_left=round(pace.seconds_left + pace.after, 1),
        )

    def _tell(self, point: Metrics) -> None:
        if not self._is_chief:
            return
        self._on_event(events.metrics(point))
        with self._writer.as_default(step=point.step):
            for name in ("loss", "box_loss", "class_loss", "learning_rate", "images_per_second"):
                tf.summary.scalar(f"train/{name}", getattr(point, name))
