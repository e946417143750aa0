"""Machines that train together: what each is told, and set-ups that cannot work are refused at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from tests.installation import ROOT
from training.supervision import environment

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
