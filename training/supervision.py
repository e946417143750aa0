"""Watching over the pipeline's process: it does the work, the worker tells the database what it says.

The child runs in a process group of its own and holds a pipe from us as its lifeline: when this process dies, however
suddenly, the pipe ends and the child saves a checkpoint and exits.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from django.conf import settings

from training.pipeline.translation import phrase_from

PAUSE_SECONDS = 0.05
BEAT_SECONDS = 1.0
# A trainer that was asked to stop has this long to save its checkpoint.
PATIENCE_SECONDS = 10.0

PipelineEvent = dict[str, Any]


@dataclass
class Outcome:
    """How the child ended: its exit code (negative: the signal that killed it) and what it said about an error."""

    code: int
    asked_to_stop: bool
    error: str = ""


def environment(rank: int = 0) -> dict[str, str]:
    """What a process of the pipeline is told; `rank`: which of the machines that train together this one is."""
    # Two processes may have to share a graphics card: a detector that is kept loaded, and a training.
    usual = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    told = {
        "WEBNET_WEIGHTS": str(settings.WEIGHTS_DIR),
        "WEBNET_DISTRIBUTION": settings.DISTRIBUTION,
        "PYTHONUNBUFFERED": "1",
    }
    if settings.TRAINERS:
        cluster = {"worker": settings.TRAINERS}
        told["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": rank}})
    return {**usual, **os.environ, **told}


class Child:
    """A process of the pipeline, `python -m MODULE WORKDIR --supervised`, whose lines are read by a thread.

    `rank`: as in `environment`.
    """

    def __init__(self, module: str, workdir: Path, rank: int = 0) -> None:
        self._errors = (workdir / "process.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, str(workdir), "--supervised"],
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
            env=environment(rank),
        )
        self._events: queue.SimpleQueue[PipelineEvent] = queue.SimpleQueue()
        assert self.process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    def _read(self, lines: IO[bytes]) -> None:
        for line in lines:
            try:
                self._events.put(json.loads(line))
            except ValueError:
                # Something in the child's libraries printed past its log: worth a line, no reason to stop.
                self._events.put({"kind": "log", "payload": {"text": line.decode(errors="replace").strip()}})

    def waiting(self) -> list[PipelineEvent]:
        """What the child has said since the last call."""
        events = []
        while not self._events.empty():
            events.append(self._events.get())
        return events

    def tell(self, line: str) -> bool:
        """Write a line to its stdin; False where it has ended."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(os.fsencode(f"{line}\n"))
            self.process.stdin.flush()
        except OSError:
            return False
        return not self.ended()

    def ended(self) -> bool:
        """Whether it has exited."""
        return self.process.poll() is not None

    def ask_to_stop(self) -> None:
        """Ask for a checkpoint and an exit."""
        self._signal(signal.SIGTERM)

    def close(self) -> int:
        """Make sure that the whole group is gone and everything it said has been read; return the exit code."""
        self._signal(signal.SIGKILL)
        code = self.process.wait()
        self._reader.join(5)
        if self.process.stdin:
            with contextlib.suppress(BrokenPipeError):  # of a line that it did not live to read
                self.process.stdin.close()
        self._errors.close()
        return code

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return


class Supervised(Protocol):
    """What `supervise` watches over: a `Child`, or one piece of work of a process that stays (`residents.Visit`)."""

    def waiting(self) -> list[PipelineEvent]: ...
    def ended(self) -> bool: ...
    def ask_to_stop(self) -> None: ...
    def close(self) -> int: ...


def supervise(
    child: Supervised, *, on_events: Callable[[list[PipelineEvent]], None], go_on: Callable[[], bool]
) -> Outcome:
    """Pass on what the child says until it ends; stop it when `go_on` (asked every second) says no.

    `on_events` gets batches in order. Whatever happens here, no process of the child's group survives the call.
    """
    stop_at: float | None = None
    error = ""
    next_beat = time.monotonic() + BEAT_SECONDS
    try:
        while not child.ended():
            error = _pass_on(child, on_events) or error
            now = time.monotonic()
            if now >= next_beat:
                next_beat = now + BEAT_SECONDS
                if stop_at is None and not go_on():
                    child.ask_to_stop()
                    stop_at = now + PATIENCE_SECONDS
            if stop_at is not None and now > stop_at:
                break
            time.sleep(PAUSE_SECONDS)
    finally:
        code = child.close()
    error = _pass_on(child, on_events) or error
    return Outcome(code, stop_at is not None, error)


def _pass_on(child: Supervised, on_events: Callable[[list[PipelineEvent]], None]) -> str:
    """Hand over what is waiting; return the sentence of the last error among it."""
    events = child.waiting()
    if events:
        on_events(events)
    errors = [event["payload"] for event in events if event["kind"] == "error"]
    return phrase_from(errors[-1]["message"], errors[-1].get("phrase")) if errors else ""
