"""Graphs of Python functions whose `if` and `for` are Python's own.

AutoGraph rewrites the source of all that is called so that a tensor may decide as well. Model Garden's detectors never
let one, and the rewriting took eight seconds of every run. Where a tensor does decide, TensorFlow raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf


def graph(function: Callable[..., Any]) -> Any:
    """`tf.function`: a graph for each structure and type of arguments; sizes of tensors may change."""
    return tf.function(function, autograph=False, reduce_retracing=True)


# See `reader`.
_readers: list[Any] = []


def reader(dataset: Any) -> Iterator[Any]:
    """An iterator over a `tf.data` dataset that is never let go.

    Where one is, TensorFlow waits until the thread that tunes it has slept out: up to a minute after a long training.
    Without somebody who asks, it reads a little ahead and rests; the process ends without it.
    """
    _readers.append(iter(dataset))
    return _readers[-1]  # type: ignore[no-any-return]


def inputs(task: Any, data: Any) -> Any:
    """The dataset of pictures and labels that a Model Garden `task` reads as its `data` configuration says.

    The parser draws by chance how each picture is moved and mirrored, and of several threads any may draw first: two
    trainings of one seed would see different pictures. One thread reads 130 a second, of which a training on two cores
    takes 40 at most (more cores were not measured); a graphics card may want more, and adds up in another order each
    time anyway.
    """
    dataset = tf.autograph.experimental.do_not_convert(task.build_inputs)(data)
    if data.is_training and not tf.config.list_physical_devices("GPU"):
        options = tf.data.Options()
        options.threading.private_threadpool_size = 1
        dataset = dataset.with_options(options)
    return dataset
