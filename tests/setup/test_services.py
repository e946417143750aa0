"""An installation on the database and the broker that the environment names: SQLite, or PostgreSQL and Redis in CI."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import environ
import psycopg
import pytest

from tests.installation import ROOT, free_port, wait_for
from webnet import processes

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


def test_both_clusters_take_tasks_from_the_broker(serving: dict[str, str], tmp_path: Path) -> None:
    """The tasks go through tables of the database, or through Redis where REDIS_URL is set."""
    beats = [tmp_path / "heartbeats" / name for name in ("default", "training")]
    wait_for(lambda: all(beat.exists() for beat in beats), 60, "a beat of each cluster")


def test_a_task_is_stored_with_its_result(serving: dict[str, str]) -> None:
    code = (
        "from django_q.tasks import async_task, result; task = async_task('math.factorial', 6);"
        "print(result(task, wait=30000))"
    )
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=serving, capture_output=True, text=True, timeout=100)
    assert done.stdout.strip().splitlines()[-1:] == ["720"], done.stdout + done.stderr
