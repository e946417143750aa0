"""What people do with datasets, their members and artworks: each function owns its transaction.

Rights are checked by the caller (`datasets.permissions`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files import File
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from datasets import archives, names, storing
from datasets.ingest import Duplicate, add_artwork, bring_back, no_space_is_said, refuse_too_large
from datasets.models import RANK, Archive, Artwork, Dataset, Membership, Role
from datasets.refusals import Conflict

__all__ = ["Duplicate", "Stale", "add_artwork"]

KEPT_AFTER_DELETION = timedelta(days=30)
ARCHIVE_KEPT = timedelta(days=1)


class Stale(Conflict):
    """409: somebody else has changed the metadata since; `artwork` is what it is now."""

    def __init__(self, artwork: Artwork) -> None:
        message = _("Somebody else has changed this artwork's description. Look at theirs and save yours again.")
        super().__init__(message, code="stale")
        self.artwork = artwork


class LastAdministrator(Conflict):
    """409: a dataset without an administrator could not be given one again."""

    def __init__(self) -> None:
        message = _("This is the dataset's last administrator. Make somebody else an administrator first.")
        super().__init__(message, code="last_administrator")


@transaction.atomic
def create_dataset(*, user: Any, name: str, description: str = "") -> Dataset:
    """Create a dataset with `user` as its administrator."""
    dataset = Dataset.objects.create(name=name, description=description, created_by=user)
    set_role(dataset=dataset, user=user, role=Role.ADMINISTRATOR)
    return dataset


@transaction.atomic
def set_role(*, dataset: Dataset, user: Any, role: Role) -> Membership:
    """Make `user` a member with this role, or change the role they have.

    Curators and administrators become staff, so that they can open the admin; there they see the datasets that they
    curate and nothing else. It is not taken back with the role, since it may have been given for other reasons.

    Raises:
        LastAdministrator: it would leave the dataset without an administrator.
    """
    if role != Role.ADMINISTRATOR:
        _keep_an_administrator(dataset, user.pk)
    membership, _created = Membership.objects.update_or_create(dataset=dataset, user=user, defaults={"role": role})
    if RANK[role] >= RANK[Role.CURATOR] and not user.is_staff:
        get_user_model().objects.filter(pk=user.pk).update(is_staff=True)
        user.is_staff = True
    return membership


@transaction.atomic
def remove_member(*, membership: Membership) -> None:
    """End a membership.

    Raises:
        LastAdministrator: it would leave the dataset without an administrator.
    """
    _keep_an_administrator(membership.dataset, membership.user_id)
    membership.delete()


def _keep_an_administrator(dataset: Dataset, user_id: int) -> None:
    """Refuse where the user is the only administrator. The lock makes two who leave at once wait for each other."""
    administrators = dataset.memberships.select_for_update().filter(role=Role.ADMINISTRATOR)
    if set(administrators.values_list("user_id", flat=True)) == {user_id}:
        raise LastAdministrator


def update_metadata(*, artwork: Artwork, changes: Mapping[str, str], revision: int) -> Artwork:
    """Change metadata that was read at `revision`, and return the artwork as it is now.

    Lines end as they do on pages, whatever a form or a spreadsheet has sent.

    Raises:
        Stale: the metadata has another revision by now; nothing is changed.
    """
    current = Artwork.objects.present().filter(pk=artwork.pk)
    clean = {name: text.replace("\r\n", "\n") for name, text in changes.items()}
    changed = current.filter(metadata_revision=revision).update(
        **clean, metadata_revision=F("metadata_revision") + 1, updated_at=timezone.now()
    )
    artwork.refresh_from_db()
    if not changed:
        raise Stale(artwork)
    return artwork


def delete(row: Artwork | Dataset) -> None:
    """Hide an artwork or a dataset; `restore` brings it back until `purge` removes it after 30 days."""
    row.deleted_at = timezone.now()
    row.save(update_fields=["deleted_at"])


def restore(row: Artwork | Dataset) -> None:
    """Bring back what was deleted.

    Raises:
        Duplicate: the same image has been added again meanwhile.
    """
    if isinstance(row, Artwork):
        bring_back(row)
    else:
        row.deleted_at = None
        row.save(update_fields=["deleted_at"])


def open_archive(*, dataset: Dataset, user: Any, upload: File) -> tuple[Archive, archives.Listing]:
    """Keep an uploaded ZIP until its images have been added, and list what is in it.

    Raises:
        BrokenArchive: it is no ZIP or a damaged one; nothing is kept.
        Refusal: it is larger than an upload may be, or the disk is full.
    """
    refuse_too_large(upload)
    with no_space_is_said():
        path = storing.keep_upload(upload)
    try:
        listing = archives.inspect(path, settings.MAX_UPLOAD_BYTES)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    file_name = names.base_name(upload.name or "")
    archive = Archive.objects.create(
        dataset=dataset, added_by=user, file_name=file_name, path=str(path), members=listing.members
    )
    return archive, listing


def add_member(*, archive: Archive, name: str, user: Any) -> Artwork:
    """Add the image that an archive lists as `name`.

    Raises:
        BrokenArchive: it cannot be taken out of the archive.
        Refusal: whatever `add_artwork` says of it.
    """
    with tempfile.TemporaryDirectory(dir=settings.UPLOADS_DIR) as folder, no_space_is_said():
        path = Path(folder) / "member"
        archives.extract_member(Path(archive.path), name, path, settings.MAX_UPLOAD_BYTES)
        with path.open("rb") as opened:
            return add_artwork(dataset=archive.dataset, user=user, upload=File(opened), relative_path=name)


def purge() -> dict[str, int]:
    """Remove for good what was deleted over 30 days ago, with its files, and uploads older than a day.

    Returns how many datasets, artworks and archives are gone.
    """
    before = timezone.now() - KEPT_AFTER_DELETION
    gone = {"archives": 0, "artworks": 0, "datasets": 0}
    archives_before = timezone.now() - ARCHIVE_KEPT
    for archive in Archive.objects.filter(added_at__lt=archives_before):
        storing.remove_archive(archive)
        gone["archives"] += 1
    storing.remove_strays(archives_before.timestamp())
    storing.trim_cache(before.timestamp())
    for dataset in Dataset.objects.filter(deleted_at__lt=before):
        gone["artworks"] += _purge_artworks(dataset.artworks.all())
        dataset.delete()
        gone["datasets"] += 1
    gone["artworks"] += _purge_artworks(Artwork.objects.filter(deleted_at__lt=before))
    return gone


def _purge_artworks(artworks: Any) -> int:
    """Delete rows first: a file without a row is waste, a row without its file is an error on a page."""
    number = 0
    for artwork in artworks.iterator():
        artwork.delete()
        storing.remove_files(artwork)
        number += 1
    return number
