"""An installation of its own for a test: its processes, its people, its API; and what waits for it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
IN_CI = bool(os.environ.get("WEBNET_CI"))
PASSWORD = "correct horse battery"


def skip_or_fail(reason: str) -> None:
    """Skip on a person's machine, fail in CI: there nothing may be left out."""
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


def wait_for(condition: Callable[[], Any], seconds: float = 20, what: str = "the condition") -> Any:
    """Return the first true value of `condition()`, asked ten times a second; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.1)
    pytest.fail(f"Waited {seconds} s in vain for {what}.")


@contextmanager
def meanwhile(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Do `work` in a thread for as long as the block lasts; it ends when the event that it is given is set."""
    over = threading.Event()
    thread = threading.Thread(target=work, args=(over,))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """A running installation of its own: daphne, and the queue's clusters where they were asked for."""

    url: str
    folder: Path
    env: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]]
    tokens: dict[str, str] = field(default_factory=dict)

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Run a management command of this installation; return what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.env, input=stdin, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def shell(self, code: str) -> str:
        """Run Python with Django set up, in this installation; return what it printed."""
        return self.manage("shell", "--no-imports", "-c", code).strip()

    def add_user(self, name: str, *, superuser: bool = False) -> None:
        make = "create_superuser" if superuser else "create_user"
        self.shell(
            "from django.contrib.auth import get_user_model as g;"
            f"g().objects.filter(username={name!r}).exists() or g().objects.{make}({name!r}, password={PASSWORD!r})"
        )

    def start(self, name: str, *command: str, **env: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{name}.log").open("ab")
        process = subprocess.Popen(
            command, cwd=ROOT, env={**self.env, **env}, stdout=log, stderr=log, start_new_session=True
        )
        self.processes[name] = process
        return process

    def start_web(self) -> None:
        port = self.url.rsplit(":", 1)[1]
        self.start("web", sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", port, "webnet.asgi:application")
        wait_for(self.answers, 40, "daphne")

    def start_clusters(self) -> None:
        self.start("queue", sys.executable, "manage.py", "qcluster")
        for name in ("training", "errands"):
            self.start(name, sys.executable, "manage.py", "qcluster", Q_CLUSTER_NAME=name)

    def start_serve(self) -> None:
        """Start everything the way `make run` does: web process, clusters, heartbeats."""
        port = self.url.rsplit(":", 1)[1]
        self.start("serve", sys.executable, "manage.py", "serve", "--port", port)
        wait_for(self.answers, 60, "serve")

    def seed(self, artworks: int = 12) -> dict[str, Any]:
        """Make the small learnable dataset of `tests.seed`; return its ids."""
        command = [sys.executable, "-m", "tests.seed", str(artworks)]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def register_pretrained(self, weights: Path) -> int:
        """Make the packaged detector, unpacked in the folder `weights`, usable; return its id."""
        code = "from pathlib import Path; from training.services import register_pretrained;"
        return int(self.shell(f"{code} print(register_pretrained(Path({str(weights / 'openimages_ssd')!r})).pk)"))

    def api(self, path: str, body: Any = None, method: str = "", user: str = "olga") -> Any:
        """Ask the API below /api/ as a program with a token does; return its JSON. Raises HTTPError."""
        if user not in self.tokens:
            self.tokens[user] = ""
            answer = self.api("token/", {"username": user, "password": PASSWORD}, user=user)
            self.tokens[user] = answer["token"]
        headers = {"Content-Type": "application/json"}
        if self.tokens[user]:
            headers["Authorization"] = f"Token {self.tokens[user]}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/api/{path}", data, headers, method=method or ("GET" if data is None else "POST")
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/login/", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to the process group of one of its processes and wait for the end."""
        process = self.processes.pop(name)
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        finally:
            process.wait(30)

    def stop(self) -> None:
        """End everything: `serve` is asked, so that it ends its children; the rest is killed."""
        for name in list(self.processes):
            self.kill(name, signal.SIGTERM if name == "serve" else signal.SIGKILL)
