"""Members and their roles."""

from typing import Any

import pytest

from datasets import services
from datasets.models import Membership, Role
from tests.datasets.test_api import send


def test_an_administrator_adds_changes_and_removes_members(
    dataset: Any, owner: Any, outsider: Any, client_of: Any
) -> None:
    client, url = client_of(owner), f"/api/datasets/{dataset.pk}/members/"
    added = send(client, "post", url, {"username": "otto", "role": "viewer"})
    assert (added.status_code, added.json()["role"]) == (201, "viewer")
    one = f"{url}{added.json()['id']}/"
    assert send(client, "patch", one, {"role": "curator"}).json()["role"] == "curator"
    assert client.get(url).json()["count"] == 2
    assert client.delete(one).status_code == 204
    assert client_of(outsider).get(f"/api/datasets/{dataset.pk}/").status_code == 404


def test_the_last_administrator_stays(dataset: Any, owner: Any, client_of: Any) -> None:
    own = Membership.objects.get(dataset=dataset, user=owner)
    url = f"/api/datasets/{dataset.pk}/members/{own.pk}/"
    for answer in (client_of(owner).delete(url), send(client_of(owner), "patch", url, {"role": "viewer"})):
        assert (answer.status_code, answer.json()["code"]) == (409, "last_administrator")
    assert Membership.objects.get(pk=own.pk).role == Role.ADMINISTRATOR


@pytest.mark.parametrize(
    "data",
    [
        {"username": "nobody", "role": "viewer"},
        {"username": "otto"},
        {"username": "otto", "role": "king"},
        {"username": "otto\0", "role": "viewer"},
        {"username": "x" * 151, "role": "viewer"},
        {"username": "otto", "role": "viewer", "staff": True},
    ],
)
def test_it_refuses_what_is_no_member(data: Any, dataset: Any, owner: Any, outsider: Any, client_of: Any) -> None:
    answer = send(client_of(owner), "post", f"/api/datasets/{dataset.pk}/members/", data)
    assert answer.status_code == 400 and answer.json()["message"]


@pytest.mark.parametrize(("role", "staff"), [("viewer", False), ("annotator", False), ("curator", True)])
def test_curators_may_open_the_admin(role: str, staff: bool, dataset: Any, django_user_model: Any) -> None:
    user = django_user_model.objects.create_user("nina")
    services.set_role(dataset=dataset, user=user, role=Role(role))
    user.refresh_from_db()
    assert user.is_staff is staff


def test_a_member_of_another_dataset_is_out_of_reach(dataset: Any, owner: Any, outsider: Any, client_of: Any) -> None:
    theirs = Membership.objects.get(user=outsider)
    url = f"/api/datasets/{dataset.pk}/members/{theirs.pk}/"
    assert client_of(owner).delete(url).status_code == 404
    assert send(client_of(owner), "patch", url, {"role": "viewer"}).status_code == 404
