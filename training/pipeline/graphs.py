"""Graphs of Python functions whose `if` and `for` are Python's own.

AutoGraph rewrites the source of all that is called so that a tensor may decide as well. Model Garden's detectors never
let one, and the rewriting took eight seconds of every run. Where a tensor does decide, TensorFlow raises.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def graph(function: Callable[..., Any]) -> Any:
    """`tf.function`: a graph for each structure and type of arguments; sizes of tensors may change."""
    return tf.function(function, autograph=False, reduce_retracing=True)


def inputs(task: Any, data: Any) -> Any:
    """The dataset of pictures and labels that a Model Garden `task` reads as its `data` configuration says."""
    return tf.autograph.experimental.do_not_convert(task.build_inputs)(data)
