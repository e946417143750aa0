"""`manage.py export`: a dataset's boxes as COCO JSON, or a detector's files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from annotations import coco
from training import files
from training.commandline import find_dataset
from training.models import Detector


class Command(BaseCommand):
    help = "Write the confirmed boxes of a dataset as COCO JSON, or copy the files of a detector."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_subparsers(dest="what", required=True)
        boxes = what.add_parser("coco", help="confirmed boxes of a dataset")
        boxes.add_argument("dataset", help="number or name of the dataset")
        boxes.add_argument("target", type=Path, help="JSON file to write")
        detector = what.add_parser("detector", help="TFLite, SavedModel, labels and model card of a detector")
        detector.add_argument("detector", type=int, help="number of the detector")
        detector.add_argument("target", type=Path, help="folder to make")

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path = options["target"]
        if target.exists():
            raise CommandError(f"{target} exists already. Name a new one, so that nothing is overwritten.")
        target.parent.mkdir(parents=True, exist_ok=True)
        if options["what"] == "coco":
            self._boxes(options["dataset"], target)
        else:
            self._detector(options["detector"], target)

    def _boxes(self, dataset: str, target: Path) -> None:
        draft = target.with_name(f"{target.name}.part")
        with draft.open("w", encoding="utf-8") as file:
            for part in tqdm(coco.document(find_dataset(dataset)), desc="coco", unit=" parts"):
                file.write(part)
        counts = json.loads(draft.read_text(encoding="utf-8"))
        draft.replace(target)
        self.stdout.write(f"{target}: {len(counts['images'])} images, {len(counts['annotations'])} boxes")

    def _detector(self, number: int, target: Path) -> None:
        detector = Detector.objects.present().filter(pk=number).first()
        if detector is None:
            known = "\n".join(f"  {d.pk}  {d.name}" for d in Detector.objects.present())
            raise CommandError(f"There is no detector {number}. Known:\n{known or '  (none)'}")
        folder = files.detector_folder(detector)
        if not folder.is_dir():
            raise CommandError(f"The files of “{detector}” are not in {folder.parent}. Restore them from a backup.")
        shutil.copytree(folder, target)
        self.stdout.write(f"{target}: {', '.join(sorted(path.name for path in target.iterdir()))}")
