"""How far people are with an artwork: to do, in progress, done, reviewed – and who may say so."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Case, QuerySet, Value, When
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from datasets.models import Artwork, Dataset, Role
from datasets.permissions import RoleTooLow, has_role

Progress = Artwork.Progress
# Their first edit begins an artwork; what was reviewed has to be reviewed again.
AFTER_AN_EDIT = {Progress.TODO: Progress.IN_PROGRESS, Progress.REVIEWED: Progress.DONE}


def begin(artwork: Artwork, user: Any) -> None:
    """Note on a row that is about to be saved that `user` has changed its boxes."""
    after = AFTER_AN_EDIT.get(Progress(artwork.progress))
    if after:
        artwork.progress, artwork.progress_by, artwork.progress_at = after, user, timezone.now()


def begin_many(artworks: QuerySet[Artwork], user: Any) -> None:
    """Do the same for many rows at once."""
    cases = [When(progress=before, then=Value(after)) for before, after in AFTER_AN_EDIT.items()]
    changed = artworks.filter(progress__in=list(AFTER_AN_EDIT))
    changed.update(progress=Case(*cases), progress_by=user, progress_at=timezone.now())


def set_progress(*, dataset: Dataset, artwork: Artwork, user: Any, progress: str) -> Artwork:
    """Say how far an artwork is. `dataset`: the one that `dataset_for` gave to `user`.

    Raises:
        RoleTooLow: only curators call an artwork reviewed, or take that back.
        Http404: it has been deleted meanwhile.
    """
    with transaction.atomic():
        locked = Artwork.objects.select_for_update().present().filter(pk=artwork.pk).first()
        if locked is None:
            raise Http404
        if Progress.REVIEWED in (progress, locked.progress) and not has_role(dataset, Role.CURATOR):
            raise RoleTooLow(Role.CURATOR)
        locked.progress, locked.progress_by, locked.progress_at = progress, user, timezone.now()
        locked.save(update_fields=["progress", "progress_by", "progress_at"])
    return locked


def progress_line(artwork: Artwork) -> str:
    """Who said so last, in words; empty where nobody did."""
    if not artwork.progress_by or not artwork.progress_at:
        return ""
    values = {"progress": artwork.get_progress_display(), "name": artwork.progress_by.get_username()}
    return _("%(progress)s, says %(name)s") % values
