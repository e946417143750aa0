"""Two machines that train together learn what one would. Both are processes here, which only meet over the network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.installation import free_port
from tests.pipeline.processes import ROOT
from tests.pipeline.shapes import artwork, make_workdir

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
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


def _begin(workdir: Path, weights: Path, **environment: str) -> subprocess.Popen[str]:
    known = {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    command = [sys.executable, "-c", PROGRAM, str(workdir), str(weights)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **known}, text=True, **pipes)  # type: ignore[call-overload,no-any-return]


def _end(process: subprocess.Popen[str]) -> list[list[float]]:
    said, errors = process.communicate(timeout=500)
    assert process.returncode == 0, errors[-3000:]
    return [json.loads(line) for line in said.splitlines() if line.startswith("[")]


def _workdir(folder: Path) -> Path:
    folder.mkdir()
    rows = [artwork(folder, number, "train" if number < 9 else "test") for number in range(1, 11)]
    make_workdir(
        folder,
        rows,
        steps=STEPS,
        evaluations=2,
        input_size=128,
        batch_size=4,
        scale_min=1.0,
        scale_max=1.0,
        copies=0,
        feature_uses=1,
    )
    return folder


def test_two_machines_have_the_losses_of_one(offline_weights: Path, tmp_path: Path) -> None:
    alone = _end(_begin(_workdir(tmp_path / "alone"), offline_weights))
    folder = _workdir(tmp_path / "together")
    addresses = [f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"]
    machines = []
    for rank in range(2):
        together = json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": rank}})
        machines.append(
            _begin(folder, offline_weights, WEBNET_DISTRIBUTION="multi_worker_mirrored", TF_CONFIG=together)
        )
    first, second = (_end(machine) for machine in machines)
    # Steps that build a graph are told with the next one: the first, and that from which the backbone learns along.
    assert [row[0] for row in first] == [row[0] for row in alone] == [2, *range(4, STEPS + 1)]
    assert second == [], "only the first machine speaks"
    for ours, theirs in zip(alone, first, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-3), (alone, first)
    assert (folder / "checkpoints" / "checkpoint").exists()
