"""Two machines that train together learn what one would, and so do two devices of one machine.

The machines are processes here, which only meet over the network; the devices are two halves of the processor, which
TensorFlow treats as it does two graphics cards.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.installation import free_port
from tests.pipeline.processes import ROOT, finish, of, start, until
from tests.pipeline.shapes import artwork, make_workdir
from training.pipeline.supervision import EXIT_STOPPED

# Whichever test comes first waits for the machine alone too, whose time is limited by itself.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600, func_only=True)]
STEPS = 6

# The stages up to the training, with a word after every step.
PROGRAM = """
import json, os, sys
from pathlib import Path
from training.pipeline import stages, train
from training.pipeline.supervision import Stop

train.METRICS_SECONDS = 0
names = list(stages.STAGES)
stages.STAGES = {name: stages.STAGES[name] for name in names[: names.index("train") + 1]}

def hear(event):
    if event["kind"] == "metrics":
        print(json.dumps([event["payload"][name] for name in ("step", "class_loss", "box_loss")]), flush=True)

rank = json.loads(os.environ.get("TF_CONFIG") or "{}").get("task", {}).get("index", 0)
run = stages.open_run(Path(sys.argv[1]), Path(sys.argv[2]), hear, Stop())
stages.assist(run) if rank else stages.run_all(run)
os._exit(0)
"""

# Before it: the processor as two devices, and Model Garden's choice of all graphics cards made of these.
TWO_DEVICES = """
import tensorflow as tf
from official.common import distribute_utils

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
choose = distribute_utils.get_distribution_strategy

def chosen(name, num_gpus):
    assert type(choose(name, num_gpus=num_gpus)) is tf.distribute.MirroredStrategy, name
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

distribute_utils.get_distribution_strategy = chosen
"""


def _begin(workdir: Path, weights: Path, before: str = "", **environment: str) -> subprocess.Popen[str]:
    known = {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    command = [sys.executable, "-c", before + PROGRAM, str(workdir), str(weights)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **known}, text=True, **pipes)  # type: ignore[call-overload,no-any-return]


def _end(process: subprocess.Popen[str]) -> list[list[float]]:
    said, errors = process.communicate(timeout=500)
    assert process.returncode == 0, errors[-3000:]
    return [json.loads(line) for line in said.splitlines() if line.startswith("[")]


def _workdir(folder: Path, batch_size: int = 4, steps: int = STEPS) -> Path:
    folder.mkdir()
    rows = [artwork(folder, number, "train" if number < 9 else "test") for number in range(1, 11)]
    make_workdir(
        folder,
        rows,
        steps=steps,
        evaluations=2,
        input_size=128,
        batch_size=batch_size,
        scale_min=1.0,
        scale_max=1.0,
        copies=0,
        feature_uses=1,
    )
    return folder


@pytest.fixture(scope="module")
def alone(offline_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> list[list[float]]:
    """The losses of one machine with one device."""
    losses = _end(_begin(_workdir(tmp_path_factory.mktemp("run") / "alone"), offline_weights))
    # Steps that build a graph are told with the next one: the first, and that from which the backbone learns along.
    assert [row[0] for row in losses] == [2, *range(4, STEPS + 1)]
    return losses


def _compare(alone: list[list[float]], together: list[list[float]]) -> None:
    for ours, theirs in zip(alone, together, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-3), (alone, together)


def _two_machines() -> list[dict[str, str]]:
    """What each of two machines is told that train together."""
    cluster = {"worker": [f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"]}
    tasks = [{"cluster": cluster, "task": {"type": "worker", "index": rank}} for rank in range(2)]
    return [{"WEBNET_DISTRIBUTION": "multi_worker_mirrored", "TF_CONFIG": json.dumps(task)} for task in tasks]


def test_two_machines_have_the_losses_of_one(alone: list[list[float]], offline_weights: Path, tmp_path: Path) -> None:
    folder = _workdir(tmp_path / "together")
    machines = [_begin(folder, offline_weights, **together) for together in _two_machines()]
    first, second = (_end(machine) for machine in machines)
    assert second == [], "only the first machine speaks"
    _compare(alone, first)
    assert (folder / "checkpoints" / "checkpoint").exists()


def test_two_devices_of_one_machine_have_the_losses_of_one(
    alone: list[list[float]], offline_weights: Path, tmp_path: Path
) -> None:
    folder = _workdir(tmp_path / "mirrored")
    mirrored = _end(_begin(folder, offline_weights, TWO_DEVICES, WEBNET_DISTRIBUTION="mirrored"))
    _compare(alone, mirrored)
    assert (folder / "checkpoints" / "checkpoint").exists()


def test_a_batch_that_cannot_be_shared_out_evenly_is_refused_with_a_sentence(
    offline_weights: Path, tmp_path: Path
) -> None:
    folder = _workdir(tmp_path / "odd", batch_size=3)
    odd = _begin(folder, offline_weights, TWO_DEVICES, WEBNET_DISTRIBUTION="mirrored")
    _said, errors = odd.communicate(timeout=500)
    assert odd.returncode and "A batch of 3 pictures cannot be shared out evenly among 2 devices." in errors


def test_a_training_that_loses_a_machine_stops_and_can_go_on(offline_weights: Path, tmp_path: Path) -> None:
    folder = _workdir(tmp_path / "lost", steps=100_000)
    machines = [start("training.pipeline", folder, offline_weights, **together) for together in _two_machines()]
    try:
        until(machines[0], lambda event: bool(event["kind"] == "metrics"))
        machines[1].kill()
        code, events = finish(machines[0])
    finally:
        for machine in machines:
            machine.kill()
    assert code == EXIT_STOPPED
    assert "has gone away" in of(events, "error")[-1]["message"]
