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
from django.db import InterfaceError, OperationalError, close_old_connections

from training.pipeline.faults import is_disk_full
from training.pipeline.translation import phrase_from

PAUSE_SECONDS = 0.05
BEAT_SECONDS = 1.0
# A trainer that was asked to stop has this long to save its checkpoint.
PATIENCE_SECONDS = 10.0
# What Django raises while the database is restarted, locked or out of reach, and how long a child works on then.
AWAY = (OperationalError, InterfaceError)
AWAY_SECONDS = 120.0

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


OnEvents = Callable[[list[PipelineEvent]], None]


def supervise(child: Supervised, *, on_events: OnEvents, go_on: Callable[[], bool]) -> Outcome:
    """Pass on what the child says until it ends; stop it when `go_on` (asked every second) says no.

    `on_events` gets batches in order, each once: where it raises because the database is away, it keeps what it has not
    dealt with for the next call. The child works on meanwhile, for at most AWAY_SECONDS. Whatever happens here, no
    process of the child's group survives the call.
    """
    watch = _Watch(child, on_events, go_on)
    try:
        while not child.ended() and not watch.has_lost_patience():
            watch.look()
            time.sleep(PAUSE_SECONDS)
    finally:
        code = child.close()
    watch.look_back()
    return Outcome(code, watch.stop_at is not None, watch.error)


class _Watch:
    """What a worker knows of its child: what it said of an error, and when it has to have ended, if it was stopped."""

    def __init__(self, child: Supervised, on_events: OnEvents, go_on: Callable[[], bool]) -> None:
        self._child, self._on_events, self._go_on = child, on_events, go_on
        self._next_beat = time.monotonic() + BEAT_SECONDS
        self._away_since: float | None = None
        self.stop_at: float | None = None
        self.error = ""

    def has_lost_patience(self) -> bool:
        """Whether the child was stopped and has not ended in time."""
        return self.stop_at is not None and time.monotonic() > self.stop_at

    def look(self) -> None:
        """Pass on what it has said and, once a second, ask whether it may go on."""
        now = time.monotonic()
        is_due = now >= self._next_beat
        if is_due:
            self._next_beat = now + BEAT_SECONDS
        if self._away_since is not None and not is_due:
            return
        try:
            self._pass_on()
            if is_due and self.stop_at is None and not self._go_on():
                self._stop()
            self._away_since = None
        except AWAY as error:
            self._note_outage(error)
            # Perhaps only this machine is cut off, and another one waits for the work folder.
            if self.stop_at is None and now - (self._away_since or now) > AWAY_SECONDS:
                self._stop()

    def look_back(self) -> None:
        """Pass on the last words of a child that has ended; raises what the database says if it stays away."""
        deadline = time.monotonic() + AWAY_SECONDS
        while True:
            try:
                return self._pass_on()
            except AWAY as error:
                if time.monotonic() > deadline:
                    raise
                self._note_outage(error)
            time.sleep(BEAT_SECONDS)

    def _pass_on(self) -> None:
        events = self._child.waiting()
        for event in events:
            if event["kind"] == "error":
                self.error = phrase_from(event["payload"]["message"], event["payload"].get("phrase"))
        if events or self._away_since is not None:
            self._on_events(events)

    def _note_outage(self, error: Exception) -> None:
        if is_disk_full(error):
            raise error
        close_old_connections()
        if self._away_since is None:
            self._away_since = time.monotonic()

    def _stop(self) -> None:
        self._child.ask_to_stop()
        self.stop_at = time.monotonic() + PATIENCE_SECONDS
