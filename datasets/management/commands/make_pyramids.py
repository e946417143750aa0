"""`manage.py make_pyramids`: give large artworks the tiled pyramid that they lack."""

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand
from django.db.models import F, Q
from tqdm import tqdm

from datasets import files, images, storing
from datasets.models import Artwork


class Command(BaseCommand):
    help = "Make the tiled pyramid of every large artwork that has none, e.g. after restoring a backup without them."

    def handle(self, *args: Any, **options: Any) -> None:
        larger = Q(width__gt=F("display_width")) | Q(height__gt=F("display_height"))
        tiled = Artwork.objects.present().filter(larger)
        lacking = [artwork for artwork in tiled if not default_storage.exists(files.path_of(artwork, "pyramid"))]
        missing = []
        for artwork in tqdm(lacking, unit=" artworks"):
            try:
                make_pyramid(artwork)
            except FileNotFoundError:
                missing.append(artwork)
        self.stdout.write(f"{len(lacking) - len(missing)} pyramids made.")
        for artwork in missing:
            self.stderr.write(f"  {artwork} (number {artwork.pk}): its original is not in the storage.")


def make_pyramid(artwork: Artwork) -> None:
    """Make and store the pyramid of one artwork out of its original."""
    source = storing.local_copy(files.path_of(artwork, "original"))
    with tempfile.TemporaryDirectory(dir=settings.UPLOADS_DIR) as folder:
        images.render(source, Path(folder))
        storing.store(Path(folder) / files.PYRAMID, files.path_of(artwork, "pyramid"))
