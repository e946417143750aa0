"""`manage.py serve` keeps the web process and the clusters alive, and leaves nothing behind."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.installation import ROOT, free_port, wait_for
from webnet import processes
from webnet.management.commands.serve import CLUSTERS

pytestmark = pytest.mark.slow


@dataclass
class Installation:
    """A data folder, an address, and the `serve` processes that were started for them."""

    data: Path
    port: int
    started: list[subprocess.Popen[bytes]]

    @property
    def environment(self) -> dict[str, str]:
        outside = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL")}
        own = {"WEBNET_DATA": str(self.data), "WEBNET_HEARTBEAT_SECONDS": "1", "PYTHONUNBUFFERED": "1"}
        return outside | own

    @property
    def output(self) -> str:
        return (self.data / "output").read_text()

    def manage(self, *arguments: str) -> None:
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, check=True)

    def serve(self, *, ready: bool = True) -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", "serve", "--port", str(self.port)]
        with (self.data / "output").open("wb") as output:
            process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=output, stderr=output)
        self.started.append(process)
        if ready:
            wait_for(lambda: f"Ready: http://127.0.0.1:{self.port}/" in self.output, 60, "the address")
        return process

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/login/", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def leader(self, word: str) -> int | None:
        """The service whose command line holds `word`."""
        for process in processes.marked(self.data):
            command = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
            if process.pid == process.group and word in command:
                return process.pid
        return None

    def beat(self, cluster: str) -> float:
        file = self.data / "heartbeats" / f"{cluster}-{socket.gethostname()}"
        return file.stat().st_mtime if file.exists() else 0.0


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose database has its tables."""
    data = tmp_path_factory.mktemp("serve")
    Installation(data, 0, []).manage("migrate", "--verbosity", "0")
    return data


@pytest.fixture
def installation(migrated: Path) -> Iterator[Installation]:
    # A beat of an earlier test would say that clusters are up which are only starting.
    shutil.rmtree(migrated / "heartbeats", ignore_errors=True)
    made = Installation(migrated, free_port(), [])
    yield made
    for process in made.started:
        process.kill()
        process.wait()
    processes.stop_all(made.data)


def test_ctrl_c_leaves_nothing_running(installation: Installation) -> None:
    serving = installation.serve()
    wait_for(lambda: all(installation.beat(name) for name in CLUSTERS), 30, "the first beats")
    wait_for(lambda: len(processes.marked(installation.data)) >= 1 + 4 * len(CLUSTERS), 20, "all processes")
    asked = time.monotonic()
    serving.send_signal(signal.SIGINT)
    assert serving.wait(15) == 0
    assert time.monotonic() - asked < 10
    assert processes.marked(installation.data) == []
    assert re.search(r"Stopped in [\d.]+ s; nothing is left running", installation.output)


def test_a_killed_web_process_is_started_again(installation: Installation) -> None:
    installation.serve()
    first = installation.leader("daphne")
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: installation.leader("daphne") not in (first, None), 20, "another web process")
    wait_for(installation.answers, 20, "its answer")
    assert "The web process ended (signal SIGKILL) and starts again" in installation.output


def test_a_second_start_is_refused_and_told_where_the_first_is(installation: Installation) -> None:
    installation.serve()
    output = installation.output
    second = installation.serve(ready=False)
    assert second.wait(30) == 1
    assert f"already running from {installation.data} (process" in installation.output
    assert f"http://127.0.0.1:{installation.port}/" in installation.output
    assert "Traceback" not in installation.output + output
    assert installation.answers()


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes in /proc")
def test_what_a_killed_start_left_is_gone_after_the_next(installation: Installation) -> None:
    killed = installation.serve()
    # Stopped processes do not hear that their parent died, like a cluster that is in the middle of a task.
    cluster = installation.leader("qcluster")
    assert cluster is not None
    os.killpg(cluster, signal.SIGSTOP)
    # On a busy machine that takes a while, and SIGTERM, which comes with the parent's death, would be heard first.
    wait_for(lambda: stat(cluster)[0] == "T", 20, "the cluster to stop")
    killed.kill()
    killed.wait()
    assert cluster in {process.pid for process in processes.marked(installation.data)}
    installation.serve()
    assert "processes that an earlier start left behind" in installation.output
    assert cluster not in {process.pid for process in processes.marked(installation.data)}


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds the worker in /proc")
def test_a_cluster_that_hangs_is_started_again(installation: Installation) -> None:
    """As django-q2 does when its one worker is killed while it waits for a task, holding the queue's lock."""
    installation.serve()
    wait_for(lambda: installation.beat("default") and installation.beat("training"), 40, "the first beats")
    cluster = installation.leader("qcluster")
    assert cluster is not None
    sentinel = children(cluster)[0]
    worker = children(sentinel)[0]
    last = time.time()
    # Right after a beat: then the worker waits for the next.
    wait_for(lambda: min(map(installation.beat, ("default", "training"))) > last, 20, "a beat")
    # On a busy machine it may take some time to get there; killed on the way, it would hold no lock.
    wait_for(lambda: waits(worker), 20, "the worker to wait")
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: "takes no tasks any more" in installation.output, 60, "the hang to be noticed")
    noticed = time.time()
    wait_for(lambda: min(map(installation.beat, ("default", "training"))) > noticed, 60, "new beats")


def waits(pid: int) -> bool:
    """Whether a process sleeps, and has not worked for half a second."""
    seen = set()
    for _ in range(5):
        words = stat(pid)
        seen.add((words[0], words[11], words[12]))  # its state, and the processor's time in user and kernel mode
        time.sleep(0.1)
    return len(seen) == 1 and seen.pop()[0] == "S"


def stat(pid: int) -> list[str]:
    """What Linux says of a process: its state first (proc_pid_stat(5), from the third field on)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def children(pid: int) -> list[int]:
    """The child processes of a process, the oldest first."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_web_process_that_cannot_start_is_reported_with_its_last_line(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    broken = {
        **installation.environment,
        "DJANGO_SETTINGS_MODULE": "webnet.settings",
        "PYTHONPATH": str(installation.data),
    }
    (installation.data / "daphne").mkdir(exist_ok=True)
    (installation.data / "daphne" / "__init__.py").write_text("")
    (installation.data / "daphne" / "__main__.py").write_text("raise SystemExit('no web today')")
    (installation.data / "daphne" / "apps.py").write_text(
        "from django.apps import AppConfig\nclass DaphneConfig(AppConfig):\n    name = 'daphne'\n"
    )
    command = [sys.executable, "manage.py", "serve", "--port", str(installation.port)]
    done = subprocess.run(command, cwd=ROOT, env=broken, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "The web process does not start: no web today" in done.stderr
    assert "Traceback" not in done.stderr
