"""`manage.py setup_demo`: the demo account and the demo dataset. Repeating it is harmless."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import BaseCommand
from tqdm import tqdm

from annotations.labelling import create_label
from annotations.models import Label
from annotations.services import import_boxes
from datasets import demo
from datasets.models import Artwork, Dataset
from datasets.services import Duplicate, add_artwork, create_dataset

USERNAME = "demo"
DATASET = "Abstract compositions (demo)"
DESCRIPTION = "Made by code to try everything on: most are annotated, the last ones are left for the detector."


class Command(BaseCommand):
    help = "Make the demo account (its password is printed) and the demo dataset."

    def handle(self, *args: Any, **options: Any) -> None:
        # Made once: whoever deletes the demo, or its account, does not want it back at the next start. But in a new
        # database somebody must be able to log in.
        marker = Path(settings.DATA_DIR) / "demo-made"
        if not marker.exists() or not get_user_model().objects.exists():
            user = self._account()
            fill(demo_dataset(user), user)
            marker.touch()
        password = password_file()
        user = get_user_model().objects.filter(username=USERNAME).first()
        if user and password.exists() and user.check_password(password.read_text()):
            self.stdout.write(f"Demo account: {USERNAME}, password: {password.read_text()} (kept in {password})")

    def _account(self) -> Any:
        users = get_user_model().objects
        user = users.filter(username=USERNAME).first()
        if user is None:
            password = secrets.token_urlsafe(9)
            user = users.create_superuser(USERNAME, password=password)
            descriptor = os.open(password_file(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(password)
        return user


def password_file() -> Path:
    """Where the demo account's first password is kept, readable by the installation's owner alone."""
    return Path(settings.DATA_DIR) / "demo-password"


def demo_dataset(user: Any) -> Dataset:
    """The demo dataset with its concepts; one that an interrupted set-up began is gone on with."""
    dataset = Dataset.objects.present().filter(name=DATASET, created_by=user).first()
    if dataset is None:
        dataset = create_dataset(user=user, name=DATASET, description=DESCRIPTION)
    known = set(Label.objects.filter(dataset=dataset).values_list("name", flat=True))
    for name, colour, shortcut in demo.LABELS:
        if name not in known:
            create_label(dataset=dataset, name=name, colour=colour, shortcut=shortcut)
    return dataset


def fill(dataset: Dataset, user: Any) -> None:
    """Add the compositions that are not there yet, each with its boxes or not at all."""
    labels = dict(Label.objects.filter(dataset=dataset).values_list("name", "pk"))
    for composition in tqdm(demo.compositions(), desc="Demo dataset", total=demo.TOTAL, unit=" artworks"):
        upload = SimpleUploadedFile(composition.file_name, composition.image)
        try:
            artwork = add_artwork(dataset=dataset, user=user, upload=upload, metadata=composition.metadata)
        except Duplicate as duplicate:
            artwork = duplicate.artwork
        # An earlier set-up may have been interrupted anywhere; what somebody has edited since is theirs.
        if composition.annotated and artwork.revision == 0:
            boxes = [(labels[name], *place) for name, *place in composition.boxes]
            import_boxes(artwork=artwork, boxes=boxes, user=user, nothing=not boxes)
            Artwork.objects.filter(pk=artwork.pk).update(progress=Artwork.Progress.DONE)
