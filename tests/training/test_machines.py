"""Machines that train together: what each is told, and set-ups that cannot work are refused at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django_q.tasks import async_task

from tests.installation import ROOT
from tests.training.starting import start
from training import files, tasks
from training.pipeline.supervision import EXIT_STOPPED
from training.supervision import Child, environment

TWO = "10.0.0.1:2222,10.0.0.2:2222"


@pytest.mark.parametrize(
    ("distribution", "trainers", "complaint"),
    [
        ("many", "", "one of off, mirrored"),
        ("multi_worker_mirrored", "", "names the machines"),
        ("multi_worker_mirrored", "10.0.0.1:2222", "names the machines"),
        ("off", TWO, "names the machines"),
        ("multi_worker_mirrored", TWO, ""),
        ("mirrored", "", ""),
    ],
)
def test_only_what_can_work_is_taken(distribution: str, trainers: str, complaint: str) -> None:
    chosen = {"WEBNET_DISTRIBUTION": distribution, "WEBNET_TRAINERS": trainers}
    done = subprocess.run(
        [sys.executable, "-c", "import webnet.settings"],
        cwd=ROOT, env={**os.environ, **chosen}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode == 0) == (not complaint)
    assert complaint in done.stderr


def test_each_machine_is_told_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment()["WEBNET_DISTRIBUTION"] == "off" and "TF_CONFIG" not in environment()
    monkeypatch.setattr(settings, "DISTRIBUTION", "multi_worker_mirrored")
    monkeypatch.setattr(settings, "TRAINERS", TWO.split(","))
    told = [environment(rank) for rank in (0, 1)]
    assert [one["WEBNET_DISTRIBUTION"] for one in told] == ["multi_worker_mirrored"] * 2
    known = [json.loads(one["TF_CONFIG"]) for one in told]
    assert [one["cluster"] for one in known] == [{"worker": TWO.split(",")}] * 2
    assert [one["task"] for one in known] == [{"type": "worker", "index": rank} for rank in (0, 1)]


@pytest.mark.parametrize("rank", [0, 2])
def test_only_a_further_machine_assists(rank: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TRAINERS", TWO.split(","))
    with pytest.raises(CommandError, match="no further one"):
        call_command("assist", rank)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("queue", "no_folders_of_earlier_runs")
def test_a_training_that_loses_a_machine_goes_on_by_itself_but_not_for_ever(
    ready: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def talker(_: str, folder: Path) -> Child:
        return Child("tests.training.talker", folder)

    monkeypatch.setattr(tasks, "Child", talker)
    run = start(ready)
    gone = {"kind": "error", "payload": {"message": "A machine has gone away.", "detail": "task:1"}}
    says = [{"kind": "metrics", "payload": {"step": 10}}, gone]
    folder = files.run_folder(run.pk)
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text(json.dumps({"says": says, "exits": EXIT_STOPPED}))
    ends = []
    for _ in range(1 + settings.RUN_MAX_TRIES_IN_VAIN):
        async_task("training.tasks.train", run.pk, sync=True)
        run.refresh_from_db()
        ends.append((run.state, run.message))
    *waits, (state, message) = ends
    assert waits == [("queued", "A machine has gone away.")] * settings.RUN_MAX_TRIES_IN_VAIN
    assert state == "interrupted" and "got no further" in message
