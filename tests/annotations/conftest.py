"""Fixtures of the tests of boxes and labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.models import Label
from datasets.models import Artwork
from tests.annotations.factories import artwork_row, batch


@pytest.fixture
def artwork(dataset: Any) -> Artwork:
    """A row without files: nothing here looks at its pixels."""
    return artwork_row(dataset)


@pytest.fixture
def other_label(dataset: Any) -> Label:
    return Label.objects.create(dataset=dataset, name="Book", colour="#0072b2", shortcut="2")


@pytest.fixture
def foreign_label(outsider: Any) -> Label:
    """A label of a dataset that the people of `dataset` do not belong to."""
    dataset = outsider.memberships.get().dataset
    return Label.objects.create(dataset=dataset, name="Secret", colour="#009e73")


@pytest.fixture
def edit(client_of: Callable[..., Any], annotator: Any) -> Callable[..., Any]:
    """`edit(artwork, *edits, **fields)`: send a batch as the annotator, based on the revision `artwork` shows."""
    client = client_of(annotator)

    def send(artwork: Artwork, *edits: dict[str, Any], **fields: Any) -> Any:
        url = f"/api/datasets/{artwork.dataset_id}/artworks/{artwork.pk}/edits/"
        response = client.post(url, batch(artwork, *edits, **fields), content_type="application/json")
        artwork.refresh_from_db()
        return response

    return send


@pytest.fixture
def count_queries() -> Callable[[Callable[[], Any]], int]:
    """`count_queries(ask)`: how many queries an answer costs; it must be an answer of success."""

    def count(ask: Callable[[], Any]) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert ask().status_code == 200
        return len(queries)

    return count
