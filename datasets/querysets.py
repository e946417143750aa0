"""Questions about many datasets and artworks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

if TYPE_CHECKING:
    from datasets.models import Artwork, Dataset  # noqa: F401

# Key of the API → columns. The primary key comes last, so that pages never overlap.
SORTS = {
    "title": ("title", "pk"),
    "creator": ("creator", "pk"),
    "added": ("added_at", "pk"),
    "boxes": ("confirmed", "pk"),
    "date": ("date", "pk"),
    "teaching": ("teaching", "pk"),
}


class DatasetQuerySet(models.QuerySet["Dataset"]):
    def present(self) -> DatasetQuerySet:
        """Those that are not deleted."""
        return self.filter(deleted_at=None)

    def visible_to(self, user: Any) -> DatasetQuerySet:
        """Those that `user` is a member of; superusers see all."""
        return self if user.is_superuser else self.filter(memberships__user=user)

    def with_totals(self, user: Any) -> DatasetQuerySet:
        """Add `artwork_total`, `annotated_total`, `suggested_total`, `own_role` and the id of a cover artwork.

        Each is counted in an index of its own: joining the artworks would sort all of them.
        """
        from datasets.models import Artwork, Membership

        artworks = Artwork.objects.present().filter(dataset=OuterRef("pk"))
        membership = Membership.objects.filter(dataset=OuterRef("pk"), user=user).order_by()
        cover = artworks.order_by("added_at", "pk")
        return self.annotate(
            artwork_total=number_of(artworks),
            annotated_total=number_of(artworks.filter(state__in=["annotated", "nothing"])),
            suggested_total=number_of(artworks.filter(state="suggested")),
            own_role=Subquery(membership.values("role")[:1]),
            cover_id=Subquery(cover.values("pk")[:1]),
            cover_sha256=Subquery(cover.values("sha256")[:1]),
        )


def number_of(rows: models.QuerySet[Any]) -> Coalesce:
    """How many rows of each dataset there are, as an expression; they are filtered by `dataset=OuterRef("pk")`."""
    counted = rows.order_by().values("dataset").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), 0)


class ArtworkQuerySet(models.QuerySet["Artwork"]):
    def present(self) -> ArtworkQuerySet:
        """Those that are not deleted."""
        return self.filter(deleted_at=None)

    def search(self, words: str) -> ArtworkQuerySet:
        """Those in which every word occurs in title, creator, inventory number, description, file name or folder."""
        found = self
        for word in words.split():
            found = found.filter(
                Q(title__icontains=word)
                | Q(creator__icontains=word)
                | Q(identifier__icontains=word)
                | Q(description__icontains=word)
                | Q(file_name__icontains=word)
                | Q(folder__icontains=word)
            )
        return found

    def in_state(self, state: str) -> ArtworkQuerySet:
        return self.filter(state=state)

    def needing_work(self) -> ArtworkQuerySet:
        """Those that nobody has called done, what teaches the detector most first, then by title."""
        return self.filter(progress__in=["todo", "in_progress"]).order_by("-teaching", "title", "pk")

    def with_label(self, label_id: int) -> ArtworkQuerySet:
        """Those with at least one confirmed or suggested box of a label."""
        box = self.model._meta.get_field("boxes").related_model
        boxes = box._default_manager.filter(artwork=OuterRef("pk"), label=label_id)  # type: ignore[union-attr]
        return self.filter(Exists(boxes.exclude(state="rejected")))

    def sorted_by(self, key: str) -> ArtworkQuerySet:
        """Order by a key of `SORTS`, descending with a leading minus; an unknown key orders by title."""
        columns = SORTS.get(key.removeprefix("-"), SORTS["title"])
        return self.order_by(*(F(c).desc() if key.startswith("-") else F(c).asc() for c in columns))

    def progress_totals(self) -> dict[str, int]:
        """How many there are in each progress."""
        counts = {row["progress"]: row["n"] for row in self.order_by().values("progress").annotate(n=Count("pk"))}
        return {key: counts.get(key, 0) for key in ("todo", "in_progress", "done", "reviewed")}

    def totals(self) -> dict[str, int]:
        """How many there are in all and per state."""
        counts = {row["state"]: row["n"] for row in self.order_by().values("state").annotate(n=Count("pk"))}
        return {
            "all": sum(counts.values()),
            **{s: counts.get(s, 0) for s in ("todo", "suggested", "annotated", "nothing")},
        }
