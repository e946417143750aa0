"""The database goes away while a worker watches over its run: SQLite is locked by others, PostgreSQL lets nobody in."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from django_q.tasks import async_task

from annotations.models import Label
from tests.training.starting import start, start_looking
from tests.training.test_supervision import TALKER
from training import files, services, tasks
from training.models import Detector, Event, Run
from training.querysets import RunQuerySet
from training.suggesting import SuggestionWriter
from training.supervision import Child

pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(120),
    pytest.mark.usefixtures("no_folders_of_earlier_runs", "queue"),
]


@contextmanager
def database_away() -> Iterator[None]:
    """Nobody gets at the tests' database while the block runs, and open connections are lost."""
    if connection.vendor == "sqlite":
        other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.close()
        return
    login = {key: connection.settings_dict[key.upper()] for key in ("host", "port", "user", "password")}
    name = connection.settings_dict["NAME"]
    with psycopg.connect(**login, dbname="postgres", autocommit=True) as other:
        other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            yield
        finally:
            other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A locked SQLite is waited for a fifth of a second instead of twenty."""
    if connection.vendor == "sqlite":
        connection.close()
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.2)


def when(said: Callable[[], bool], seconds: float) -> threading.Thread:
    """A thread that takes the database away for so many seconds as soon as `said`."""

    def take_away() -> None:
        while not said():
            time.sleep(0.05)
        connection.close()
        with database_away():
            time.sleep(seconds)

    thread = threading.Thread(target=take_away)
    thread.start()
    return thread


@pytest.mark.usefixtures("impatient")
def test_a_training_works_on_while_the_database_is_away_for_longer_than_its_lease(
    ready: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RUN_LEASE_SECONDS = 2
    started: list[str] = []

    def talker(module: str, folder: Path) -> Child:
        started.append(module)
        return Child(TALKER, folder)

    monkeypatch.setattr(tasks, "Child", talker)
    run = start(ready)
    says = [{"kind": "metrics", "payload": {"step": step}} for step in range(1, 71)]
    made = files.run_folder(run.pk) / "detector"
    made.mkdir(parents=True)
    (made.parent / "plan.json").write_text(json.dumps({"says": says, "pauses": 0.1}))
    (made / "detector.json").write_text(json.dumps({"input_size": 256, "labels": []}))
    outage = when(lambda: Event.objects.filter(run=run.pk, kind="metrics").exists(), 4)
    async_task("training.tasks.train", run.pk, sync=True)
    outage.join()
    run.refresh_from_db()
    assert (run.state, run.attempts, started) == ("done", 1, ["training.pipeline"])
    events = list(Event.objects.filter(run=run).order_by("seq"))
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert [event.payload["step"] for event in events if event.kind == "metrics"] == list(range(1, 71))


@pytest.mark.usefixtures("impatient")
def test_what_was_found_while_the_database_was_away_is_written_and_counted_once(
    dataset: Any, owner: Any, label: Label, make_artwork: Any, pretrained: Detector
) -> None:
    works = [make_artwork(dataset, seed) for seed in range(3)]
    run = start_looking(dataset, owner, pretrained, label)
    folder = files.run_folder(run.pk)
    folder.mkdir(parents=True)
    box = {"label": int(pretrained.labels[0]["id"]), "x": 1, "y": 1, "width": 40, "height": 30, "score": 0.9}
    found = [{"kind": "found", "payload": {"id": work.pk, "boxes": [box]}} for work in works]
    writer = SuggestionWriter(run.inferencerun, folder, 3, lambda: None)
    writer.take(found[:1])
    with database_away(), pytest.raises(OperationalError):
        writer.take(found[1:])
    connection.close()
    writer.take([])
    assert writer.summary().startswith("3 suggestions on 3 of 3")
    told = Event.objects.filter(run=run, kind="artwork").order_by("seq")
    assert [event.payload["artwork"] for event in told] == [work.pk for work in works]


@pytest.mark.usefixtures("impatient")
def test_a_run_goes_on_that_nobody_could_hand_back(ready: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is still away when its worker gives up."""
    settings.RUN_LEASE_SECONDS = 0
    run = start(ready)
    with ExitStack() as outage:

        def give_up(*_: Any, **__: Any) -> Any:
            outage.enter_context(database_away())
            raise OperationalError("given up")

        monkeypatch.setattr(tasks, "Child", lambda module, folder: None)
        monkeypatch.setattr(tasks, "supervise", give_up)
        with pytest.raises(OperationalError, match="given up"):
            async_task("training.tasks.train", run.pk, sync=True)
    connection.close()
    assert services.reap_stale_runs() == 1
    run.refresh_from_db()
    assert (run.state, run.message.split(";")[0]) == ("queued", "The worker was interrupted")


def test_a_worker_that_is_back_before_the_reaper_keeps_its_run(
    dataset: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both waited for the database; the reaper had found the lease passed before."""
    settings.RUN_LEASE_SECONDS = 0
    run = Run.objects.create(dataset=dataset, kind="training")
    assert Run.objects.claim(run.pk, "worker")
    settings.RUN_LEASE_SECONDS = 15
    time.sleep(0.05)
    stale = RunQuerySet.stale

    def seen_before(self: RunQuerySet) -> RunQuerySet:
        monkeypatch.setattr(RunQuerySet, "stale", stale)
        assert stale(self).exists()
        Run.objects.keep_alive(run.pk, "worker")
        return self.filter(pk=run.pk)

    monkeypatch.setattr(RunQuerySet, "stale", seen_before)
    assert services.reap_stale_runs() == 0
    run.refresh_from_db()
    assert run.state == "running"
