"""A real training that is cancelled and killed: noticed, gone on with, never doubled, nothing lost of its events."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Server, skip_or_fail, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]
CHOICE = {"architecture": "retinanet_mobilenet_v2", "budget": "own", "minutes": 2, "augmentation": "none"}


def trainers(workdir: Path) -> list[int]:
    """The processes that are training in a work folder (not the helpers that they fork)."""
    found: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0") if folder.name.isdigit() else []
            if b"training.pipeline" in command and str(workdir).encode() in command:
                found[int(folder.name)] = parent(int(folder.name))
        except OSError:
            continue
    return [pid for pid, above in found.items() if above not in found]


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@contextmanager
def watch(workdir: Path) -> Iterator[list[int]]:
    """Count the trainers five times a second while the block runs."""
    counts: list[int] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.2):
            counts.append(len(trainers(workdir)))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield counts
    finally:
        over.set()
        thread.join()


class Watched:
    """A training run as the API shows it."""

    def __init__(self, server: Server, dataset: int) -> None:
        self.server = server
        self.run = server.api(f"datasets/{dataset}/training-runs/", CHOICE)
        self.url = f"datasets/{dataset}/runs/{self.run['id']}/"
        where = f"from training.files import run_folder; print(run_folder({self.run['id']}))"
        self.workdir = Path(server.shell(where))

    def state(self) -> dict[str, Any]:
        return dict(self.server.api(self.url))

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        while page := self.server.api(f"{self.url}events/?after={events[-1]['seq'] if events else 0}")["results"]:
            events += page
        return [event for event in events if kind in ("", event["kind"])]

    def saved(self) -> int:
        """The step of the last checkpoint, 0 where there is none."""
        files = (self.workdir / "checkpoints").glob("ckpt-*.index")
        return max((int(file.stem.rpartition("-")[2]) for file in files), default=0)

    def wait_for_step(self, step: int) -> int:
        """Wait until a metrics event beyond `step` has come; return its step."""

        def beyond() -> int:
            steps = [event["payload"]["step"] for event in self.events("metrics")]
            return steps[-1] if steps and steps[-1] > step else 0

        return int(wait_for(beyond, 240, f"step {step}"))


@pytest.fixture
def training(make_server: Callable[..., Server], offline_weights: Path) -> Watched:
    if not Path("/proc/self/stat").exists():
        skip_or_fail("These tests find processes in /proc.")
    server = make_server(
        serve=True, WEBNET_WEIGHTS=str(offline_weights), WEBNET_RUN_LEASE_SECONDS="5", WEBNET_HEARTBEAT_SECONDS="2"
    )
    dataset = server.seed(12)["dataset"]
    return Watched(server, dataset)


def test_a_training_is_cancelled_gone_on_with_and_survives_the_kills_of_its_trainer_and_its_worker(
    training: Watched,
) -> None:
    with watch(training.workdir) as counts:
        saved = [cancelled(training)]
        training.server.api(f"{training.url}resume/", {})
        first = training.wait_for_step(saved[0] + 20)
        saved.append(training.saved())
        (trainer,) = trainers(training.workdir)
        os.kill(trainer, signal.SIGKILL)
        wait_for(lambda: training.state()["attempts"] >= 3, 60, "the attempt after the trainer's death")

        training.wait_for_step(first + 40)
        (trainer,) = wait_for(lambda: trainers(training.workdir), 60, "the new trainer")
        saved.append(training.saved())
        attempts = training.state()["attempts"]
        os.kill(parent(trainer), signal.SIGKILL)
        wait_for(lambda: training.state()["attempts"] > attempts, 90, "the attempt after the worker's death")
        wait_for(lambda: training.state()["state"] != "running", 600, "the end")

    assert training.state()["state"] == "done", training.state()
    assert training.state()["training"]["detector"]
    assert max(counts) == 1
    events = training.events()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    points = [event["payload"] for event in events if event["kind"] == "metrics"]
    assert points[-1]["step"] == points[-1]["total_steps"]
    # It went on from its checkpoints and did not begin again.
    begun = first_steps(events)
    assert len(begun) >= len(saved) + 1 and min(saved) > 0
    assert min(begun[1:]) > saved[0] and begun[-1] > saved[-1], (begun, saved)


def first_steps(events: list[dict[str, Any]]) -> list[int]:
    """The first step that was told after each time the training itself began."""
    steps: list[int] = []
    waiting = False
    for event in events:
        payload = event["payload"]
        if event["kind"] == "stage" and payload["stage"] == "train" and payload["state"] == "started":
            waiting = True
        elif event["kind"] == "metrics" and waiting:
            steps.append(payload["step"])
            waiting = False
    return steps


def cancelled(training: Watched) -> int:
    """Cancel a training, which takes seconds; return the step of the checkpoint that it left."""
    training.wait_for_step(30)
    began = time.monotonic()
    training.server.api(f"{training.url}cancel/", {})
    wait_for(lambda: training.state()["state"] == "cancelled", 10, "the cancellation")
    assert time.monotonic() - began < 10
    # On a busy machine the run may be told first by the one who finds its worker silent.
    wait_for(lambda: not trainers(training.workdir), 15, "the end of its trainer")
    return training.saved()
