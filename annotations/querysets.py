"""Questions about many labels and boxes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Count, F, Q, Window
from django.db.models.functions import Cast, Greatest, RowNumber

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

    def median_sides(self, least: int) -> dict[int, float]:
        """By label of at least `least` of the boxes, how large they are: the median of their sides.

        A side is the root of a box's area, as a share of its artwork's longer side.
        """
        longer = Cast(Greatest("image_width", "image_height"), models.FloatField())
        of_label = Window(RowNumber(), partition_by="label", order_by="share")
        middle = (
            self.annotate(share=F("width") * F("height") / longer / longer)
            .annotate(place=of_label, of=Window(Count("*"), partition_by="label"))
            .filter(of__gte=least, place=(F("of") + 1) / 2)
        )
        return {label: math.sqrt(share) for label, share in middle.order_by().values_list("label", "share")}
