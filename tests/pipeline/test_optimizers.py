"""Two rates: what was pretrained learns more slowly than what is new, and not at all before it is released."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
RATE, SHARE = 0.01, 0.3


class Small:
    """A detector in small: a backbone of three layers, the second of which is normalisation, and a head."""

    def __init__(self) -> None:
        import tf_keras
        from official.modeling import optimization

        from training.pipeline.optimizers import TwoRates

        tf_keras.utils.set_random_seed(1)
        layers = tf_keras.layers
        self.early, self.norm, self.late = layers.Dense(6), layers.BatchNormalization(), layers.Dense(6)
        self.backbone = tf_keras.Sequential([self.early, self.norm, self.late])
        self.head = layers.Dense(2)
        self.model = tf_keras.Sequential([self.backbone, self.head])
        self.model.build((None, 4))
        self.backbone.trainable = False
        plan = {
            "optimizer": {"type": "adam", "adam": {"clipnorm": 10.0}},
            "learning_rate": {"type": "constant", "constant": {"learning_rate": 1.0}},
        }
        self.optimizer = TwoRates(optimization.OptimizationConfig(plan), self.backbone, SHARE)

    def release(self) -> None:
        """As `backbones.release` does: late layers learn, early ones and normalisation do not."""
        self.backbone.trainable = True
        self.early.trainable = self.norm.trainable = False

    def step(self) -> dict[str, float]:
        """One step as Model Garden's task does it; how far the weights of each layer have moved, at the most."""
        import tensorflow as tf

        parts = {"early": self.early, "norm": self.norm, "late": self.late, "head": self.head}
        before = {name: [each.numpy() for each in layer.variables] for name, layer in parts.items()}
        pictures = tf.constant(np.random.default_rng(3).normal(size=(16, 4)), tf.float32)
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            # Far from what it says now, so that every gradient is large and Adam's first step is the rate itself.
            loss = tf.reduce_mean((self.model(pictures, training=False) - 50.0) ** 2)
        self.optimizer.apply_gradients(list(zip(tape.gradient(loss, variables), variables, strict=True)))
        return {name: _moved(before[name], layer) for name, layer in parts.items()}


def _moved(before: list[Any], layer: Any) -> float:
    return max(float(np.abs(new.numpy() - old).max()) for old, new in zip(before, layer.variables, strict=True))


def test_before_the_release_the_head_alone_learns() -> None:
    small = Small()
    small.optimizer.set_rate(RATE)
    for _ in range(3):
        moved = small.step()
        assert moved["head"] > 0.5 * RATE
        assert moved["early"] == moved["norm"] == moved["late"] == 0.0
    assert int(small.optimizer._pretrained.iterations) == 0, "its moments begin with the release"


def test_after_it_the_released_layers_learn_at_their_share_of_the_rate_and_no_others() -> None:
    small = Small()
    small.optimizer.set_rate(RATE)
    for _ in range(3):
        small.step()
    small.release()
    moved = small.step()
    assert moved["late"] == pytest.approx(RATE * SHARE, rel=0.01), "the first step of Adam is the rate"
    assert moved["head"] == pytest.approx(RATE, rel=0.2)
    assert moved["early"] == moved["norm"] == 0.0


def test_a_new_rate_is_that_of_the_next_step() -> None:
    small = Small()
    small.release()
    for rate in (RATE, 0.1 * RATE):
        small.optimizer.set_rate(rate)
        moved = small.step()
        assert moved["head"] == pytest.approx(rate, rel=0.2) and moved["late"] == pytest.approx(rate * SHARE, rel=0.2)
    small.optimizer.set_rate(0.0)
    assert not any(small.step().values())


def test_a_graph_that_was_compiled_before_follows_the_rate() -> None:
    """The training compiles its step once and sets the rate before each."""
    import tensorflow as tf

    small = Small()
    small.release()
    kernel, bias = small.late.variables
    apply = tf.function(lambda: small.optimizer.apply_gradients([(tf.ones_like(kernel), kernel)]), autograph=False)
    before = bias.numpy()
    for rate in (RATE, 0.5 * RATE):
        small.optimizer.set_rate(rate)
        old = kernel.numpy()
        apply()
        assert np.abs(kernel.numpy() - old) == pytest.approx(np.full(kernel.shape, rate * SHARE), rel=0.01)
    assert np.array_equal(bias.numpy(), before)
