"""The way from artwork to artwork keeps to the grid's filter and order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.neighbours import neighbour
from datasets.filters import GridFilter
from datasets.models import Artwork

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def rows(dataset: Any, count: int, **fields: Any) -> list[Artwork]:
    """Artworks without files; every third shares its title and creator with the one before."""
    made = [
        Artwork(
            dataset=dataset,
            title=f"Title {number - (number % 3 == 2):05}",
            creator=f"Creator {number % 4}",
            date=str(1500 + number % 7),
            sha256=f"{number:064x}",
            confirmed=number % 5,
            state="annotated" if number % 5 else "todo",
            width=10,
            height=10,
            display_width=10,
            display_height=10,
            byte_size=1,
            **fields,
        )
        for number in range(count)
    ]
    return Artwork.objects.bulk_create(made)


@pytest.mark.parametrize(
    "sort", ["", "title", "-title", "creator", "-creator", "added", "-added", "boxes", "-boxes", "date"]
)
@pytest.mark.parametrize("state", ["", "annotated"])
def test_going_on_visits_every_artwork_of_the_grid_once_in_its_order(dataset: Any, sort: str, state: str) -> None:
    rows(dataset, 20)
    wanted = GridFilter(sort=sort, state=state)
    grid = list(wanted.listed(Artwork.objects.filter(dataset=dataset)))
    visited = [grid[0]]
    while after := neighbour(visited[-1], wanted, forward=True):
        visited.append(after)
    assert visited == grid
    back = [grid[-1]]
    while before := neighbour(back[-1], wanted, forward=False):
        back.append(before)
    assert back == grid[::-1]


def test_an_artwork_that_has_left_the_filter_still_knows_what_comes_after_it(dataset: Any) -> None:
    rows(dataset, 20)
    wanted = GridFilter(state="todo")
    first, second, *_ = wanted.listed(Artwork.objects.filter(dataset=dataset))
    Artwork.objects.filter(pk=first.pk).update(state="annotated")
    assert neighbour(first, wanted, forward=True) == second


def test_deleted_artworks_and_those_of_other_datasets_are_passed_over(dataset: Any, outsider: Any) -> None:
    from datasets.models import Dataset

    first, second, third = rows(dataset, 3)
    rows(Dataset.objects.exclude(pk=dataset.pk).get(), 3)
    Artwork.objects.filter(pk=second.pk).update(deleted_at="2026-01-01T00:00Z")
    assert neighbour(first, GridFilter(sort="added"), forward=True) == third


def test_the_page_costs_the_same_number_of_queries_however_much_there_is(
    client_of: Callable[..., Any], owner: Any, dataset: Any, artwork: Any, label: Any
) -> None:
    from uuid import uuid4

    from annotations.models import Box

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(artwork.get_absolute_url() + "?state=todo&sort=-date").status_code == 200
        return len(captured)

    client = client_of(owner)
    queries()
    before = queries()
    rows(dataset, 300)
    Box.objects.bulk_create(
        Box(
            pk=uuid4(),
            artwork=artwork,
            label=label,
            x=1,
            y=1,
            width=5,
            height=5,
            author=owner,
            image_width=200,
            image_height=150,
        )
        for _ in range(50)
    )
    assert queries() == before
