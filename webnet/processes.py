"""Which processes belong to this installation, and how all of them are stopped. Standard library only.

Every process that `manage.py serve` starts carries a mark in its environment, which its own children inherit: queue
workers and trainers are found by it whatever became of their parents. The mark follows from the data folder, and only
the holder of the lock in that folder may serve from it: a marked process without a holder is an orphan of a crash.
"""

import fcntl
import hashlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MARK = "WEBNET_INSTANCE"
# A trainer saves a checkpoint within two or three; a cluster waits for its running task, which may be hours.
SECONDS_TO_END = 8.0


class AlreadyRunning(Exception):
    """Somebody serves from this data folder; the text says where and what to do."""


@dataclass(frozen=True)
class Process:
    """A living process: its id and the id of its process group."""

    pid: int
    group: int


def lock_file(data: Path) -> Path:
    """The lock of this machine: several may work from one data folder that they share."""
    return data / f"serve-{socket.gethostname()}.lock"


@contextmanager
def claim(data: Path, url: str = "") -> Iterator[None]:
    """Hold the data folder's lock, noting `url` in it for others; `AlreadyRunning` if it is taken.

    The lock ends with this process, however it ends: no file has to be cleared away after a crash.
    """
    data.mkdir(parents=True, exist_ok=True)
    with lock_file(data).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise AlreadyRunning(
                f"WebNet Trainer is already running from {data} ({lock.read().strip() or 'just starting'}). Stop that"
                " one with Ctrl-C first, or start a second one with its own WEBNET_DATA=/path and PORT=8001."
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()} {url}".strip())
        lock.flush()
        yield


def mark(data: Path) -> dict[str, str]:
    """The environment variable by which the processes that serve from `data` are known."""
    return {MARK: hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:20]}


def marked(data: Path) -> list[Process]:
    """The living processes that carry the mark of `data`, this one never among them."""
    sought = f"{MARK}={mark(data)[MARK]}"
    find = _from_proc if Path("/proc/self/environ").exists() else _from_ps
    return [process for process in find(sought) if process.pid != os.getpid()]


def _from_proc(sought: str) -> Iterator[Process]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # A process that is not ours to read, or that has just ended, is none that we started.
            if sought.encode() in (folder / "environ").read_bytes().split(b"\0"):
                yield Process(int(folder.name), os.getpgid(int(folder.name)))
        except OSError:
            continue


def _from_ps(sought: str) -> Iterator[Process]:
    """As on macOS, whose ps shows the environment after the command (`-E`)."""
    listing = subprocess.run(
        ["ps", "-axEww", "-o", "pid=,pgid=,command="],
        capture_output=True,
        text=True,
        errors="replace",
        check=True,
    )
    for line in listing.stdout.splitlines():
        pid, group, command = line.split(maxsplit=2)
        if sought in command.split():
            yield Process(int(pid), int(group))


def clear_orphans(data: Path) -> int:
    """End what an earlier start left behind; the number of processes. Only for the holder of the lock."""
    found = len(marked(data))
    if found:
        print(f"Clearing {found} processes that an earlier start left behind.", flush=True)
        stop_all(data)
    return found


def stop_all(data: Path, reap: Callable[[], object] = lambda: None) -> None:
    """End every marked process: asked with SIGTERM at once, killed if still there after `SECONDS_TO_END`.

    Only the leaders of a process group are asked (the web process, the clusters, trainers); their helpers follow them.
    `reap` is called again and again, for the parent to collect its children.
    """
    deadline = time.monotonic() + SECONDS_TO_END
    for process in marked(data):
        if process.pid == process.group:
            send(process.pid, signal.SIGTERM)
    while remaining := marked(data):
        if time.monotonic() > deadline:
            for process in remaining:
                send(process.pid, signal.SIGKILL)
        reap()
        time.sleep(0.05)
    reap()


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may have ended by itself in the meantime."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
