"""The worker's watch over the process that does the work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from tests.installation import ROOT, wait_for
from training import supervision, trials
from training.pipeline.supervision import Stopped
from training.supervision import Child, Outcome, supervise

TALKER = "tests.training.talker"


def talk(folder: Path, go_on: Any = lambda: True, **plan: Any) -> tuple[Outcome, list[dict[str, Any]]]:
    (folder / "plan.json").write_text(json.dumps({"says": [], **plan}))
    heard: list[dict[str, Any]] = []
    return supervise(Child(TALKER, folder), on_events=heard.extend, go_on=go_on), heard


def test_it_passes_on_every_line_in_order(tmp_path: Path) -> None:
    lines = [{"kind": "log", "payload": {"text": str(n)}} for n in range(500)]
    outcome, heard = talk(tmp_path, says=lines)
    assert heard == lines
    assert outcome == Outcome(0, False, "")


def test_it_keeps_the_sentence_of_an_error_and_the_exit_code(tmp_path: Path) -> None:
    error = {"kind": "error", "payload": {"message": "No artwork has a box.", "detail": ""}}
    outcome, _heard = talk(tmp_path, says=[error], exits=1)
    assert (outcome.code, outcome.error) == (1, "No artwork has a box.")


def test_a_line_that_is_no_event_becomes_a_line_of_the_log(tmp_path: Path) -> None:
    _outcome, heard = talk(tmp_path, says=["a library speaks"])
    assert heard == [{"kind": "log", "payload": {"text": "a library speaks"}}]


def test_it_stops_the_process_when_it_may_not_go_on(tmp_path: Path) -> None:
    began = time.monotonic()
    outcome, _heard = talk(tmp_path, go_on=lambda: False, sleeps=60)
    assert outcome.asked_to_stop
    assert outcome.code == -signal.SIGTERM
    assert time.monotonic() - began < 10


def test_it_kills_a_process_that_does_not_listen(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(supervision, "PATIENCE_SECONDS", 0.5)
    outcome, _heard = talk(tmp_path, go_on=lambda: False, sleeps=60, deaf=True)
    assert outcome.code == -signal.SIGKILL


def test_no_process_survives_an_exception_of_the_supervisor(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps({"says": [{"kind": "log", "payload": {}}], "sleeps": 60}))
    child = Child(TALKER, tmp_path)

    def fail(_events: Any) -> None:
        raise RuntimeError("the database is away")

    try:
        supervise(child, on_events=fail, go_on=lambda: True)
    except RuntimeError as error:
        assert "database" in str(error)
    assert child.process.poll() is not None


class Away:
    """Somebody who keeps what is said and cannot tell it to a database that is away at first."""

    def __init__(self, seconds: float) -> None:
        self.back_at = time.monotonic() + seconds
        self.left: list[Any] = []
        self.told: list[Any] = []

    def take(self, events: list[Any]) -> None:
        self.left += events
        if self.left:
            self.ask()
            self.told, self.left = self.told + self.left, []

    def ask(self) -> bool:
        if time.monotonic() < self.back_at:
            raise OperationalError("the database is away")
        return True


@pytest.mark.parametrize(("lines", "patience"), [(40, 120), (5, 1.5)], ids=["works on", "ends meanwhile"])
def test_a_process_works_on_while_the_database_is_away_and_all_that_it_says_is_told_once(
    tmp_path: Path, monkeypatch: Any, lines: int, patience: float
) -> None:
    monkeypatch.setattr(supervision, "AWAY_SECONDS", patience)
    says = [{"kind": "log", "payload": {"text": str(n)}} for n in range(lines)]
    (tmp_path / "plan.json").write_text(json.dumps({"says": says, "pauses": 0.1}))
    away = Away(2)
    outcome = supervise(Child(TALKER, tmp_path), on_events=away.take, go_on=away.ask)
    assert (outcome, away.told) == (Outcome(0, False), says)


def test_a_process_is_asked_to_stop_when_the_database_stays_away(tmp_path: Path, monkeypatch: Any) -> None:
    """It may be this machine that is cut off; another one waits for the folder, and a checkpoint helps it."""
    monkeypatch.setattr(supervision, "AWAY_SECONDS", 1.0)
    (tmp_path / "plan.json").write_text(json.dumps({"says": ["one"], "sleeps": 60}))
    away = Away(3600)

    class Asked(Child):
        def ask_to_stop(self) -> None:
            away.back_at = time.monotonic() + 0.5
            super().ask_to_stop()

    outcome = supervise(Asked(TALKER, tmp_path), on_events=away.take, go_on=away.ask)
    assert outcome == Outcome(-signal.SIGTERM, True)
    assert [event["payload"]["text"] for event in away.told] == ["one"]


def test_the_process_notices_that_its_supervisor_was_killed(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps({"says": [], "listens": True}))
    code = (
        "import os;os.environ.setdefault('DJANGO_SETTINGS_MODULE','webnet.settings');import django;django.setup()\n"
        "from pathlib import Path;from training.supervision import Child;import time\n"
        f"Child({TALKER!r}, Path({str(tmp_path)!r}));print('on', flush=True);time.sleep(60)"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    assert supervisor.stdout is not None
    supervisor.stdout.readline()
    os.kill(supervisor.pid, signal.SIGKILL)
    supervisor.wait()
    wait_for((tmp_path / "noticed").exists, 5, "the end of the lifeline")


@pytest.mark.parametrize(
    ("code", "raised"), [(3, Stopped), (1, trials.Unusable), (-9, trials.Unusable)], ids=["stopped", "failed", "killed"]
)
def test_a_trial_that_a_shutdown_stops_says_nothing_about_the_detector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, raised: type[Exception]
) -> None:
    plan = {"says": [], "exits": code} if code >= 0 else {"says": [], "kills": -code}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    monkeypatch.setattr(trials, "Child", lambda module, folder: Child(TALKER, folder))
    with pytest.raises(raised):
        trials.make_trial(tmp_path)
