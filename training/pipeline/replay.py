"""Train a pyramid and a head several times on what a frozen backbone makes of a picture.

A frozen backbone gives the same features for the same picture, and computing them, with decoding the picture, takes
more than half of a training step on a processor. So the last few hundred pictures' features and targets are kept in
memory, and only one batch in so many is a new one; the others are drawn from those kept (a replay buffer: L.-J. Lin,
Machine Learning 8, 1992). New batches are varied as before, so that no picture is seen in a single way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.pipeline import graphs

# What Model Garden's RetinaNet losses read.
_TARGETS = ("cls_targets", "box_targets", "cls_weights", "box_weights")
# So many pictures are kept before the first one is used again, or the first steps would all see the same.
_LEAST = 256
# What may be kept, in bytes: a thousand pictures of 256 × 256 pixels.
_MOST_BYTES = 400_000_000


class AfterBackbone:
    """The part of a RetinaNet `model` that comes after its backbone, as Model Garden's train step calls it."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __call__(self, features: Mapping[str, Any], training: bool) -> dict[str, Any]:
        """Raw class and box outputs by level, from the backbone's features by level."""
        model, levels = self._model, dict(features)
        if model.decoder:
            count = tf.shape(next(iter(levels.values())))[0]
            for level, needed in model.decoder.input.items():
                if level not in levels:  # the pyramid asks for it and does not use it
                    levels[level] = tf.zeros((count, *needed.shape[1:]))
            levels = model.decoder({level: levels[level] for level in model.decoder.input}, training=training)
        classes, boxes, _ = model.head(levels, training=training)
        return {"cls_outputs": classes, "box_outputs": boxes}

    @property
    def trainable_variables(self) -> list[Any]:
        """Those of the whole model; none of the frozen backbone's is among them."""
        return list(self._model.trainable_variables)

    @property
    def losses(self) -> list[Any]:
        """The regularisation of the whole model."""
        return list(self._model.losses)


class Replay:
    """Batches for `AfterBackbone`, packed (see `unpacked`), from Model Garden's `batches` of pictures and labels.

    Each picture is used `uses` times on the average, at random, repeatable by `seed`. Where too few fit into memory
    every batch is a new one.
    """

    def __init__(self, batches: Iterator[Any], model: Any, *, least_level: int, uses: int, seed: int) -> None:
        self._batches, self._uses = batches, uses
        self._random = np.random.default_rng(seed)
        self._kept: list[npt.NDArray[Any]] = []
        self._given = self._stored = 0

        @graphs.graph
        def look(pictures: Any, labels: Mapping[str, Any]) -> Any:
            features = model.backbone(pictures, training=True)
            needed = model.decoder.input if model.decoder else features
            used = {level: features[level] for level in needed if int(level) >= least_level}
            return _packed((used, {name: labels[name] for name in _TARGETS}))

        self._look = look

    def __iter__(self) -> Replay:
        return self

    def __next__(self) -> Any:
        self._given += 1
        if self._stored < _LEAST or self._given % self._uses == 0:
            batch = self._look(*next(self._batches))
            self._keep(batch)
            return batch
        count = min(self._stored, len(self._kept[0]))
        rows = self._random.choice(count, self._size, replace=False)
        return tf.nest.pack_sequence_as(self._like, [tf.constant(values[rows]) for values in self._kept])

    def _keep(self, batch: Any) -> None:
        """Keep a batch, in the place of the oldest one where there is no more room."""
        new = [values.numpy() for values in tf.nest.flatten(batch)]
        if not self._kept:
            self._like, self._size = batch, len(new[0])
            room = _MOST_BYTES // sum(values.nbytes for values in new) * self._size
            if room < _LEAST:
                return
            self._kept = [np.empty((room, *values.shape[1:]), values.dtype) for values in new]
        first = self._stored % len(self._kept[0])
        for kept, values in zip(self._kept, new, strict=True):
            kept[first : first + self._size] = values
        self._stored += self._size


def unpacked(batch: Any) -> Any:
    """Features and labels as Model Garden has them, of a batch from `Replay`."""
    return tf.nest.map_structure(lambda x: tf.cast(x, tf.float32 if x.dtype.is_floating else tf.int64), batch)


def _packed(batch: Any) -> Any:
    """Half the size and less: class numbers are small, and three digits are enough for features and targets."""
    return tf.nest.map_structure(lambda x: tf.cast(x, tf.float16 if x.dtype.is_floating else tf.int16), batch)
