"""Trainings in TensorBoard: what is written for it, the command that opens it, and the page that names the command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.installation import ROOT, free_port, wait_for
from training import files
from training.management.commands import tensorboard
from training.models import Snapshot, TrainingRun

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, settings: Any) -> None:
    """Run numbers begin anew in each test: what earlier ones left must not be taken for theirs."""
    settings.DATA_DIR, settings.RUNS_DIR = tmp_path / "data", tmp_path / "data" / "runs"


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    """The folder that TensorBoard would be given."""
    (tmp_path / "shown").mkdir()
    return tmp_path / "shown"


@pytest.fixture
def make_run(dataset: Any) -> Callable[..., TrainingRun]:
    """`make_run("Suns")`: a training that has left nothing yet."""

    def make(name: str) -> TrainingRun:
        snapshot = Snapshot.objects.create(dataset=dataset, manifest={}, sha256="0" * 64)
        known = {"architecture": "a", "budget": "quick", "augmentation": "none", "snapshot": snapshot}
        return TrainingRun.objects.create(dataset=dataset, kind="training", name=name, state="done", **known)

    return make


def leave(folder: Path) -> Path:
    """What TensorFlow would write for a training in `folder`."""
    (folder / files.SUMMARIES).mkdir(parents=True)
    (folder / files.SUMMARIES / "events.out.tfevents.1").write_bytes(b"curve")
    return folder / files.SUMMARIES


def links(folder: Path) -> dict[str, Path]:
    return {place.name: place.readlink() for place in folder.iterdir()}


def test_each_training_has_a_link_with_its_number_and_name(make_run: Any, shown: Path) -> None:
    runs = [make_run(name) for name in ("Suns", "../Sails\n/", "Nothing left")]
    left = [leave(files.run_folder(run.pk)).resolve() for run in runs[:2]]
    assert tensorboard.link(shown, None) == 2
    assert links(shown) == {f"{runs[0].pk} Suns": left[0], f"{runs[1].pk} -Sails-": left[1]}


def test_only_the_wanted_training_is_linked(make_run: Any, shown: Path) -> None:
    one, other = make_run("Suns"), make_run("Sails")
    for run in (one, other):
        leave(files.run_folder(run.pk))
    assert tensorboard.link(shown, other.pk) == 1
    assert list(links(shown)) == [f"{other.pk} Sails"]


def test_what_moves_when_a_training_ends_is_linked_anew(make_run: Any, shown: Path) -> None:
    run = make_run("Suns")
    work = leave(files.run_folder(run.pk))
    tensorboard.link(shown, None)
    (work.parent / "detector").mkdir()
    files.keep_detector(work.parent / "detector", run.pk)
    (work / "events.out.tfevents.1").unlink()
    work.rmdir()
    assert tensorboard.link(shown, None) == 1
    (place,) = shown.iterdir()
    assert place.readlink().parent.parent.name == "detectors"
    assert (place / "events.out.tfevents.1").read_bytes() == b"curve"


def test_what_cannot_be_shown_is_said(make_run: Any) -> None:
    with pytest.raises(CommandError, match="No training has left anything"):
        call_command("tensorboard")
    with pytest.raises(CommandError, match="There is no training 4242"):
        call_command("tensorboard", "4242")
    run = make_run("Suns")
    with pytest.raises(CommandError, match=f"Training {run.pk} has left nothing"):
        call_command("tensorboard", str(run.pk))


def test_the_page_names_the_command_to_those_who_can_use_it(
    make_run: Any, client_of: Any, owner: Any, viewer: Any
) -> None:
    run, command = make_run("Suns"), ".venv/bin/python manage.py tensorboard"
    assert owner.is_staff and not viewer.is_staff
    assert f">{command} {run.pk}<" in client_of(owner).get(run.get_absolute_url()).content.decode()
    assert "tensorboard" not in client_of(viewer).get(run.get_absolute_url()).content.decode()
    assert command in (ROOT / "README.md").read_text()


WRITE = """
import sys
from pathlib import Path
from training.pipeline import summaries
scores = {"coco": {"AP": 0.5, "AP50": 0.75, "AP_small": None}, "per_label": [{"name": "Angel", "AP50": 0.7}]}
summaries.write_scores(summaries.writer(Path(sys.argv[1])), 120, scores)
"""
MAKE = """
from datasets.models import Dataset
from training import files
from training.models import Snapshot, TrainingRun
dataset = Dataset.objects.create(name="Icons")
snapshot = Snapshot.objects.create(dataset=dataset, manifest={}, sha256="0" * 64)
known = dict(architecture="a", budget="quick", augmentation="none", snapshot=snapshot, dataset=dataset)
run = TrainingRun.objects.create(kind="training", state="done", name="Suns & sails", **known)
print(files.run_folder(run.pk))
"""


# Where the tests run in the background of a shell, they and what they start ignore Ctrl-C.
LISTENING = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.mark.slow
def test_tensorboard_shows_the_last_score_under_the_name_of_the_training(make_server: Callable[..., Any]) -> None:
    """For real: TensorFlow writes, the command serves, and Ctrl-C ends both of its processes."""
    installation, port = make_server(web=False), free_port()
    workdir = installation.shell(MAKE)
    subprocess.run([sys.executable, "-c", WRITE, workdir], cwd=ROOT, capture_output=True, timeout=250, check=True)
    command = [sys.executable, "-c", LISTENING, "manage.py", "tensorboard", "1", "--port", str(port)]
    process = installation.start("tensorboard", *command)
    address = f"http://127.0.0.1:{port}/data/plugin/scalars/tags"

    def tags() -> str:
        try:
            return str(urllib.request.urlopen(address, timeout=10).read().decode())
        except OSError:
            return ""

    told = wait_for(lambda: (text := tags()) and "Suns" in text and text, 200, "TensorBoard")
    assert "1 Suns & sails" in told and "test/AP50" in told and "concepts/Angel" in told and "AP_small" not in told
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 0
    assert tags() == ""
