"""The processes of an installation are found by their mark, and one installation serves at a time."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.installation import wait_for
from webnet import processes

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
MEEK = "import time; print('up', flush=True); time.sleep(60)"

Spawn = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Spawn]:
    """`spawn(code, data)`: a running process that belongs to the installation of `data`."""
    running: list[subprocess.Popen[str]] = []

    def start(code: str, data: Path = tmp_path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, **processes.mark(data)},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_processes_are_found_by_the_mark_of_their_installation(spawn: Spawn, tmp_path: Path) -> None:
    mine, other = spawn(MEEK), spawn(MEEK, tmp_path / "other")
    found = {process.pid for process in processes.marked(tmp_path)}
    assert mine.pid in found
    assert other.pid not in found


def test_a_child_inherits_the_mark_even_when_its_parent_dies(spawn: Spawn, tmp_path: Path) -> None:
    code = "import subprocess, sys; subprocess.Popen(['sleep', '60'], start_new_session=True); print('up', flush=True)"
    parent = spawn(code)
    parent.wait(10)
    assert len(processes.marked(tmp_path)) == 1
    processes.stop_all(tmp_path)
    assert processes.marked(tmp_path) == []


def test_orphans_are_asked_to_end_and_then_killed(
    spawn: Spawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(processes, "SECONDS_TO_END", 0.5)
    meek, stubborn = spawn(MEEK), spawn(STUBBORN)
    assert processes.clear_orphans(tmp_path) == 2
    assert "Clearing 2 processes" in capsys.readouterr().out
    assert (meek.wait(5), stubborn.wait(5)) == (-signal.SIGTERM, -signal.SIGKILL)


def test_a_clean_start_clears_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert processes.clear_orphans(tmp_path) == 0
    assert capsys.readouterr().out == ""


def test_a_data_folder_is_served_from_once(tmp_path: Path) -> None:
    holder = (
        "import pathlib, sys, time; from webnet import processes\n"
        f"with processes.claim(pathlib.Path({str(tmp_path)!r}), 'http://127.0.0.1:8123/'):\n"
        "    print('up', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", holder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(processes.__file__).parents[1]) as first:
        assert first.stdout is not None
        first.stdout.readline()
        with pytest.raises(processes.AlreadyRunning, match=f"process {first.pid} http://127.0.0.1:8123/"):
            processes.claim(tmp_path).__enter__()
        first.kill()
    with wait_for(lambda: processes.claim(tmp_path), what="the lock"):
        assert processes.lock_file(tmp_path).read_text() == f"process {os.getpid()}"
