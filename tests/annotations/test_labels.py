"""Labels belong to one dataset; their names, colours and keys do not collide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from annotations.labelling import PALETTE
from annotations.models import Box, Label
from tests.annotations.factories import artwork_row, box_row, suggestion_row

pytestmark = pytest.mark.services

Ask = Callable[..., Any]


@pytest.fixture
def ask(client_of: Callable[..., Any], curator: Any, dataset: Any) -> Ask:
    """`ask(method, path, **body)` below the labels of `dataset`, as its curator."""
    client = client_of(curator)

    def send(method: str, path: str = "", **body: Any) -> Any:
        url = f"/api/datasets/{dataset.pk}/labels/{path}"
        return getattr(client, method)(url, body or None, content_type="application/json")

    return send


def test_a_label_needs_a_name_only(ask: Ask) -> None:
    response = ask("post", name="  Halo ")
    assert response.status_code == 201
    given = response.json()
    assert (given["name"], given["colour"], given["shortcut"], given["boxes"]) == ("Halo", PALETTE[0], "1", 0)


def test_colours_and_keys_go_on_and_run_out_gently(ask: Ask) -> None:
    given = [ask("post", name=f"Concept {number}").json() for number in range(13)]
    assert [label["colour"] for label in given] == [*PALETTE, PALETTE[0]]
    assert [label["shortcut"] for label in given] == [*"123456789", "", "", "", ""]


def test_labels_are_listed_with_their_confirmed_boxes_where_asked(
    ask: Ask, dataset: Any, artwork: Any, label: Any
) -> None:
    box_row(artwork, label, (0, 0, 20, 20))
    suggestion_row(artwork, label, (50, 0, 20, 20))
    answer = ask("get", "?counts=1").json()
    assert answer["count"] == 1 and answer["results"][0]["boxes"] == 1
    assert ask("get").json()["results"][0]["boxes"] is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "ANGEL"}, "name_taken"),
        ({"name": "  angel  "}, "name_taken"),
        ({"name": "B", "shortcut": "1"}, "shortcut_taken"),
        ({"name": "B", "shortcut": " "}, "bad_shortcut"),
        ({"name": "B", "shortcut": "\u0301"}, "bad_shortcut"),
        ({"name": "B", "shortcut": "ab"}, "invalid"),
        ({"name": "B", "colour": "red"}, "bad_colour"),
        ({"name": "B", "colour": "#12345g"}, "bad_colour"),
        ({"name": "   "}, "invalid"),
        ({"name": "x" * 101}, "invalid"),
        ({"name": "a\u0000b"}, "invalid"),
        ({"name": "\ud800"}, "parse_error"),
        ({"colour": "#123456"}, "invalid"),
    ],
)
def test_a_label_that_collides_or_cannot_be_used_is_refused(
    ask: Ask, label: Any, body: dict[str, Any], code: str
) -> None:
    response = ask("post", **body)
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert response.json()["message"] and Label.objects.count() == 1


@pytest.mark.parametrize("name", ["Ångel", "聖母", "Ангел", "ملاك", "𝔄"])
def test_names_in_every_script_are_kept(ask: Ask, name: str) -> None:
    assert ask("post", name=name).json()["name"] == name


def test_a_label_can_be_changed_and_keep_its_own_name(ask: Ask, label: Any) -> None:
    answer = ask("patch", f"{label.pk}/", name="ANGEL", colour="#ABCDEF", shortcut="A")
    assert answer.status_code == 200
    assert answer.json() == {
        "id": label.pk,
        "name": "ANGEL",
        "colour": "#abcdef",
        "shortcut": "a",
        "boxes": 0,
    }


def test_a_label_with_boxes_is_deleted_only_on_purpose(ask: Ask, dataset: Any, label: Any, other_label: Any) -> None:
    first, second = artwork_row(dataset, 1), artwork_row(dataset, 2)
    box_row(first, label, (0, 0, 20, 20))
    box_row(second, label, (0, 0, 20, 20))
    box_row(second, other_label, (0, 0, 20, 20))
    third = artwork_row(dataset, 3)
    box_row(third, label, (0, 0, 20, 20), state="suggested")
    refused = ask("delete", f"{label.pk}/")
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    assert refused.json()["current"] == {
        "boxes": 3,
        "artworks": 3,
        "confirmed": 2,
        "confirmed_artworks": 2,
    }
    assert Box.objects.count() == 4
    assert ask("delete", f"{label.pk}/?force=1").status_code == 204
    states = {artwork.pk: (artwork.confirmed, artwork.state, artwork.revision) for artwork in dataset.artworks.all()}
    assert states == {first.pk: (0, "todo", 1), second.pk: (1, "annotated", 1), third.pk: (0, "todo", 1)}


def test_an_unused_label_is_deleted_at_once(ask: Ask, label: Any) -> None:
    assert ask("delete", f"{label.pk}/").status_code == 204
    assert not Label.objects.exists()


def test_labels_of_one_dataset_do_not_touch_anothers(ask: Ask, foreign_label: Any) -> None:
    """The concepts in use were global: two people corrupted each other's work (fault 11)."""
    assert ask("get").json()["results"] == []
    assert ask("post", name=foreign_label.name, shortcut=foreign_label.shortcut).status_code == 201
    for method in ("patch", "delete"):
        assert ask(method, f"{foreign_label.pk}/").status_code == 404
    assert Label.objects.filter(pk=foreign_label.pk).exists()
