"""`manage.py assist RANK`: let this machine train along with the first one, training after training, until Ctrl-C."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, close_old_connections

from training import files
from training.models import TrainingRun
from training.pipeline import stages
from training.supervision import Child, supervise

LOOK_SECONDS = 1.0


class Command(BaseCommand):
    help = "Train along with the machine that takes the runs from the queue (WEBNET_TRAINERS)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "rank", type=int, help="place of this machine in WEBNET_TRAINERS, from 1 on; 0 is the first one"
        )
        parser.add_argument("--once", action="store_true", help="end after one training")

    def handle(self, *args: Any, **options: Any) -> None:
        rank = options["rank"]
        if not 0 < rank < len(settings.TRAINERS):
            raise CommandError(f"WEBNET_TRAINERS names {len(settings.TRAINERS)} machines; {rank} is no further one.")
        done = False
        try:
            while not (done and options["once"]):
                try:
                    done = self._assist(rank)
                except OperationalError as error:
                    self.stderr.write(f"The database is away ({error}); waiting for it.")
                    close_old_connections()
                time.sleep(LOOK_SECONDS)
        except KeyboardInterrupt:
            self.stderr.write("Stopped.")

    def _assist(self, rank: int) -> bool:
        """Train along with the training that is on, to its end; False where there is none, or it ended badly."""
        run = TrainingRun.objects.filter(state="running").first()
        workdir = files.run_folder(run.pk) if run else None
        if run is None or workdir is None or not (workdir / "config.json").exists() or stages.is_trained(workdir):
            return False
        self.stdout.write(f"Assisting with training {run.pk} …")
        outcome = supervise(
            Child("training.pipeline", workdir, rank),
            on_events=lambda _events: None,
            go_on=lambda: TrainingRun.objects.filter(pk=run.pk, state="running").exists(),
        )
        self.stdout.write(f"Training {run.pk}: {'done' if outcome.code == 0 else outcome.error or 'ended'}")
        return outcome.code == 0
