"""A real training that is cancelled and killed: gone on with, never doubled, nothing lost of its events on its page."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.spectator import Spectator
from tests.faults.trainings import Watched, parent, trainers, watch, web_server
from tests.installation import Server, skip_or_fail, wait_for
from training.pipeline.supervision import NICENESS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(1500)]


@pytest.fixture
def training(make_server: Callable[..., Server], offline_weights: Path) -> Watched:
    if not Path("/proc/self/stat").exists():
        skip_or_fail("These tests find processes in /proc.")
    server = make_server(
        serve=True, WEBNET_WEIGHTS=str(offline_weights), WEBNET_RUN_LEASE_SECONDS="5", WEBNET_HEARTBEAT_SECONDS="2"
    )
    dataset = server.seed(12)["dataset"]
    return Watched(server, dataset)


def test_a_training_is_cancelled_gone_on_with_and_survives_kills_while_a_browser_watches_it_all(
    training: Watched, browser: Browser
) -> None:
    page = Spectator(browser, training.server, training.run["urls"]["page"])
    with page, watch(training.workdir) as counts:
        saved = [cancelled(training)]
        training.server.api(f"{training.url}resume/", {})
        first = training.wait_for_step(saved[0] + 20)
        saved.append(training.saved())
        (trainer,) = trainers(training.workdir)
        os.kill(trainer, signal.SIGKILL)
        wait_for(lambda: training.state()["attempts"] >= 3, 60, "the attempt after the trainer's death")
        os.kill(web_server(training.server), signal.SIGKILL)

        training.wait_for_step(first + 40)
        (trainer,) = wait_for(lambda: trainers(training.workdir), 60, "the new trainer")
        saved.append(training.saved())
        attempts = training.state()["attempts"]
        os.kill(parent(trainer), signal.SIGKILL)
        wait_for(lambda: training.state()["attempts"] > attempts, 90, "the attempt after the worker's death")
        wait_for(lambda: training.state()["state"] != "running", 600, "the end")
        events = training.events()
        complaints = page.complaints(events)
        absences = page.absences()

    assert training.state()["state"] == "done", training.state()
    assert training.state()["training"]["detector"]
    assert max(counts) == 1
    assert complaints == []
    assert absences, "the page has not noticed that its web server was killed"
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
    """Cancel a training, which takes five seconds at most; return the step of the checkpoint that it left."""
    training.wait_for_step(30)
    (trainer,) = trainers(training.workdir)
    assert os.getpriority(os.PRIO_PROCESS, trainer) >= os.getpriority(os.PRIO_PROCESS, parent(trainer)) + NICENESS
    session = Path(f"/proc/{trainer}/autogroup")  # where the kernel has such groups
    assert not session.exists() or session.read_text().split()[-1] == str(NICENESS)
    began = time.monotonic()
    training.server.api(f"{training.url}cancel/", {})
    wait_for(lambda: training.state()["state"] == "cancelled", 5, "the cancellation")
    assert time.monotonic() - began < 5
    # On a busy machine the run may be told first by the one who finds its worker silent.
    wait_for(lambda: not trainers(training.workdir), 15, "the end of its trainer")
    return training.saved()
