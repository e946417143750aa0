"""Curators' admin: concepts and boxes of the datasets that they curate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from annotations.models import Box, Label
from tests.annotations.factories import artwork_row, box_row


@pytest.fixture
def admin_client_of(client_of: Callable[..., Any]) -> Callable[[Any], Client]:
    """A client of somebody whom a superuser has let into the admin."""

    def make(user: Any) -> Client:
        user.is_staff = True
        user.save()
        client: Client = client_of(user)
        return client

    return make


def test_a_curator_sees_their_own_concepts_only(
    admin_client_of: Callable[..., Client], curator: Any, label: Any, foreign_label: Any
) -> None:
    page = admin_client_of(curator).get("/admin/annotations/label/").content.decode()
    assert label.name in page and foreign_label.name not in page


@pytest.mark.parametrize("path", ["change", "delete", "history"])
def test_a_curator_cannot_open_others_concepts(
    admin_client_of: Callable[..., Client], curator: Any, foreign_label: Any, path: str
) -> None:
    response = admin_client_of(curator).get(f"/admin/annotations/label/{foreign_label.pk}/{path}/")
    assert response.status_code in (302, 403, 404)
    assert foreign_label.name not in response.content.decode()


def test_staff_who_curate_nothing_see_nothing(admin_client_of: Callable[..., Client], viewer: Any, label: Any) -> None:
    client = admin_client_of(viewer)
    assert client.get("/admin/annotations/label/").status_code == 403
    assert client.get("/admin/annotations/box/").status_code == 403


def test_a_concept_is_added_by_the_rules_of_the_api(
    admin_client_of: Callable[..., Client], curator: Any, dataset: Any, label: Any
) -> None:
    client = admin_client_of(curator)
    form = {"dataset": dataset.pk, "name": "ANGEL", "colour": "#123456", "shortcut": ""}
    assert "already" in client.post("/admin/annotations/label/add/", form).content.decode()
    assert client.post("/admin/annotations/label/add/", form | {"name": "Cross"}).status_code == 302
    assert Label.objects.get(name="Cross").colour == "#123456"


def test_a_concept_cannot_be_added_to_a_dataset_of_others(
    admin_client_of: Callable[..., Client], curator: Any, foreign_label: Any
) -> None:
    form = {"dataset": foreign_label.dataset_id, "name": "Cross", "colour": "#123456", "shortcut": ""}
    assert admin_client_of(curator).post("/admin/annotations/label/add/", form).status_code == 200
    assert not Label.objects.filter(name="Cross").exists()


def test_deleting_concepts_recounts_their_artworks(
    admin_client_of: Callable[..., Client], curator: Any, artwork: Any, label: Any
) -> None:
    box_row(artwork, label, (0, 0, 20, 20))
    client = admin_client_of(curator)
    chosen = {"action": "delete_selected", "_selected_action": [label.pk]}
    assert "Boxes: 1" in client.post("/admin/annotations/label/", chosen).content.decode()
    client.post("/admin/annotations/label/", chosen | {"post": "yes"})
    artwork.refresh_from_db()
    assert not Label.objects.exists() and (artwork.confirmed, artwork.state) == (0, "todo")


def test_boxes_are_looked_at_and_not_typed_in(
    admin_client_of: Callable[..., Client], curator: Any, artwork: Any, label: Any
) -> None:
    box = box_row(artwork, label, (0, 0, 20, 20))
    client = admin_client_of(curator)
    assert (
        f"/datasets/{artwork.dataset_id}/artworks/{artwork.pk}/"
        in client.get("/admin/annotations/box/").content.decode()
    )
    assert client.get("/admin/annotations/box/add/").status_code == 403
    assert client.post(f"/admin/annotations/box/{box.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Box.objects.filter(pk=box.pk).exists()


def test_boxes_are_filtered_by_dataset_and_then_by_concept(
    admin_client_of: Callable[..., Client], curator: Any, artwork: Any, label: Any, other_label: Any, foreign_label: Any
) -> None:
    box_row(artwork, label, (0, 0, 20, 20))
    client = admin_client_of(curator)
    address = f"/admin/annotations/box/?dataset={artwork.dataset_id}"
    assert "1 box" in client.get(f"{address}&label={label.pk}").content.decode()
    assert "0 boxes" in client.get(f"{address}&label={other_label.pk}").content.decode()
    page = client.get(f"/admin/annotations/box/?dataset={foreign_label.dataset_id}").content.decode()
    assert "0 boxes" in page and foreign_label.name not in page
    assert client.get("/admin/annotations/box/?dataset=x&label=y").status_code in (200, 302)


@pytest.mark.parametrize("kind", ["label", "box"])
def test_a_list_costs_the_same_queries_for_many_rows(
    admin_client_of: Callable[..., Client],
    curator: Any,
    dataset: Any,
    kind: str,
    count_queries: Callable[..., int],
) -> None:
    client = admin_client_of(curator)

    def add(number: int) -> None:
        label = Label.objects.create(dataset=dataset, name=f"Concept {number}", colour="#123456")
        box_row(artwork_row(dataset, number), label, (0, 0, 20, 20), author=curator)

    add(0)
    few = count_queries(lambda: client.get(f"/admin/annotations/{kind}/"))
    for number in range(1, 30):
        add(number)
    assert count_queries(lambda: client.get(f"/admin/annotations/{kind}/")) == few
