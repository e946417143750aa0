"""`manage.py tensorboard [RUN]`: show trainings in TensorBoard, under the names that people gave them."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from training import files
from training.models import TrainingRun

# How often trainings that have begun since are looked for.
LOOK_SECONDS = 5.0
# Shorter than what any file system takes.
_MOST_LETTERS = 80


class Command(BaseCommand):
    help = "Show one training, or all of them where none is named, in TensorBoard on this machine until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "run", type=int, nargs="?", help="number of the run, as in its page's address; without, all"
        )
        parser.add_argument("--port", type=int, default=6006, help="where it serves on 127.0.0.1 (default: 6006)")

    def handle(self, *args: Any, **options: Any) -> None:
        if find_spec("tensorboard") is None:
            raise CommandError("TensorBoard is not installed. `make run` installs it together with TensorFlow.")
        with tempfile.TemporaryDirectory(prefix="webnet-tensorboard-") as name:
            shown = link(Path(name), options["run"])
            if not shown:
                raise CommandError(_nothing(options["run"]))
            self.stdout.write(f"Trainings: {shown}. Open http://127.0.0.1:{options['port']}/ · Ctrl-C ends it.")
            _serve(Path(name), options["run"], options["port"])


def link(folder: Path, number: int | None) -> int:
    """Bring `folder` up to date: a link for each training that TensorBoard can show; return how many there are.

    TensorBoard calls each by the name of its link. What moves when a training ends (`files.keep_detector`) is linked
    anew.
    """
    runs = TrainingRun.objects.order_by("pk")
    names = dict((runs if number is None else runs.filter(pk=number)).values_list("pk", "name"))
    shown = {run: found for run in names if (found := files.summaries_folder(run)) is not None}
    for run, summaries in shown.items():
        place = folder / f"{run} {_as_file_name(names[run])}".rstrip()
        if place.is_symlink() and place.readlink() != summaries.resolve():
            place.unlink()
        if not place.is_symlink():
            place.symlink_to(summaries.resolve())
    return len(shown)


def _as_file_name(name: str) -> str:
    return re.sub(r"[\x00-\x1f/\\]+", "-", name)[:_MOST_LETTERS].strip(". ")


def _nothing(number: int | None) -> str:
    if number is None:
        return "No training has left anything for TensorBoard yet. It does from its first steps on."
    if not TrainingRun.objects.filter(pk=number).exists():
        return f"There is no training {number}. Its number is in the address of its page: …/runs/{number}/."
    return f"Training {number} has left nothing for TensorBoard: it has not begun, or its files are gone."


def _serve(folder: Path, number: int | None, port: int) -> None:
    """Let TensorBoard serve `folder` until it ends or somebody presses Ctrl-C; it hears of new trainings meanwhile."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--host", "127.0.0.1"]
    with subprocess.Popen([*command, "--port", str(port)]) as child:
        try:
            while True:
                try:
                    code = child.wait(timeout=LOOK_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    link(folder, number)
        except KeyboardInterrupt:
            return
        finally:
            child.terminate()
    if code:
        raise CommandError(f"TensorBoard ended by itself. If another program has port {port}, try --port {port + 1}.")
