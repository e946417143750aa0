"""Features of a frozen backbone that are used several times."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.pipeline.shapes import artwork, make_workdir

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.filterwarnings("ignore")]
BATCH = 4


@dataclasses.dataclass
class Counted:
    """The batches of a trainer's own input, and how many of them were taken."""

    trainer: Any
    taken: int = 0

    def __iter__(self) -> Iterator[Any]:
        for batch in self.trainer.task.build_inputs(self.trainer.experiment.task.train_data):
            self.taken += 1
            yield batch


@pytest.fixture(scope="module")
def trainer(offline_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from training.pipeline import stages, supervision, train

    workdir = tmp_path_factory.mktemp("run")
    rows = [artwork(workdir, number, "train" if number < 17 else "test") for number in range(1, 19)]
    make_workdir(workdir, rows, steps=9, input_size=128, batch_size=BATCH)
    run = stages.open_run(workdir, offline_weights, lambda event: None, supervision.Stop())
    for name in ("annotations", "partition", "augment", "tfrecord", "configure"):
        stages.STAGES[name](run)
    return train.build(run.config, run.memory["experiment"], run.manifest.labels, workdir, offline_weights)


def _replay(trainer: Any, batches: Iterator[Any], *, uses: int = 4, seed: int = 1) -> Any:
    from training.pipeline.replay import Replay

    return Replay(batches, trainer.model, least_level=3, uses=uses, seed=seed)


def test_the_losses_and_gradients_are_those_of_the_whole_model(trainer: Any) -> None:
    import tensorflow as tf

    from training.pipeline.replay import AfterBackbone, unpacked

    pictures, labels = next(iter(Counted(trainer)))
    features, targets = unpacked(next(_replay(trainer, iter([(pictures, labels)]))))

    def learn(model: Any, seen: Any, wanted: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            losses = trainer.task.build_losses(model(seen, training=True), wanted, aux_losses=model.losses)
        return [float(loss) for loss in losses], tape.gradient(losses[0], model.trainable_variables)

    whole, expected = learn(trainer.model, pictures, labels)
    own, found = learn(AfterBackbone(trainer.model), features, targets)
    assert own == pytest.approx(whole, rel=2e-3)
    assert sum(gradient is not None for gradient in found) > 20
    # Kept numbers are rounded, and where a gradient is next to nothing, the rounding is what is left of it: so each may
    # differ by a little of its own size and by a ten thousandth of the size of all together.
    everything = np.linalg.norm([np.linalg.norm(gradient) for gradient in expected if gradient is not None])
    large = [gradient for gradient in expected if gradient is not None and np.linalg.norm(gradient) > 0.01 * everything]
    assert len(large) > 9  # of these a little of their own size decides
    for one, other in zip(found, expected, strict=True):
        if other is None:  # of the layer before a classifier that a detector does not have
            assert one is None
            continue
        assert np.linalg.norm(one - other) <= 0.05 * np.linalg.norm(other) + 1e-4 * everything


def test_each_picture_is_used_as_often_as_wanted_and_no_batch_is_like_another(
    trainer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.pipeline import replay

    monkeypatch.setattr(replay, "_LEAST", 3 * BATCH)
    counted = Counted(trainer)
    batches = [next(own) for own in [_replay(trainer, iter(counted))] for _ in range(43)]
    assert counted.taken == 3 + 40 // 4
    firsts = {batch[0]["3"].numpy().tobytes() for batch in batches}
    assert len(firsts) == len(batches)


def test_one_seed_gives_one_order_and_another_another(trainer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.pipeline import replay

    monkeypatch.setattr(replay, "_LEAST", 2 * BATCH)
    made = list(zip(range(5), Counted(trainer), strict=False))
    pictures = [batch for _, batch in made]

    def order(seed: int) -> list[bytes]:
        own = _replay(trainer, iter(pictures), seed=seed)
        return [next(own)[0]["3"].numpy().tobytes() for _ in range(7)]

    assert order(1) == order(1)
    assert order(1) != order(2)


def test_where_memory_is_short_every_batch_is_a_new_one(trainer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.pipeline import replay

    monkeypatch.setattr(replay, "_LEAST", 2 * BATCH)
    monkeypatch.setattr(replay, "_MOST_BYTES", 1000)
    counted = Counted(trainer)
    own = _replay(trainer, iter(counted))
    for _ in range(6):
        next(own)
    assert counted.taken == 6


def test_the_oldest_pictures_make_room_for_new_ones(trainer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.pipeline import replay

    batch = next(_replay(trainer, iter(Counted(trainer))))
    each = sum(value.nbytes for value in (row.numpy() for row in _flat(batch)))
    monkeypatch.setattr(replay, "_LEAST", 2 * BATCH)
    monkeypatch.setattr(replay, "_MOST_BYTES", 2 * each)
    own = _replay(trainer, iter(Counted(trainer)), uses=1)
    last = [next(own)[0]["3"].numpy() for _ in range(3)]
    kept = own._kept[[id(row) for row in _flat(own._like)].index(id(own._like[0]["3"]))]
    assert np.array_equal(kept, np.concatenate([last[2], last[1]]))


def _flat(batch: Any) -> list[Any]:
    import tensorflow as tf

    return list(tf.nest.flatten(batch))
