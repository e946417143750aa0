"""`manage.py import_folder DATASET FOLDER`: add every image of a folder and its subfolders to a dataset."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.files import File
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from datasets import services
from datasets.models import RANK, Dataset, Role
from datasets.permissions import role_of
from datasets.refusals import Refusal


class Command(BaseCommand):
    help = "Add every image of a folder to a dataset, which is made if there is none of that name."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dataset", help="name of the dataset")
        parser.add_argument("folder", type=Path, help="folder with images; subfolders are searched too")
        parser.add_argument("--user", required=True, help="who adds them: a curator of the dataset")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["folder"].is_dir():
            raise CommandError(f"There is no folder {options['folder']}.")
        paths = sorted(images_in(options["folder"]))
        if not paths:
            raise CommandError(f"The folder {options['folder']} holds no files.")
        user = find_user(options["user"])
        dataset = find_or_create(options["dataset"], user)
        added, refused = 0, []
        for path in tqdm(paths, desc="Adding", unit=" files", dynamic_ncols=True):
            try:
                add(dataset, user, path, options["folder"])
                added += 1
            except Refusal as refusal:
                refused.append(f"  {path.relative_to(options['folder'])}: {refusal.detail}")
            except OSError as error:
                refused.append(f"  {path.relative_to(options['folder'])}: {error.strerror or error}")
        self.stdout.write(f"{added} added to “{dataset}” (number {dataset.pk}), {len(refused)} refused.")
        for line in refused:
            self.stderr.write(line)


def images_in(folder: Path) -> Iterator[Path]:
    """Every file below a folder, but hidden ones and links."""
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not path.is_symlink() and not hidden:
            yield path


def add(dataset: Dataset, user: Any, path: Path, folder: Path) -> None:
    """Add one file. Raises Refusal."""
    with path.open("rb") as opened:
        upload = File(opened, name=path.name)
        services.add_artwork(dataset=dataset, user=user, upload=upload, relative_path=str(path.relative_to(folder)))


def find_user(name: str) -> Any:
    """The account of this name. Raises CommandError."""
    user = get_user_model().objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"There is no account “{name}”. Make one with `manage.py createsuperuser`.")
    return user


def find_or_create(name: str, user: Any) -> Dataset:
    """The dataset of this name that `user` may add to, or a new one. Raises CommandError."""
    found = list(Dataset.objects.present().visible_to(user).filter(name=name)[:2])
    if len(found) > 1:
        raise CommandError(f"{user} is a member of several datasets “{name}”. Rename one of them first.")
    if not found:
        return services.create_dataset(user=user, name=name)
    role = role_of(user, found[0])
    if role is None or RANK[role] < RANK[Role.CURATOR]:
        raise CommandError(f"{user} may not add artworks to “{name}”: that needs the role of a curator.")
    return found[0]
