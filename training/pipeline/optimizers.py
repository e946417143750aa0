"""An optimizer that lets what was pretrained learn more slowly than what is new.

Discriminative rates: J. Howard, S. Ruder, arXiv 1801.06146.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf
from official.modeling import optimization


class TwoRates(tf.Module):  # type: ignore[misc]
    """Two of Model Garden's optimizers behind the one method that its train step calls.

    The variables of `backbone` learn at `share` of the rate of all others.
    """

    def __init__(self, config: optimization.OptimizationConfig, backbone: Any, share: float) -> None:
        super().__init__()
        self._backbone, self._share = backbone, share
        self._rates = [tf.Variable(0.0, trainable=False) for _ in range(2)]
        factory = optimization.OptimizerFactory(config)
        self._head, self._pretrained = (factory.build_optimizer(rate) for rate in self._rates)

    def set_rate(self, rate: float) -> None:
        """The learning rate of the next steps."""
        self._rates[0].assign(rate)
        self._rates[1].assign(rate * self._share)

    def apply_gradients(self, pairs: Iterable[tuple[Any, Any]]) -> None:
        """Change variables by their gradients; `pairs` are (gradient, variable)."""
        pretrained = {variable.ref() for variable in self._backbone.trainable_variables}
        parts: tuple[list[Any], list[Any]] = ([], [])
        for gradient, variable in pairs:
            parts[variable.ref() in pretrained].append((gradient, variable))
        self._head.apply_gradients(parts[0])
        if parts[1]:
            self._pretrained.apply_gradients(parts[1])
