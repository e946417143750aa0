"""Going on from checkpoints, also where a power cut has left only a part of the last one."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def saved(tmp_path: Path) -> Any:
    """What is saved: its step was 3 at one checkpoint and 7 at the next one, and is 0 now."""
    import tensorflow as tf

    step = tf.Variable(0)
    checkpoint = tf.train.Checkpoint(step=step, weights=tf.Variable(tf.random.normal([1000])))
    manager = tf.train.CheckpointManager(checkpoint, str(tmp_path), max_to_keep=2)
    for number in (3, 7):
        step.assign(number)
        manager.save(checkpoint_number=number)
    step.assign(0)
    return checkpoint


def test_the_last_one_is_gone_on_from(saved: Any, tmp_path: Path) -> None:
    from training.pipeline.train import restore

    assert restore(saved, tmp_path)
    assert saved.step == 7
    assert not restore(saved, tmp_path / "empty")


@pytest.mark.parametrize("lost", ["ckpt-7.data-00000-of-00001", "ckpt-7.index", "checkpoint"], ids=str)
@pytest.mark.parametrize("left", [0, 100], ids=["emptied", "cut-off"])
def test_one_that_cannot_be_read_is_passed_over(saved: Any, tmp_path: Path, lost: str, left: int) -> None:
    from training.pipeline.train import restore

    (tmp_path / lost).write_bytes((tmp_path / lost).read_bytes()[:left])
    assert restore(saved, tmp_path)
    assert saved.step == (7 if lost == "checkpoint" else 3)


def test_where_none_can_be_read_nobody_begins_anew_in_silence(saved: Any, tmp_path: Path) -> None:
    import tensorflow as tf

    from training.pipeline.train import restore

    for file in tmp_path.glob("*.data*"):
        file.write_bytes(b"")
    with pytest.raises((ValueError, IndexError, tf.errors.OpError)):
        restore(saved, tmp_path)
