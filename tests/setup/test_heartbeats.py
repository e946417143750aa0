"""When a cluster's pulse is felt."""

import os
import socket
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from training.models import Run
from training.tasks import heartbeat
from webnet import heartbeats
from webnet.heartbeats import Heartbeat
from webnet.management.commands.serve import Serving
from webnet.serving import Service

pytestmark = pytest.mark.django_db


class Beats:
    """What is sent to the clusters, which answer when they are told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, ...]] = []

    def take(self, task: str, *arguments: Any, **_options: Any) -> None:
        self.sent.append(arguments)

    def answer(self) -> None:
        heartbeat(*self.sent[-1])


@pytest.fixture
def beats(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Beats:
    made = Beats()
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(heartbeats, "async_task", made.take)
    monkeypatch.setattr(heartbeats, "SECONDS_TO_START", 0.0)
    return made


@pytest.fixture(params=["redis://127.0.0.1/0", ""], ids=["redis", "database"])
def pulse(beats: Beats, settings: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Heartbeat:
    settings.REDIS_URL = request.param
    return Heartbeat("training", tmp_path / "heartbeats", seconds=0.3)


def run_on(host: str, dataset: Any) -> Run:
    later = timezone.now() + timedelta(seconds=60)
    return Run.objects.create(dataset=dataset, kind="training", state="running", lease_until=later, worker=f"{host}:1")


def test_a_beat_waits_for_the_answer_to_the_last(pulse: Heartbeat, beats: Beats) -> None:
    for number in (1, 2, 3):
        assert not pulse.is_hung() and len(beats.sent) == number
        time.sleep(0.35)
        assert not pulse.is_hung() and len(beats.sent) == number
        beats.answer()


def hangs(pulse: Heartbeat, seconds: float = 2) -> bool:
    """Whether it is found to hang within so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if pulse.is_hung():
            return True
        time.sleep(0.05)
    return False


def test_a_cluster_that_lets_a_beat_lie_is_hung_until_it_is_started_again(pulse: Heartbeat, beats: Beats) -> None:
    assert hangs(pulse) and len(beats.sent) == 1
    pulse.forgive()
    assert not pulse.is_hung() and len(beats.sent) == 2


@pytest.mark.parametrize("seconds", [0.5, 0.7, 0.9, 1.1])
def test_beats_do_not_pile_up_behind_a_training_of_hours_after_which_the_cluster_has_time_to_answer(
    pulse: Heartbeat, beats: Beats, dataset: Any, seconds: float
) -> None:
    run = run_on(socket.gethostname(), dataset)
    assert not hangs(pulse, seconds) and len(beats.sent) == 1
    Run.objects.filter(pk=run.pk).update(state="done")
    assert not hangs(pulse, 0.2), "the beat is next, but not there yet"
    beats.answer()
    assert not pulse.is_hung() and len(beats.sent) == 2


def test_the_work_of_another_machine_is_no_reason_for_silence(pulse: Heartbeat, beats: Beats, dataset: Any) -> None:
    run_on("another-machine", dataset)
    assert hangs(pulse)


def test_the_clock_of_a_shared_folder_does_not_matter(
    pulse: Heartbeat, beats: Beats, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not pulse.is_hung()
    monkeypatch.setattr(Path, "touch", lambda path: path.write_text("") and os.utime(path, (0, 0)))
    beats.answer()
    time.sleep(1)
    assert not pulse.is_hung() and len(beats.sent) == 2


def test_a_cluster_gets_time_to_answer_when_the_database_is_back(
    beats: Beats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waited for the database as well, and has not renewed its leases yet."""
    told: list[str] = []
    service = Service("training", ["true"], {}, tmp_path / "log")
    service.process = object()  # type: ignore[assignment]
    monkeypatch.setattr(service, "kill", lambda: told.append("killed"))
    serving = Serving([service], "", told.append)
    pulse = serving._pulses["training"] = Heartbeat("training", tmp_path / "heartbeats", seconds=0.3)
    serving._feel_pulses()
    time.sleep(1)
    serving._feel_pulses()
    time.sleep(0.4)
    with monkeypatch.context() as patch:

        def away() -> bool:
            raise OperationalError("away")

        patch.setattr(pulse, "_has_reason", away)
        serving._feel_pulses()
    serving._feel_pulses()
    assert told == []
