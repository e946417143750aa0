"""The pages without a browser: who sees what, bad addresses, and a constant number of queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasets.models import Artwork

pytestmark = pytest.mark.django_db

OF_A_DATASET = ("", "labels/", "members/", "training/", "runs/", "detectors/")


@pytest.fixture
def get(dataset: Any, client_of: Callable[..., Any]) -> Callable[..., Any]:
    """`get(user, "labels/")`: the answer to a page of `dataset`."""

    def fetch(user: Any, path: str = "", **parameters: Any) -> Any:
        return client_of(user).get(f"/datasets/{dataset.pk}/{path}", parameters)

    return fetch


@pytest.fixture
def make_rows(dataset: Any, owner: Any) -> Callable[[int], list[Artwork]]:
    """`make_rows(n)`: artworks without files, for lists."""

    def make(n: int) -> list[Artwork]:
        start = dataset.artworks.count()
        size = {"width": 200, "height": 150, "display_width": 200, "display_height": 150}
        return Artwork.objects.bulk_create(
            Artwork(
                dataset=dataset,
                title=f"Work {i:03d}",
                file_name=f"{i}.jpg",
                format="jpeg",
                byte_size=1,
                sha256=f"{i:064d}",
                **size,
            )
            for i in range(start, start + n)
        )

    return make


@pytest.mark.parametrize("path", OF_A_DATASET)
def test_a_page_is_shown_to_members_and_to_nobody_else(get: Any, viewer: Any, outsider: Any, path: str) -> None:
    assert get(viewer, path).status_code == 200
    assert get(outsider, path).status_code == 404
    assert get(None, path)["Location"].startswith("/login/?next=")


@pytest.mark.parametrize("path", OF_A_DATASET)
def test_pages_refuse_what_is_no_reading(dataset: Any, owner: Any, client_of: Any, path: str) -> None:
    assert client_of(owner).post(f"/datasets/{dataset.pk}/{path}").status_code == 405


def test_a_viewer_finds_no_button_that_changes_anything(get: Any, viewer: Any, make_rows: Any) -> None:
    make_rows(3)
    for path in OF_A_DATASET:
        text = get(viewer, path).content.decode()
        for sign in (
            "data-upload",
            "data-edit",
            'id="settings',
            'id="member-new"',
            'id="label-new"',
            'id="start"',
            "data-use",
        ):
            assert sign not in text, (path, sign)


def test_a_curator_may_add_artworks_but_not_decide_on_members(get: Any, curator: Any) -> None:
    assert b"data-upload" in get(curator).content
    assert b'id="member-new"' not in get(curator, "members/").content
    assert b'id="delete-dataset"' not in get(curator).content


@pytest.mark.parametrize(
    "parameters",
    [
        {"page": "0"},
        {"page": "-1"},
        {"page": "x"},
        {"page": "99999999999999999999999"},
        {"label": "1' OR 1=1"},
        {"label": "99999999999999999999999"},
        {"state": "lost"},
        {"sort": "password"},
        {"sort": "--title"},
        {"search": "\0"},
        {"search": "%_\\'\""},
        {"search": "word " * 400},
    ],
    ids=str,
)
def test_a_bad_filter_is_left_out_instead_of_failing(
    get: Any, viewer: Any, make_rows: Any, parameters: dict[str, str]
) -> None:
    make_rows(2)
    assert get(viewer, **parameters).status_code == 200


@pytest.mark.parametrize("path", ["/", "/datasets/{d}/training/", "/datasets/{d}/runs/"])
def test_a_page_number_out_of_range_shows_the_last_page(dataset: Any, owner: Any, client_of: Any, path: str) -> None:
    for number in ("0", "99", "x", "9" * 30):
        assert client_of(owner).get(path.format(d=dataset.pk), {"page": number}).status_code == 200


def test_the_grid_shows_a_page_and_the_way_to_the_next(get: Any, viewer: Any, make_rows: Any) -> None:
    make_rows(50)
    first = get(viewer, search="Work", sort="-title").content.decode()
    assert first.count('class="tile"') == 48
    assert "?search=Work&amp;sort=-title&amp;page=2" in first
    assert get(viewer, search="Work", page=2).content.decode().count('class="tile"') == 2


def test_links_of_the_grid_carry_the_filter_to_the_annotation_page(get: Any, viewer: Any, make_rows: Any) -> None:
    artwork = make_rows(1)[0]
    text = get(viewer, state="todo", sort="-added").content.decode()
    assert f"/artworks/{artwork.pk}/?state=todo&amp;sort=-added" in text


def test_counts_of_the_states_follow_search_but_not_the_chosen_state(get: Any, viewer: Any, make_rows: Any) -> None:
    rows = make_rows(3)
    Artwork.objects.filter(pk=rows[0].pk).update(state="annotated", title="Other")
    states = {key: total for key, _, total, _ in get(viewer, state="annotated").context["states"]}
    assert (states[""], states["todo"], states["annotated"]) == (3, 2, 1)
    states = {key: total for key, _, total, _ in get(viewer, search="Work").context["states"]}
    assert (states[""], states["annotated"]) == (2, 0)


def test_names_are_shown_as_text_never_as_markup(get: Any, viewer: Any, dataset: Any, make_rows: Any) -> None:
    make_rows(1)
    Artwork.objects.update(title="<script>alert(1)</script>")
    type(dataset).objects.update(name="</script><b>Icons")
    text = get(viewer).content.decode()
    assert "<script>alert" not in text
    assert "</script><b>" not in text


@pytest.mark.parametrize("path", ["/", *(f"/datasets/{{d}}/{path}" for path in OF_A_DATASET)])
def test_the_number_of_queries_does_not_grow(
    path: str, dataset: Any, owner: Any, client_of: Any, make_rows: Any
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(path.format(d=dataset.pk)).status_code == 200
        return len(caught)

    client = client_of(owner)
    make_rows(2)
    few = queries()
    make_rows(40)
    assert queries() == few <= 14


def test_a_missing_page_says_what_to_do_in_our_own_look(client_of: Any, owner: Any) -> None:
    answer = client_of(owner).get("/datasets/424242/")
    assert answer.status_code == 404
    assert b"This frame is empty" in answer.content


def test_a_stale_form_is_refused_with_an_explanation(client_of: Any, owner: Any) -> None:
    answer = client_of(owner, enforce_csrf_checks=True).post("/logout/")
    assert answer.status_code == 403
    assert b"This form is too old" in answer.content


def test_pages_carry_neither_inline_scripts_nor_inline_styles(get: Any, owner: Any, make_rows: Any) -> None:
    make_rows(2)
    for path in OF_A_DATASET:
        text = get(owner, path).content.decode()
        assert " style=" not in text
        assert "<style" not in text
        assert " onclick=" not in text
        for script in text.split("<script")[1:]:
            opening = script.split(">")[0]
            assert "src=" in opening or 'type="application/json"' in opening
