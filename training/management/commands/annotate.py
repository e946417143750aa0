"""`manage.py annotate DATASET DETECTOR`: let a detector draw suggestions, with a progress bar."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rest_framework.exceptions import APIException

from annotations.models import Label
from datasets.models import Dataset
from training import services
from training.commandline import do_run, find_dataset
from training.models import Detector

# For a detector whose files name no score.
FALLBACK = 0.4


class Command(BaseCommand):
    help = "Let a detector draw suggestions on all artworks of a dataset."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dataset", help="number or name of the dataset")
        parser.add_argument("detector", type=int, help="number of the detector (the API and the admin show it)")
        parser.add_argument("--threshold", type=float, help="least score of a suggestion, 0 to 1 (the detector's best)")
        parser.add_argument(
            "--closely", action="store_true", help="look in tiles too: smaller things, five times as long"
        )
        parser.add_argument(
            "--own-scores", action="store_true", help="each concept from the detector's own best score for it"
        )
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="CLASS=CONCEPT",
            help="which concept a class of the detector stands for; without it, those with the same name",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        dataset = find_dataset(options["dataset"])
        try:
            run = services.start_inference(
                dataset=dataset,
                user=None,
                detector_id=options["detector"],
                artwork_id=None,
                threshold=threshold(options["detector"], options["threshold"]),
                mapping=mapping(dataset, options["detector"], options["map"]),
                closely=options["closely"],
                own_scores=options["own_scores"],
                enqueue=False,
            )
        except APIException as refusal:
            raise CommandError(str(refusal.detail)) from None
        self.stdout.write(do_run(run).message)


def threshold(detector_id: int, wanted: float | None) -> float:
    """The score that was asked for, or the one that the detector is best at."""
    best = Detector.objects.filter(pk=detector_id).values_list("threshold", flat=True).first()
    return wanted if wanted is not None else best if best is not None else FALLBACK


def mapping(dataset: Dataset, detector_id: int, pairs: list[str]) -> dict[str, int | None]:
    """Detector's label id → dataset's label id, from `class=concept` pairs or by what is likely.

    Likely are concepts of the same names, and of a detector trained on this dataset those that it was trained on.
    Raises CommandError.
    """
    detector = Detector.objects.usable_in(dataset.pk, None).filter(pk=detector_id).first()
    if detector is None:
        known = "\n".join(f"  {d.pk}  {d.name}" for d in Detector.objects.usable_in(dataset.pk, None))
        raise CommandError(f"There is no detector {detector_id} for this dataset. Known:\n{known or '  (none)'}")
    labels = {label.pk: label.name.casefold() for label in Label.objects.filter(dataset=dataset)}
    concepts = {name: key for key, name in labels.items()}
    classes = [(str(label["id"]), label["name"].casefold()) for label in detector.labels]
    wanted = [tuple(pair.casefold().split("=", 1)) for pair in pairs]
    if bad := [pair for pair in wanted if len(pair) != 2]:
        raise CommandError(f"Write --map as CLASS=CONCEPT, not “{bad[0][0]}”.")
    chosen: dict[str, int | None] = {
        key: concepts[concept]
        for name, concept in wanted or [(name, name) for _, name in classes]
        for key, known in classes
        if known == name and concept in concepts
    }
    if not pairs and detector.kind == Detector.Kind.TRAINED and detector.dataset_id == dataset.pk:
        # Its classes are concepts of this dataset, whatever these are called now.
        chosen |= {key: int(key) for key, _ in classes if int(key) in labels}
    unknown = [pair for pair in wanted if pair[1] not in concepts or pair[0] not in dict(classes).values()]
    if not chosen or unknown:
        names = ", ".join(sorted({name for _, name in classes}))
        raise CommandError(
            "No class of the detector matches a concept as asked. Use --map CLASS=CONCEPT with"
            f" classes: {names}; concepts: {', '.join(sorted(concepts)) or '(none)'}."
        )
    return chosen
