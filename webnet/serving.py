"""Keep the web process and the queue's clusters alive together. Standard library only.

Each service runs in a session of its own, so that Ctrl-C reaches this process alone and a cluster can be ended with all
its helpers. A service that ends by itself is started again, at once the first time and more and more patiently after.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from webnet import processes

PR_SET_PDEATHSIG = 1
LONGEST_PAUSE = 30.0
# Who ran this long was healthy: its next end is a new story.
HEALTHY_SECONDS = 60.0
LOG_BYTES = 5_000_000
LOGS_SECONDS = 60.0


@dataclass
class Service:
    """One long-running program: how it is started, and what has become of it.

    `log` gets what it prints; `further_logs` it writes itself.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    further_logs: Sequence[Path] = ()
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started_at: float = 0.0
    start_after: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        """Start it, its output going to the end of its log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                start_new_session=True,
                preexec_fn=_end_with_parent(),
            )
        self.started_at = time.monotonic()

    def ended(self) -> int | None:
        """Its exit code if it has ended since it was started, for the first caller only."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        # A cluster whose main process was killed leaves helpers that would go on taking tasks.
        self.kill()
        self.process = None
        healthy = time.monotonic() - self.started_at > HEALTHY_SECONDS
        self.failures = 1 if healthy else self.failures + 1
        self.start_after = time.monotonic() + min(2.0 ** (self.failures - 1) - 1, LONGEST_PAUSE)
        return code

    def is_due(self) -> bool:
        """Whether it is not running and has waited long enough to be started again."""
        return self.process is None and time.monotonic() >= self.start_after

    def kill(self) -> None:
        """End it and its helpers at once; `ended` then reports it."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                return

    def last_line(self) -> str:
        """The last thing that it wrote, for a person who wonders why it ended."""
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return lines[-1].strip() if lines else "it wrote nothing"


class Supervisor:
    """Starts services, starts again those that end, and stops all of them."""

    def __init__(self, services: Sequence[Service], data: Path, tell: Callable[[str], None]) -> None:
        self.services, self._data, self._tell = list(services), data, tell
        self._look_at_logs_after = 0.0

    def tend(self) -> None:
        """Start what is due, report what has ended, keep logs small; to be called several times a second."""
        self._keep_logs_small()
        for service in self.services:
            code = service.ended()
            if code is not None:
                pause = max(0.0, service.start_after - time.monotonic())
                self._tell(
                    f"The {service.name} process ended ({_meaning(code)}) and starts again in {pause:.0f} s."
                    f" Its log: {service.log}"
                )
            if service.is_due():
                service.start()

    def stop(self) -> None:
        """End every process of this installation, trainers included; returns when none is left."""
        processes.stop_all(self._data, reap=self._reap)

    def _keep_logs_small(self) -> None:
        if time.monotonic() < self._look_at_logs_after:
            return
        self._look_at_logs_after = time.monotonic() + LOGS_SECONDS
        for log in (log for service in self.services for log in (service.log, *service.further_logs)):
            # A full disk, or somebody who tidies up, must not end what is served.
            with contextlib.suppress(OSError):
                _rotate(log)

    def _reap(self) -> None:
        for service in self.services:
            if service.process is not None:
                service.process.poll()


def _meaning(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _rotate(log: Path) -> None:
    """Move the lines of a long log into LOG.1. The file itself stays: a process holds it open, to write at its end."""
    if log.stat().st_size > LOG_BYTES:
        shutil.copy(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)


def _end_with_parent() -> Callable[[], None] | None:
    """On Linux, have the kernel send SIGTERM to the new process when this one dies, even by SIGKILL."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)

    def ask() -> None:
        library.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    return ask
