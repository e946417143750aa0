"""What the pages of a dataset have in common: the right to see them, and the frame around them."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Page
from django.http import HttpRequest

from datasets.models import Dataset, Role
from datasets.permissions import RoleTooLow, dataset_for, has_role


def open_dataset(request: HttpRequest, dataset_id: int, needed: Role = Role.VIEWER) -> Dataset:
    """Return the dataset of a page.

    Raises:
        Http404: the user is no member, or there is none.
        PermissionDenied: the role is too low. Django's own, which becomes the 403 page; the API's would be a 500 here.
    """
    try:
        return dataset_for(request.user, dataset_id, needed)
    except RoleTooLow as refusal:
        raise PermissionDenied(str(refusal.detail)) from refusal


def frame(dataset: Dataset, tab: str) -> dict[str, Any]:
    """The context of `dataset.html`: the dataset, the tab that is open, counts for the tabs, what the user may do."""
    return {
        "dataset": dataset,
        "tab": tab,
        "counts": {
            "artworks": dataset.artworks.present().count(),
            "labels": dataset.labels.count(),  # type: ignore[attr-defined]  # a relation from a layer above
            "members": dataset.memberships.count(),
        },
        "may": {
            "annotate": has_role(dataset, Role.ANNOTATOR),
            "curate": has_role(dataset, Role.CURATOR),
            "administer": has_role(dataset, Role.ADMINISTRATOR),
        },
    }


def page_numbers(page: Page[Any]) -> list[int | str]:
    """Numbers for `parts/pages.html`, with gaps; nothing where one page holds all."""
    if page.paginator.num_pages < 2:
        return []
    return list(page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1))
