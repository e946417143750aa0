"""Start the pipeline as its supervisor does, and follow its events."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

Event = dict[str, Any]


def start(
    module: str, workdir: Path, weights: Path | None = None, *options: str, **environment: str
) -> subprocess.Popen[str]:
    """A supervised process: events on stdout, stdin held open by us."""
    env = {**os.environ, "WEBNET_WEIGHTS": str(weights or workdir), **environment}
    command = [sys.executable, "-m", module, str(workdir), "--supervised", *options]
    return subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def events_of(process: subprocess.Popen[str]) -> Iterator[Event]:
    """The events of a process until it ends. Every line of stdout must be one."""
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def until(process: subprocess.Popen[str], wanted: Callable[[Event], bool]) -> list[Event]:
    """The events up to the first one that is `wanted`, or to the end."""
    seen = []
    for event in events_of(process):
        seen.append(event)
        if wanted(event):
            break
    return seen


def finish(process: subprocess.Popen[str]) -> tuple[int, list[Event]]:
    """Exit code and the remaining events."""
    events = list(events_of(process))
    return process.wait(30), events


def of(events: list[Event], kind: str) -> list[dict[str, Any]]:
    """The payloads of the events of one kind."""
    return [event["payload"] for event in events if event["kind"] == kind]


def is_gone(pid: int, seconds: float) -> bool:
    """Whether a process (not ours to wait for) ends within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.1)
    return False
