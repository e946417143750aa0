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
