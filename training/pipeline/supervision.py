"""How a pipeline process and the process that started it stay in touch: events out, stop in, one trainer per folder.

Events go to stdout, one JSON object a line. A stop comes as SIGTERM or as the end of stdin, which a supervisor holds
open: when it dies, however it dies, the pipe closes. Only the standard library is imported.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

from training.pipeline.events import Event, OnEvent

EXIT_DONE, EXIT_FAILED, EXIT_STOPPED, EXIT_BUSY = 0, 1, 3, 4
# A stage that cannot look up for longer than this leaves nothing half done behind: it is run again. With the second in
# which the wish is noticed, a cancelled run has ended before five are over.
GRACE_SECONDS = 3.5
# How much a training gives way to whatever else wants a core (nice(2)): a quarter of one is left to it then.
NICENESS = 5
_AUTOGROUP = Path("/proc/self/autogroup")


class Stopped(Exception):
    """Somebody asked the pipeline to stop; everything worth keeping is saved."""


class Busy(RuntimeError):
    """Another process works in this folder."""


class Stop:
    """A wish to stop, set from a signal or a thread and looked at between pieces of work."""

    def __init__(self) -> None:
        self._wanted = threading.Event()

    def set(self) -> None:
        """Ask for the stop."""
        self._wanted.set()

    def wanted(self) -> bool:
        """Whether somebody asked."""
        return self._wanted.is_set()

    def check(self) -> None:
        """Raise Stopped if somebody asked."""
        if self._wanted.is_set():
            raise Stopped


def listen_for_stop(stop: Stop, *, lifeline: bool, on_line: Callable[[str], None] = lambda line: None) -> None:
    """Set `stop` on SIGTERM or SIGINT and, with `lifeline`, at the end of stdin. Exits by force after GRACE_SECONDS.

    `on_line` gets each line of stdin in a thread.

    The C-level wake-up descriptor is used because a Python signal handler waits for the main thread, which may be
    inside TensorFlow for many seconds.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    _watch(lambda: os.read(reader, 1), stop)
    if lifeline:
        _watch(lambda: _read_to_end(on_line), stop)


def give_way() -> None:
    """From now on let pages, and detectors that somebody waits for, have the cores before this process.

    On a machine that does nothing else it changes nothing. Desktop Linux shares the cores out among sessions before
    it looks at processes (sched(7), autogroup), and the worker has given this one a session of its own.
    """
    os.nice(NICENESS)
    if os.getsid(0) == os.getpid():  # else it is that of whoever has started this process by hand
        with contextlib.suppress(OSError):  # other systems have no such file
            _AUTOGROUP.write_text(str(NICENESS))


def _watch(wait: Callable[[], Any], stop: Stop) -> None:
    def run() -> None:
        wait()
        stop.set()
        force = threading.Timer(GRACE_SECONDS, os._exit, (EXIT_STOPPED,))
        force.daemon = True
        force.start()

    threading.Thread(target=run, daemon=True).start()


def _read_to_end(on_line: Callable[[str], None]) -> None:
    # Names of files may be any bytes, and a line that cannot be read must not cut the lifeline.
    with os.fdopen(0, encoding="utf-8", errors="surrogateescape", closefd=False) as lines:
        for line in lines:
            on_line(line.removesuffix("\n"))


def json_lines(stream: IO[str]) -> OnEvent:
    """An `on_event` that writes each event as one line of JSON; safe from several threads.

    Where nobody reads any more it writes nothing: the lifeline has ended with its reader, and stops the process when
    everything is saved.
    """
    lock = threading.Lock()

    def emit(event: Event) -> None:
        line = json.dumps(event, ensure_ascii=False, allow_nan=False)
        with lock, contextlib.suppress(BrokenPipeError):
            stream.write(f"{line}\n")
            stream.flush()

    return emit


def events_to_stdout(log: Path) -> OnEvent:
    """Keep stdout for events: whatever else is written to stdout or stderr, by C code too, is appended to `log`."""
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    write_to_log(log)
    return json_lines(events)


def write_to_log(log: Path) -> None:
    """From now on, append what is written to stdout or stderr to `log`."""
    sys.stdout.flush()
    sys.stderr.flush()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def for_people(stream: IO[str]) -> OnEvent:
    """An `on_event` for a terminal: one readable line per event."""

    def emit(event: Event) -> None:
        values = ", ".join(f"{key} {value}" for key, value in event["payload"].items() if value not in ("", [], None))
        stream.write(f"{event['kind']}: {values}\n")
        stream.flush()

    return emit


def leave(status: int) -> NoReturn:
    """End the process with an exit code at once, all that it has printed included.

    `sys.exit` would wait for TensorFlow's threads, which may keep a finished process for seconds.
    """
    sys.stdout.flush()
    os._exit(status)


@contextlib.contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the lock file `path`; the kernel frees it when the process ends. Raises Busy when somebody else holds it."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"Another process is at work in {path.parent}.") from None
        yield


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock file `path`."""
    try:
        with only_one(path):
            return False
    except Busy:
        return True
