"""Trainings that cannot go on, or whose supervisor is gone: told in a sentence, and nothing is lost or left."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.processes import ROOT, finish, is_gone, of, start
from tests.pipeline.shapes import artwork, make_workdir

# Ten times what it takes on two idle cores.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    rows = [artwork(tmp_path, number, "test" if number == 4 else "train") for number in range(1, 5)]
    return make_workdir(tmp_path, rows)


def test_a_model_that_lost_its_way_is_told_and_never_saved(small: Path, offline_weights: Path) -> None:
    plan = {**json.loads((small / "config.json").read_text()), "steps": 60, "input_size": 128, "batch_size": 2}
    (small / "config.json").write_text(json.dumps({**plan, "learning_rate": 1e30, "checkpoint_seconds": 0.0}))
    code, events = finish(start("training.pipeline", small, offline_weights))
    assert code == 1
    assert "lost its way" in of(events, "error")[-1]["message"]
    kept = [int(file.stem.split("-")[-1]) for file in (small / "checkpoints").glob("*.index")]
    # The first step, which compiles, is not told; its loss is that of the model before it.
    assert max(kept, default=0) <= max((row["step"] for row in of(events, "metrics")), default=1)


def test_two_never_train_in_one_folder(small: Path) -> None:
    with (small / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, events = finish(start("training.pipeline", small))
    assert code == 4 and events == []


@contextlib.contextmanager
def _supervisor(workdir: Path, weights: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that starts a trainer, prints its pid, and then waits; and that pid."""
    code = (
        "import subprocess, sys, time;"
        f"child = subprocess.Popen([sys.executable, '-m', 'training.pipeline', {str(workdir)!r}, '--supervised'],"
        " stdin=subprocess.PIPE, stdout=subprocess.DEVNULL); print(child.pid, flush=True); time.sleep(600)"
    )
    env = {**os.environ, "WEBNET_WEIGHTS": str(weights)}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def test_a_trainer_dies_with_its_supervisor(small: Path, offline_weights: Path) -> None:
    with _supervisor(small, offline_weights) as (supervisor, trainer):
        time.sleep(2)
        assert Path(f"/proc/{trainer}").exists()
        os.kill(supervisor.pid, signal.SIGKILL)
        assert is_gone(trainer, 12)


def test_missing_weights_are_told_in_a_plain_sentence(small: Path, tmp_path: Path) -> None:
    code, events = finish(start("training.pipeline", small, tmp_path / "no weights"))
    assert code == 1
    assert "make run" in of(events, "error")[-1]["message"]


def test_a_picture_that_cannot_be_read_is_named(small: Path, offline_weights: Path) -> None:
    (small / "images" / "2.jpg").write_bytes(b"broken")
    code, events = finish(start("training.pipeline", small, offline_weights))
    assert code == 1
    assert "2.jpg cannot be read" in of(events, "error")[-1]["message"]


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    code, events = finish(start("training.pipeline", tmp_path))
    assert code == 1
    assert "manifest.json" in of(events, "error")[-1]["message"]
