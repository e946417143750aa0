"""`manage.py train DATASET`: train a detector here, with progress bars."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rest_framework.exceptions import APIException

from training import services
from training.commandline import do_run, find_dataset, scores_in_words
from training.models import Detector
from training.pipeline.architectures import ARCHITECTURES
from training.pipeline.config import AUGMENTATIONS, BUDGETS


class Command(BaseCommand):
    help = "Train a detector on a dataset and make it usable."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dataset", help="number or name of the dataset")
        parser.add_argument("--architecture", choices=list(ARCHITECTURES), default=next(iter(ARCHITECTURES)))
        parser.add_argument("--budget", choices=list(BUDGETS), default="quick")
        parser.add_argument("--start", type=int, help="number of the detector to go on from")
        parser.add_argument("--minutes", type=float, help="how long it may take, in place of --budget")
        parser.add_argument("--augmentation", choices=list(AUGMENTATIONS), default="gentle")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--name", default="", help="name of the detector")

    def handle(self, *args: Any, **options: Any) -> None:
        keys = ("architecture", "budget", "minutes", "start", "augmentation", "seed", "name")
        if options["minutes"] is not None:
            options["budget"] = "own"
        choice = services.TrainingChoice(**{key: options[key] for key in keys})
        try:
            dataset = find_dataset(options["dataset"])
            run = services.start_training(dataset=dataset, user=None, choice=choice, enqueue=False)
        except APIException as refusal:
            raise CommandError(str(refusal.detail)) from None
        do_run(run)
        detector = Detector.objects.get(run=run.pk)
        self.stdout.write(f"Detector {detector.pk}: {detector.name} ({scores_in_words(detector.metrics)})")
