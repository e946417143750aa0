"""Rectangles in pixels of the oriented artwork, origin top left: checked, clipped and compared."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.utils.translation import gettext as _

from annotations.refusals import EditRefused

# How far a box may reach over the edge and be clipped without a word: what rounding at some zoom level makes.
OVERSHOOT = 1.0
# A box without a whole pixel shows nothing, and no detector can learn from it.
SMALLEST = 1.0


@dataclass(frozen=True, slots=True)
class Rect:
    """An axis-parallel rectangle; all four are pixels, as floats."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def area(self) -> float:
        return self.width * self.height

    def is_finite(self) -> bool:
        return all(math.isfinite(value) for value in (self.x, self.y, self.width, self.height))


def clipped(rect: Rect, width: int, height: int) -> Rect:
    """The part of `rect` inside an artwork of `width` × `height` pixels; its size is 0 where nothing is inside."""
    left, top = min(max(rect.x, 0.0), width), min(max(rect.y, 0.0), height)
    right, bottom = min(max(rect.right, left), width), min(max(rect.bottom, top), height)
    return Rect(left, top, right - left, bottom - top)


def checked(rect: Rect, width: int, height: int) -> Rect:
    """Return `rect` clipped to an artwork of `width` × `height` pixels, if it is a box that can be kept.

    Raises:
        EditRefused: a number is not finite, the size is zero, negative or under a pixel, or it reaches over the edge
            by more than `OVERSHOOT`; the message says which.
    """
    if not rect.is_finite():
        raise EditRefused(_("A box needs four finite numbers: x, y, width and height."), code="not_finite")
    if rect.width <= 0 or rect.height <= 0:
        raise EditRefused(_("A box needs a width and a height above zero."), code="no_size")
    over = max(-rect.x, -rect.y, rect.right - width, rect.bottom - height)
    if over > OVERSHOOT:
        message = _("The box reaches outside the artwork, which is %(width)d × %(height)d pixels. Draw it inside.")
        raise EditRefused(message % {"width": width, "height": height}, code="outside")
    inside = clipped(rect, width, height)
    if inside.width < SMALLEST or inside.height < SMALLEST:
        raise EditRefused(_("The box is smaller than one pixel. Draw a larger one."), code="too_small")
    return inside


def iou(one: Rect, other: Rect) -> float:
    """Intersection over union of two rectangles, 0 to 1."""
    across = min(one.right, other.right) - max(one.x, other.x)
    down = min(one.bottom, other.bottom) - max(one.y, other.y)
    if across <= 0 or down <= 0:
        return 0.0
    shared = across * down
    together = one.area + other.area - shared
    return shared / together if together > 0 else 0.0  # areas of almost nothing are rounded to none
