"""Who may open which page and which file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import get_resolver

from tests.contracts.conftest import PEOPLE, ROLES, Scene
from tests.contracts.test_permissions import routes

D = "/datasets/{dataset_id}/"
FILE = D + "artworks/{artwork_id}/files/{kind}/{sha16}/"

# Page, the lowest role that sees it, the status that it gets. "anybody": logged in. "nobody": no login needed.
TABLE: list[tuple[str, str, int]] = [
    ("/", "anybody", 200),
    ("/login/", "nobody", 200),
    ("/logout/", "nobody", 405),
    ("/password/", "anybody", 200),
    ("/password/done/", "anybody", 200),
    ("/jsi18n/", "nobody", 200),
    ("/i18n/setlang/", "nobody", 302),
    (D, "viewer", 200),
    (D + "labels/", "viewer", 200),
    (D + "members/", "viewer", 200),
    (D + "detectors/", "viewer", 200),
    (D + "detectors/{detector_id}/", "viewer", 200),
    (D + "training/", "viewer", 200),
    (D + "runs/", "viewer", 200),
    (D + "runs/{run_id}/", "viewer", 200),
    (D + "artworks/{artwork_id}/", "viewer", 200),
    (D + "progress/", "viewer", 200),
    (D + "next/", "viewer", 302),
    (FILE, "viewer", 404),
]


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize(("pattern", "needed", "status"), TABLE)
def test_everybody_sees_what_their_role_allows_and_nothing_else(
    scene: Scene, client_of: Callable[..., Any], pattern: str, needed: str, status: int, person: str
) -> None:
    path = pattern.format(**scene.ids, kind="thumbnail", sha16=scene.artwork.sha256[:16])
    response = client_of(scene.people[person]).get(path)
    if needed == "nobody":
        # Who is logged in has no business on the login page.
        assert response.status_code in (status, 302)
    elif person == "anonymous":
        assert response.status_code == 302 and response["Location"].startswith("/login/")
    elif needed == "anybody" or person in ROLES:
        assert response.status_code == status
    else:
        assert response.status_code == 404


def test_an_outsiders_404_for_a_file_is_the_same_as_for_none(scene: Scene, client_of: Callable[..., Any]) -> None:
    client = client_of(scene.people["outsider"])
    there = FILE.format(**scene.ids, kind="original", sha16=scene.artwork.sha256[:16])
    absent = there.replace(f"/datasets/{scene.dataset.pk}/", "/datasets/987654/")
    assert client.get(there).status_code == client.get(absent).status_code == 404


def test_every_page_is_in_the_table() -> None:
    listed = {pattern for pattern, *_rest in TABLE}
    # The API and the image service have tables of their own, and the admin asks `CuratedAdmin` (see
    # tests/annotations/test_admin.py).
    paths = [path for path, _ in routes(get_resolver().url_patterns, "")]
    there = {f"/{path}" for path in paths if not path.startswith(("api/", "admin/")) and "/iiif/" not in path}
    assert {path.replace("<int:", "{").replace("<str:", "{").replace(">", "}") for path in there} == listed
