"""The pages of datasets: the list, the grid of artworks, the members."""

from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from datasets.filters import GridFilter
from datasets.models import Artwork, Dataset, Role
from datasets.pages import frame, open_dataset, page_numbers

DATASETS_PER_PAGE = 24
ARTWORKS_PER_PAGE = 48


@require_safe
def dataset_list(request: HttpRequest) -> HttpResponse:
    """The datasets that the user is a member of, as cards."""
    datasets = Dataset.objects.present().visible_to(request.user)
    # Grouped rows lose the order of the model.
    pages = Paginator(datasets.with_totals(request.user).order_by("name", "pk"), DATASETS_PER_PAGE)
    pages.count = datasets.count()  # without the totals, which would be computed for every dataset
    page = pages.get_page(request.GET.get("page"))
    for dataset in page.object_list:
        _add_to_card(dataset, request.user)
    return render(request, "datasets/list.html", {"page": page, "pages": page_numbers(page)})


def _add_to_card(dataset: Any, user: Any) -> None:
    """Add what a card shows beside the totals: the address of its cover, the role in words, the share that is done."""
    dataset.cover = ""
    if dataset.cover_id:
        cover = Artwork(pk=dataset.cover_id, dataset_id=dataset.pk, sha256=dataset.cover_sha256)
        dataset.cover = cover.file_url("thumbnail")
    dataset.role_name = Role.ADMINISTRATOR.label if user.is_superuser else Role(dataset.own_role).label


@require_safe
def detail(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """The artworks of a dataset as a grid: filtered, sorted, in pages."""
    dataset = open_dataset(request, dataset_id)
    labels = list(dataset.labels.all())  # type: ignore[attr-defined]  # a relation from a layer above
    wanted = GridFilter.of(request.GET, labels)
    artworks = wanted.matching(dataset.artworks.present())
    totals = artworks.totals()
    pages = Paginator(wanted.listed(artworks), ARTWORKS_PER_PAGE)
    pages.count = totals[wanted.state or "all"]  # counted already
    page = pages.get_page(request.GET.get("page"))
    context = frame(dataset, "artworks") | {
        "page": page,
        "pages": page_numbers(page),
        "filter": wanted,
        "labels": labels,
        "totals": totals,
        "states": _states(wanted, totals),
        "query": wanted.query(),
    }
    for artwork in page.object_list:
        artwork.thumbnail = artwork.file_url("thumbnail")
    return render(request, "datasets/detail.html", context | {"data": _grid_data(context)})


def _states(wanted: GridFilter, totals: dict[str, int]) -> list[tuple[str, Any, int, str]]:
    """(state, its name, how many, the address that shows them), beginning with all of them."""
    choices = [("", _("All")), *Artwork.State.choices]
    return [(key, name, totals[key or "all"], wanted.query(state=key) or "?") for key, name in choices]


def _grid_data(context: dict[str, Any]) -> dict[str, Any]:
    """What the scripts of the grid need to know."""
    dataset = context["dataset"]
    return {
        "dataset": {"id": dataset.pk, "name": dataset.name, "description": dataset.description},
        "may": context["may"],
        "max_upload_bytes": settings.MAX_UPLOAD_BYTES,
    }


@require_safe
def members(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """Who may work on a dataset, and in which role."""
    dataset = open_dataset(request, dataset_id)
    people = dataset.memberships.select_related("user").order_by("user__username")
    context = frame(dataset, "members") | {"memberships": people, "roles": Role.choices}
    data = {
        "dataset": {"id": dataset.pk, "name": dataset.name},
        "may": context["may"],
        "me": request.user.get_username(),
    }
    return render(request, "datasets/members.html", context | {"data": data})
