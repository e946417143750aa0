"""Whatever stands in an address of the admin or in a form that is sent to it, no answer is a 5xx."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contracts.conftest import Scene

LISTS = [
    *("datasets/dataset", "datasets/artwork", "annotations/label", "annotations/box"),
    *("training/detector", "training/trainingrun", "training/inferencerun", "training/snapshot"),
]
FILTERS = [
    *("dataset", "label", "state", "dataset__id__exact", "dataset__isnull", "artwork", "id__in", "p"),
    *("created_at__year", "created_at__month", "created_at__day"),
]
NONSENSE = ["9" * 25, "9" * 5000, str(2**63), "-" + "9" * 25, "0", "x", ""]
ACTIONS = ["delete_selected", "restore", "set_rights", "cancel"]


@pytest.fixture
def client(scene: Scene, client_of: Callable[..., Any]) -> Any:
    """A client of a superuser, to whom everything is open."""
    user = scene.people["administrator"]
    user.is_staff = user.is_superuser = True
    user.save()
    return client_of(user, raise_request_exception=False)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_that_makes_no_sense_is_ignored_or_finds_nothing(client: Any, path: str, name: str) -> None:
    answers = {value[:30]: client.get(f"/admin/{path}/", {name: value}).status_code for value in NONSENSE}
    assert {value: status for value, status in answers.items() if status not in (200, 302, 400)} == {}


@pytest.mark.parametrize("also", ["dataset", "created_at__year"])
def test_a_second_filter_makes_it_no_worse(client: Any, scene: Scene, also: str) -> None:
    first = {"dataset": scene.dataset.pk, "created_at__year": 2026}[also]
    for path, name in (("annotations/box", "label"), ("training/trainingrun", "created_at__month")):
        for value in NONSENSE:
            assert client.get(f"/admin/{path}/", {also: first, name: value}).status_code in (200, 302, 400), value[:30]


def test_boxes_of_a_dataset_that_there_is_not_are_none(client: Any, scene: Scene) -> None:
    assert "Work 00000" in client.get(f"/admin/annotations/box/?dataset={scene.dataset.pk}").content.decode()
    assert "Work 00000" not in client.get("/admin/annotations/box/?dataset=987654").content.decode()


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("value", NONSENSE, ids=lambda value: value[:30] or "nothing")
def test_ids_that_no_page_sends_are_refused(client: Any, path: str, value: str) -> None:
    url = f"/admin/{path}/"
    for action in ACTIONS:
        form = {"action": action, "_selected_action": value, "apply": "1", "value": "", "post": "yes"}
        assert client.post(url, form).status_code < 500, action
    edits = {"form-0-id": value, "form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "_save": "Save"}
    assert client.post(url, edits).status_code < 500
    for page in ("change", "delete", "history"):
        assert client.get(f"{url}{value or 0}/{page}/").status_code < 500, page


@pytest.mark.parametrize("value", NONSENSE, ids=lambda value: value[:30] or "nothing")
def test_forms_with_ids_that_no_page_sends_are_refused(client: Any, scene: Scene, value: str) -> None:
    label = {"dataset": value, "name": "Cross", "colour": "#123456", "shortcut": ""}
    assert client.post("/admin/annotations/label/add/", label).status_code == 200
    form = {"name": "Icons", "memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 1, "memberships-0-id": value}
    page = f"/admin/datasets/dataset/{scene.dataset.pk}/change/"
    assert client.post(page, form | {"memberships-0-role": "administrator"}).status_code < 500
