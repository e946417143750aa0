"""Questions about many labels and boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Count, Q

if TYPE_CHECKING:
    from annotations.models import Box, Label  # noqa: F401


class LabelQuerySet(models.QuerySet["Label"]):
    def with_counts(self) -> LabelQuerySet:
        """Add `box_total` and `artwork_total`: confirmed boxes on artworks that are not deleted."""
        counted = Q(boxes__state="confirmed", boxes__artwork__deleted_at=None)
        return self.annotate(
            box_total=Count("boxes", filter=counted),
            artwork_total=Count("boxes__artwork", filter=counted, distinct=True),
        )


class BoxQuerySet(models.QuerySet["Box"]):
    def confirmed(self) -> BoxQuerySet:
        return self.filter(state="confirmed")

    def suggested(self) -> BoxQuerySet:
        return self.filter(state="suggested")

    def shown(self) -> BoxQuerySet:
        """Those that people see: rejected ones are kept only so that they are not suggested again."""
        return self.exclude(state="rejected")
