"""A real training as the API shows it, the processes that work on it, and their sudden ends."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import threading
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.installation import Server, meanwhile, wait_for
from webnet import processes

CHOICE = {"architecture": "retinanet_mobilenet_v2", "budget": "own", "minutes": 2, "augmentation": "none"}
# How long a web server that was killed may be away.
SECONDS_AWAY = 120.0


class Watched:
    """A training run as the API shows it; where the web server is away, what is asked is asked again."""

    def __init__(self, server: Server, dataset: int) -> None:
        self.server = server
        self.run = server.api(f"datasets/{dataset}/training-runs/", CHOICE)
        self.url = f"datasets/{dataset}/runs/{self.run['id']}/"
        where = f"from training.files import run_folder; print(run_folder({self.run['id']}))"
        self.workdir = Path(server.shell(where))
        self._heard = self._step = 0

    def state(self) -> dict[str, Any]:
        return dict(self._ask(self.url))

    def events(self, kind: str = "", after: int = 0) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        while page := self._ask(f"{self.url}events/?after={events[-1]['seq'] if events else after}")["results"]:
            events += page
        return [event for event in events if kind in ("", event["kind"])]

    def step(self) -> int:
        """The last step that was told, 0 before the first; asks for what is new only."""
        for event in self.events(after=self._heard):
            self._heard = event["seq"]
            if event["kind"] == "metrics":
                self._step = event["payload"]["step"]
        return self._step

    def saved(self) -> int:
        """The step of the last checkpoint, 0 where there is none."""
        files = (self.workdir / "checkpoints").glob("ckpt-*.index")
        return max((int(file.stem.rpartition("-")[2]) for file in files), default=0)

    def wait_for_step(self, step: int) -> int:
        """Wait until a metrics event beyond `step` has come; return its step."""
        return int(wait_for(lambda: told if (told := self.step()) > step else 0, 240, f"step {step}"))

    def _ask(self, path: str) -> Any:
        def answer() -> list[Any]:
            try:
                return [self.server.api(path)]
            except urllib.error.HTTPError:
                raise
            except (OSError, http.client.HTTPException):
                return []

        return wait_for(answer, SECONDS_AWAY, "the web server")[0]


# --- processes --------------------------------------------------------------------------------------------------------
def trainers(workdir: Path) -> list[int]:
    """The processes that are training in a work folder (not the helpers that they fork)."""
    found = dict(_processes(b"training.pipeline", str(workdir).encode()))
    return [pid for pid, above in found.items() if above not in found]


def web_server(server: Server) -> int:
    """The daphne that `serve` has started. Raises StopIteration while there is none."""
    serve = server.processes["serve"].pid
    return next(pid for pid, above in _processes(b"daphne") if above == serve)


def _processes(*arguments: bytes) -> Iterator[tuple[int, int]]:
    """Every process in whose command these arguments are, and its parent; one that ends meanwhile is left out."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                if {*arguments} <= {*(folder / "cmdline").read_bytes().split(b"\0")}:
                    yield int(folder.name), parent(int(folder.name))


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def cut_power(server: Server) -> None:
    """End `serve` and all that it has started, trainers included, as a power cut does.

    All are stopped before the first one is killed: none sees another's end, and none says or saves anything more.
    """
    serve = server.processes.pop("serve")
    os.kill(serve.pid, signal.SIGSTOP)
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for process in processes.marked(server.folder):
            processes.send(process.pid, number)
    serve.kill()
    serve.wait(30)
    wait_for(lambda: not processes.marked(server.folder), 30, "the end of every process")


@contextmanager
def watch(workdir: Path) -> Iterator[list[int]]:
    """Count the trainers five times a second while the block runs."""
    counts: list[int] = []

    def look(over: threading.Event) -> None:
        while not over.wait(0.2):
            counts.append(len(trainers(workdir)))

    with meanwhile(look):
        yield counts
