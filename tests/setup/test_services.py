"""An installation on the database and the broker that the environment names: SQLite, or PostgreSQL and Redis in CI."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import environ
import psycopg
import pytest
import redis

from tests.installation import ROOT, free_port, meanwhile, wait_for
from tests.setup.test_serve import children, waits
from webnet import processes
from webnet.management.commands.serve import CLUSTERS

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture
def variables(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of an installation with an empty database of its own on the configured server."""
    own = {**os.environ, "WEBNET_DATA": str(tmp_path), "WEBNET_HEARTBEAT_SECONDS": "1", "PYTHONUNBUFFERED": "1"}
    address = os.environ.get("DATABASE_URL", "")
    if not address.startswith("postgres"):
        yield own
        return
    server = environ.Env.db_url_config(address)
    name = f"webnet_{uuid.uuid4().hex[:8]}"
    login = {"host": server["HOST"], "port": server["PORT"], "user": server["USER"], "password": server["PASSWORD"]}
    with psycopg.connect(**login, dbname="postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield {**own, "DATABASE_URL": address.rpartition("/")[0] + f"/{name}"}
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def serving(variables: dict[str, str], tmp_path: Path) -> Iterator[dict[str, str]]:
    """The same installation, running."""
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=variables, check=True)
    command = [sys.executable, "manage.py", "serve", "--port", str(free_port())]
    output = tmp_path / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=file, stderr=file)
    try:
        wait_for(lambda: "Ready:" in output.read_text(), 60, "the address")
        yield variables
    finally:
        process.terminate()
        process.wait(20)
        processes.stop_all(tmp_path)


def test_every_cluster_takes_tasks_from_the_broker(serving: dict[str, str], tmp_path: Path) -> None:
    """The tasks go through tables of the database, or through Redis where REDIS_URL is set."""
    wait_for(lambda: all(beat(tmp_path, name) for name in CLUSTERS), 60, "a beat of each cluster")


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds the worker in /proc")
def test_a_cluster_that_hangs_is_noticed_and_one_that_does_not_is_left_alone(
    serving: dict[str, str], tmp_path: Path
) -> None:
    """Whatever another machine takes from the queue. Without Redis there is none."""
    output = tmp_path / "output"
    with another_machine() if os.environ.get("REDIS_URL") else nullcontext([]) as taken:
        wait_for(lambda: all(beat(tmp_path, name) for name in CLUSTERS), 60, "the first beats")
        worker = idle_worker(tmp_path, "training")
        assert (taken, "takes no tasks" in output.read_text()) == ([], False)
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: "The training cluster takes no tasks any more" in output.read_text(), 90, "the hang")
        noticed = time.time()
        wait_for(lambda: beat(tmp_path, "training") > noticed, 60, "new beats")
    assert "The default cluster takes no tasks" not in output.read_text()


def beat(data: Path, cluster: str) -> float:
    """When the last beat was sent that this machine's cluster has answered."""
    file = data / "heartbeats" / f"{cluster}-{socket.gethostname()}"
    return file.stat().st_mtime if file.exists() else 0.0


@contextmanager
def another_machine() -> Iterator[list[bytes]]:
    """One whose cluster takes what lies in the shared queue, as they do long before they can do it; what it took."""
    taken: list[bytes] = []

    def take(over: threading.Event) -> None:
        with redis.Redis.from_url(os.environ["REDIS_URL"]) as queue:
            while not over.is_set():
                if task := queue.blpop(["django_q:training:q"], 1):
                    taken.append(task[1])

    with meanwhile(take):
        yield taken


def idle_worker(data: Path, cluster: str) -> int:
    """The worker of a cluster, which waits for a task."""
    name = f"Q_CLUSTER_NAME={cluster}".encode()
    leaders = [one.pid for one in processes.marked(data) if one.pid == one.group]
    (leader,) = (pid for pid in leaders if name in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))
    worker = children(children(leader)[0])[0]
    last = time.time()
    # Right after a beat: then the worker waits for the next.
    wait_for(lambda: beat(data, cluster) > last, 20, "a beat")
    wait_for(lambda: waits(worker), 20, "the worker to wait")
    return worker


def test_a_task_is_stored_with_its_result(serving: dict[str, str]) -> None:
    code = (
        "from django_q.tasks import async_task, result; task = async_task('math.factorial', 6);"
        "print(result(task, wait=30000))"
    )
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=serving, capture_output=True, text=True, timeout=100)
    assert done.stdout.strip().splitlines()[-1:] == ["720"], done.stdout + done.stderr
