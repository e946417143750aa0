"""The artworks before and after one in the order and selection of the grid, found without counting or listing them."""

from __future__ import annotations

from django.db.models import Q

from datasets.filters import GridFilter
from datasets.models import Artwork
from datasets.querysets import SORTS


def neighbour(artwork: Artwork, wanted: GridFilter, *, forward: bool) -> Artwork | None:
    """Return the next (or previous) artwork of the grid that `wanted` describes, or None at its end.

    The place is found by the values of `artwork` itself (one step along the index of that order), so it works as well
    where the artwork has just left the selection: annotating the last box of one "to do" must not lose the way on.
    """
    key = wanted.sort or "title"
    column = SORTS[key.removeprefix("-")][0]
    towards = "lt" if key.startswith("-") == forward else "gt"
    value = getattr(artwork, column)
    # The first condition is the range of the index, the second tells artworks with the same value apart.
    beyond = Q(**{f"{column}__{towards}e": value}) & (
        Q(**{f"{column}__{towards}": value}) | Q(**{f"pk__{towards}": artwork.pk})
    )
    artworks = wanted.listed(wanted.matching(Artwork.objects.present().filter(dataset=artwork.dataset_id)))
    found = artworks.filter(beyond)
    return (found if forward else found.reverse()).first()
