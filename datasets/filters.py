"""The question that the grid's address asks, made safe: what cannot be understood is left out, never an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from datasets.models import Artwork
from datasets.querysets import SORTS, ArtworkQuerySet

LONGEST_SEARCH = 200
MOST_WORDS = 8

SORT_NAMES = [
    ("title", _("Title")),
    ("creator", _("Creator")),
    ("date", _("Date")),
    ("-added", _("Newest first")),
    ("added", _("Oldest first")),
    ("-boxes", _("Most boxes")),
    ("boxes", _("Fewest boxes")),
    ("-teaching", _("What the detector would learn most from")),
]


@dataclass(frozen=True)
class GridFilter:
    """Which artworks the grid shows, and in which order. Empty values mean: all of them, by title."""

    search: str = ""
    state: str = ""
    label: int | None = None
    sort: str = ""
    progress: str = ""

    @classmethod
    def of(cls, asked: Mapping[str, Any], labels: Iterable[Any]) -> GridFilter:
        """Read `search`, `state`, `label`, `sort` and `progress`; a label must be one of `labels`."""
        search = str(asked.get("search", "")).replace("\0", "")[:LONGEST_SEARCH]
        state = str(asked.get("state", ""))
        sort = str(asked.get("sort", ""))
        progress = str(asked.get("progress", ""))
        known = {str(label.pk): label.pk for label in labels}
        return cls(
            search=" ".join(search.split()[:MOST_WORDS]),
            state=state if state in Artwork.State.values else "",
            label=known.get(str(asked.get("label", ""))),
            sort=sort if sort.removeprefix("-") in SORTS else "",
            progress=progress if progress in Artwork.Progress.values else "",
        )

    def matching(self, artworks: ArtworkQuerySet) -> ArtworkQuerySet:
        """Those that match in everything but the state, whose counts are shown per state."""
        if self.search:
            artworks = artworks.search(self.search)
        if self.progress:
            artworks = artworks.filter(progress=self.progress)
        return artworks.with_label(self.label) if self.label else artworks

    def listed(self, artworks: ArtworkQuerySet) -> ArtworkQuerySet:
        """Those of the wanted state, in order."""
        if self.state:
            artworks = artworks.in_state(self.state)
        return artworks.sorted_by(self.sort or "title")

    @property
    def is_active(self) -> bool:
        """Whether anything is left out of the grid."""
        return bool(self.search or self.state or self.label or self.progress)

    @property
    def progress_names(self) -> list[tuple[str, Any]]:
        return list(Artwork.Progress.choices)

    @property
    def sort_names(self) -> list[tuple[str, Any]]:
        return SORT_NAMES

    def query(self, **changed: Any) -> str:
        """The filter as a query string (with a leading `?`), so that other pages can lead back to it."""
        values = {name: getattr(self, name) for name in ("search", "state", "label", "sort", "progress")} | changed
        kept = {name: value for name, value in values.items() if value}
        return f"?{urlencode(kept)}" if kept else ""
