"""The process that keeps a detector loaded between the inferences of one worker."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.installation import ROOT
from tests.pipeline.processes import is_gone
from training import residents
from training.pipeline import infer
from training.pipeline.resident import Kept
from training.residents import Visit
from training.supervision import Child, Outcome, supervise

DONE, FAILED, STOPPED, BUSY = 0, 1, 3, 4

Ask = Callable[..., Path]


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    """No process of another test is used, and none is left."""
    residents.end()
    yield
    residents.end()


@pytest.fixture
def ask(offline_weights: Path, tmp_path: Path) -> Ask:
    """Make a work folder that wants `count` pictures looked at."""

    def make(name: str, count: int = 1, detector: str = str(offline_weights / "openimages_ssd")) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        Image.new("RGB", (64, 48), "grey").save(folder / "a.png")
        images = [{"id": number, "file": "a.png", "width": 64, "height": 48} for number in range(count)]
        (folder / "request.json").write_text(json.dumps({"detector": detector, "threshold": 0.5, "images": images}))
        return folder

    return make


def look(folder: Path, go_on: Any = lambda: True) -> tuple[Outcome, list[dict[str, Any]]]:
    heard: list[dict[str, Any]] = []
    return supervise(Visit(folder), on_events=heard.extend, go_on=go_on), heard


def kept() -> int:
    """The number of the process that waits."""
    (child,) = residents._waiting
    assert not child.ended()
    return child.process.pid


def test_one_process_looks_at_one_folder_after_the_other(ask: Ask) -> None:
    pids = set()
    for number, count in enumerate((1, 3, 1)):
        folder = ask(f"run{number}", count)
        outcome, heard = look(folder)
        assert (outcome.code, outcome.asked_to_stop, outcome.error) == (DONE, False, "")
        found = [event["payload"]["id"] for event in heard if event["kind"] == "found"]
        assert sorted(found) == list(range(count))  # as they are finished
        assert {event["kind"] for event in heard} == {"found", "progress"}
        assert (folder / "trainer.log").exists()
        pids.add(kept())
    assert len(pids) == 1


def test_a_failure_is_told_and_the_next_folder_gets_a_new_process(ask: Ask, tmp_path: Path) -> None:
    look(ask("before"))
    first = kept()
    outcome, _heard = look(ask("broken", detector=str(tmp_path / "nowhere")))
    assert outcome.code == FAILED and "no usable description" in outcome.error
    assert not residents._waiting and is_gone(first, 5)
    assert look(ask("after"))[0].code == DONE
    assert kept() != first


def test_a_process_that_was_killed_while_it_waited_is_replaced(ask: Ask) -> None:
    look(ask("before"))
    first = kept()
    os.kill(first, signal.SIGKILL)
    residents._waiting[0].process.wait()
    assert look(ask("after"))[0].code == DONE
    assert kept() != first


def test_a_process_that_ends_as_it_is_asked_has_not_looked(ask: Ask, tmp_path: Path) -> None:
    """It says nothing and exits well: the folder must not count as done."""
    (tmp_path / "plan.json").write_text(json.dumps({"says": [], "sleeps": 1}))
    residents._waiting.append(Child("tests.training.talker", tmp_path))
    assert look(ask("run"))[0].code == BUSY
    assert not residents._waiting


def test_a_stop_ends_the_process(ask: Ask) -> None:
    look(ask("before"))
    first = kept()
    began = time.monotonic()
    outcome, heard = look(ask("many", 20_000), go_on=lambda: False)
    assert (outcome.code, outcome.asked_to_stop) == (STOPPED, True)
    assert time.monotonic() - began < 10
    assert len(heard) < 20_000
    assert not residents._waiting and is_gone(first, 5)


def test_it_dies_with_its_worker(ask: Ask) -> None:
    code = (
        "import os;os.environ.setdefault('DJANGO_SETTINGS_MODULE','webnet.settings');import django;django.setup()\n"
        "import time\nfrom pathlib import Path\nfrom training import residents\n"
        "from training.supervision import supervise\n"
        f"supervise(residents.Visit(Path({str(ask('run'))!r})), on_events=lambda events: None, go_on=lambda: True)\n"
        "print(residents._waiting[0].process.pid, flush=True);time.sleep(60)"
    )
    worker = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    process = int(worker.stdout.readline())
    assert not is_gone(process, 0.5)
    worker.kill()
    worker.wait()
    worker.stdout.close()
    assert is_gone(process, 8)


def test_what_is_loaded_is_used_again_while_it_is_the_same_detector(offline_weights: Path, tmp_path: Path) -> None:
    folder = tmp_path / "detector"
    shutil.copytree(offline_weights / "openimages_ssd", folder)
    load = Kept()
    first = load(folder, 2)
    assert load(folder, 2) is first
    other = load(folder, 1)
    assert other is not first and len(other.detectors) == 1, "one thread has all cores, two have one each"
    os.utime(folder / "detector.json", (1, 1))
    assert load(folder, 1) is not other, "another detector in the same place"
    shutil.rmtree(folder)
    with pytest.raises(infer.DetectorError):
        load(folder, 1)
