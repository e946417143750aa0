"""Whatever is sent to the API, the answer is a clear 4xx: nothing is half done and nothing fails."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from annotations.models import Box, Change, Label
from tests.annotations.factories import artwork_row
from tests.contracts.conftest import Scene
from tests.contracts.test_permissions import TABLE

KEY = "11111111-2222-4333-8444-555555555555"
CREATE = {"op": "create", "id": KEY, "label": 0, "x": 10, "y": 10, "width": 20, "height": 20}
HUGE = 10**400

# What is wrong → the change to a batch that would be right.
EDITS: dict[str, dict[str, Any]] = {
    "negative": {"x": -50},
    "outside": {"x": 190},
    "far outside": {"x": 1e300},
    "no width": {"width": 0},
    "inverted": {"width": -20},
    "a huge integer": {"x": HUGE},
    "an endless number": {"x": "inf"},
    "no number at all": {"x": "nan"},
    "text for a number": {"x": "left"},
    "nothing for a number": {"x": None},
    "a list for a number": {"x": [1]},
    "an object for a number": {"x": {}},
    "a number without a box": {"width": 1e-12},
    "an unknown label": {"label": 987654},
    "a label beyond the database": {"label": 2**63},
    "a huge label": {"label": HUGE},
    "a negative label": {"label": -1},
    "text for a label": {"label": "Angel"},
    "no label": {"label": None},
    "text for an id": {"id": "box-1"},
    "no id": {"id": None},
    "a list for an id": {"id": []},
    "an unknown operation": {"op": "explode"},
    "an operation that is no text": {"op": {}},
    "a private operation": {"op": "_move"},
    "nothing to restore": {"op": "restore"},
    "a list to restore": {"op": "restore", "box": []},
    "a rejected box to restore": {"op": "restore", "box": {**CREATE, "state": "rejected"}},
    "no value": {"op": "mark_nothing"},
    "a wrong value": {"op": "mark_nothing", "value": "maybe"},
    "an update of nothing": {"op": "update", "label": None},
}
BATCHES: dict[str, Any] = {
    "no edits": {"edits": []},
    "edits that are no list": {"edits": {"op": "create"}},
    "edits that are text": {"edits": "create"},
    "edits that are numbers": {"edits": [1, 2]},
    "nothing for edits": {"edits": None},
    "no revision": {"revision": None},
    "a negative revision": {"revision": -1},
    "a huge revision": {"revision": HUGE},
    "an id that is none": {"id": "batch"},
    "too many edits": {"edits": [{"op": "mark_nothing", "value": False}] * 501},
}
# Bodies that are not even JSON, or not of its kind.
RAW: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "no object": b"[]",
    "a number": b"7",
    "null": b"null",
    "no UTF-8": b'{"name": "\xff\xfe"}',
    "not a number": b'{"name": NaN}',
    "infinity": b'{"threshold": 1e999, "minimum_score": 1e999, "revision": 1e999}',
    "NUL": b'{"name": "a\\u0000b", "username": "a\\u0000b", "title": "\\u0000", "action": "\\u0000"}',
    "half a character": b'{"name": "\\ud800", "username": "\\ud800", "title": "\\ud800", "action": "\\ud800"}',
    "deep": b"[" * 100_000,
    "long digits": b'{"name": ' + b"9" * 5000 + b"}",
}
UNUSED_IDS = (0, 2**31, 2**63 - 1, 2**63, 10**30)
SENDING = [(method, pattern) for method, pattern, *_rest in TABLE if method in ("POST", "PATCH")]


@pytest.fixture
def send(scene: Scene, client_of: Callable[..., Any]) -> Callable[..., Any]:
    """`send(batch)`: a batch of edits to the scene's artwork, as its administrator."""
    client = client_of(scene.people["administrator"], raise_request_exception=False)
    url = scene.path("datasets/{dataset_id}/artworks/{artwork_id}/edits/")
    return lambda batch: client.post(url, json.dumps(batch), content_type="application/json")


def _nothing_changed(scene: Scene) -> bool:
    scene.artwork.refresh_from_db()
    return Box.objects.count() == 2 and not Change.objects.exists() and scene.artwork.revision == 0


@pytest.mark.parametrize("wrong", EDITS)
def test_an_edit_that_makes_no_sense_is_refused(scene: Scene, send: Callable[..., Any], wrong: str) -> None:
    edit = {**CREATE, "label": scene.ids["label_id"], **EDITS[wrong]}
    response = send({"id": str(uuid.uuid4()), "revision": 0, "edits": [edit]})
    assert response.status_code == 400, response.content[:300]
    assert response.json()["code"] and response.json()["message"] and _nothing_changed(scene)


@pytest.mark.parametrize("wrong", BATCHES)
def test_a_batch_that_makes_no_sense_is_refused(scene: Scene, send: Callable[..., Any], wrong: str) -> None:
    edit = {**CREATE, "label": scene.ids["label_id"]}
    response = send({"id": str(uuid.uuid4()), "revision": 0, "edits": [edit], **BATCHES[wrong]})
    assert response.status_code == 400, response.content[:300]
    assert response.json()["message"] and _nothing_changed(scene)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "batch"},
        {"id": None},
        {"id": []},
        {"revision": None},
        {"revision": -1},
        {"revision": HUGE},
        {"revision": "now"},
    ],
)
def test_bringing_back_without_sense_is_refused(scene: Scene, client_of: Callable[..., Any], wrong: Any) -> None:
    client = client_of(scene.people["administrator"], raise_request_exception=False)
    body = json.dumps({"id": str(uuid.uuid4()), "revision": 0, **wrong})
    url = scene.path("datasets/{dataset_id}/artworks/{artwork_id}/history/0/restore/")
    response = client.post(url, body, content_type="application/json")
    assert response.status_code == 400, response.content[:300]
    assert response.json()["message"] and _nothing_changed(scene)


@pytest.mark.parametrize(("method", "pattern"), SENDING)
def test_no_address_fails_on_a_body_that_is_none(
    scene: Scene, client_of: Callable[..., Any], method: str, pattern: str
) -> None:
    client = client_of(scene.people["administrator"], raise_request_exception=False)
    path = scene.path(pattern)
    sent = {name: client.generic(method, path, body, content_type="application/json") for name, body in RAW.items()}
    assert {name: answer.status_code for name, answer in sent.items() if answer.status_code >= 500} == {}


@pytest.mark.parametrize(("method", "pattern"), [(row[0], row[1]) for row in TABLE if "{" in row[1]])
def test_no_address_fails_on_ids_that_nothing_has(
    scene: Scene, client_of: Callable[..., Any], method: str, pattern: str
) -> None:
    client = client_of(scene.people["administrator"], raise_request_exception=False)
    # An address with two ids keeps the dataset's: what its method expects may be asked before the second is looked up.
    kept, allowed = (("dataset_id", "name"), (404, 400, 415)) if pattern.count("{") > 1 else (("name",), (404,))
    for number in UNUSED_IDS:
        ids = {name: value if name in kept else number for name, value in scene.ids.items()}
        response = client.generic(method, "/api/" + pattern.format(**ids), "{}", content_type="application/json")
        assert response.status_code in allowed, (number, response.content[:300])


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("datasets/", "page=0"),
        ("datasets/", "page=x&page_size=-1"),
        ("datasets/", f"page={10**30}"),
        ("datasets/{dataset_id}/artworks/", "state=nonsense"),
        ("datasets/{dataset_id}/artworks/", "label=x"),
        ("datasets/{dataset_id}/artworks/", f"label={10**30}"),
        ("datasets/{dataset_id}/artworks/", "sort=password"),
        ("datasets/{dataset_id}/artworks/", "search=%00"),
        ("datasets/{dataset_id}/artworks/", "search=" + "a+" * 3000),
        ("datasets/{dataset_id}/artworks/", "search=%ff%fe"),
        ("datasets/{dataset_id}/artworks/", "search=%25_%5C"),
        ("datasets/{dataset_id}/runs/{run_id}/events/", "after=x"),
        ("datasets/{dataset_id}/runs/{run_id}/events/", f"after={10**30}"),
        ("datasets/{dataset_id}/runs/{run_id}/events/", "after=-1"),
        ("datasets/{dataset_id}/labels/", "page=999"),
        ("datasets/{dataset_id}/artworks/{artwork_id}/history/", f"page={10**30}&page_size=x"),
        ("datasets/{dataset_id}/artworks/{artwork_id}/history/1/", ""),
        ("datasets/{dataset_id}/artworks/{artwork_id}/history/" + f"{2**63}/", ""),
    ],
)
def test_no_list_fails_on_what_an_address_asks(
    scene: Scene, client_of: Callable[..., Any], path: str, query: str
) -> None:
    client = client_of(scene.people["administrator"], raise_request_exception=False)
    assert client.get(f"{scene.path(path)}?{query}").status_code < 500


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("inference-runs/", {"detector": 0, "threshold": 0.5, "mapping": {}}),
        ("inference-runs/", {"detector": 2**63, "threshold": 0.5, "mapping": {"1": 1}}),
        ("inference-runs/", {"detector": "{detector_id}", "threshold": 2, "mapping": {"1": "{label_id}"}}),
        ("inference-runs/", {"detector": "{detector_id}", "threshold": 0.5, "mapping": {"99": "{label_id}"}}),
        ("inference-runs/", {"detector": "{detector_id}", "threshold": 0.5, "mapping": {"1": "{foreign_label}"}}),
        ("inference-runs/", {"detector": "{detector_id}", "threshold": 0.5, "mapping": {"1": 2**63}}),
        ("inference-runs/", {"detector": "{detector_id}", "threshold": 0.5, "mapping": {"1": HUGE}}),
        ("inference-runs/", {"detector": "{detector_id}", "threshold": HUGE, "mapping": {"1": 1}}),
        (
            "inference-runs/",
            {
                "detector": "{detector_id}",
                "artwork": "{foreign_artwork}",
                "threshold": 0.5,
                "mapping": {"1": "{label_id}"},
            },
        ),
        ("training-runs/", {"architecture": "x", "budget": "y", "augmentation": "z"}),
        (
            "training-runs/",
            {"architecture": "retinanet_mobilenet_v2", "budget": "quick", "augmentation": "none", "labels": [2**63]},
        ),
        (
            "training-runs/",
            {"architecture": "retinanet_mobilenet_v2", "budget": "quick", "augmentation": "none", "seed": HUGE},
        ),
        ("suggestions/", {"action": "accept", "minimum_score": HUGE}),
        ("suggestions/", {"action": "accept", "minimum_score": 0.5, "label": "{foreign_label}"}),
        ("artworks/{artwork_id}/suggestions/", {"action": "accept", "ids": [7] * 6000}),
    ],
)
def test_what_points_at_others_or_nowhere_is_refused(
    scene: Scene, client_of: Callable[..., Any], path: str, body: dict[str, Any]
) -> None:
    elsewhere = scene.people["outsider"].memberships.get().dataset
    secret = Label.objects.create(dataset=elsewhere, name="Secret", colour="#009e73")
    scene.ids |= {"foreign_label": secret.pk, "foreign_artwork": artwork_row(elsewhere).pk}
    text = json.dumps(body)
    for name, value in scene.ids.items():
        text = text.replace(f'"{{{name}}}"', json.dumps(value, default=str))
    client = client_of(scene.people["administrator"], raise_request_exception=False)
    response = client.post(scene.path("datasets/{dataset_id}/" + path), text, content_type="application/json")
    assert 400 <= response.status_code < 500, response.content[:300]
    assert response.json()["message"]
