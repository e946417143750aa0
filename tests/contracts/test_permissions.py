"""Who may do what: every method of every address of the API, for everybody.

One line per cell. A new address that is not in the table fails `test_every_address_is_in_the_table`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import URLPattern, get_resolver

from tests.contracts.conftest import CONTENT, FILE, PEOPLE, ROLES, Scene, new_id

A = "datasets/{dataset_id}/artworks/{artwork_id}/"
D = "datasets/{dataset_id}/"
BATCH = {"id": "{new}", "revision": 0, "edits": [{"op": "mark_nothing", "value": False}]}
INFERENCE = {"detector": "{detector_id}", "threshold": 0.5, "mapping": {"1": "{label_id}"}}
TRAINING = {"architecture": "retinanet_mobilenet_v2", "budget": "quick", "augmentation": "none"}

# Method, address, the lowest role that may, the status that this role gets, what is sent.
# "anybody" is anybody who is logged in, "nobody" means that no login is needed.
TABLE: list[tuple[str, str, str, int, Any]] = [
    ("GET", "me/", "anybody", 200, None),
    ("GET", "schema/", "anybody", 200, None),
    ("GET", "docs/", "anybody", 200, None),
    ("POST", "token/", "nobody", 400, {"username": "nobody", "password": "wrong"}),
    ("GET", "datasets/", "anybody", 200, None),
    ("POST", "datasets/", "anybody", 201, {"name": "Mine"}),
    ("GET", D, "viewer", 200, None),
    ("PATCH", D, "curator", 200, {"name": "Renamed"}),
    ("DELETE", D, "administrator", 200, None),
    ("POST", D + "restore/", "administrator", 200, {}),
    ("GET", D + "members/", "viewer", 200, None),
    ("POST", D + "members/", "administrator", 201, {"username": "otto", "role": "viewer"}),
    ("PATCH", D + "members/{membership_id}/", "administrator", 200, {"role": "annotator"}),
    ("DELETE", D + "members/{membership_id}/", "administrator", 204, None),
    ("GET", D + "artworks/", "viewer", 200, None),
    ("POST", D + "artworks/", "curator", 415, {}),
    ("GET", A, "viewer", 200, None),
    ("PATCH", A, "curator", 200, {"title": "New", "metadata_revision": 0}),
    ("DELETE", A, "curator", 200, None),
    ("POST", A + "progress/", "annotator", 200, {"progress": "done"}),
    ("POST", A + "restore/", "curator", 200, {}),
    ("POST", D + "archives/", "curator", 415, {}),
    ("DELETE", D + "archives/{archive_id}/", "curator", 204, None),
    ("POST", D + "archives/{archive_id}/members/", "curator", 400, {}),
    ("GET", D + "labels/", "viewer", 200, None),
    ("POST", D + "labels/", "curator", 201, {"name": "Cross"}),
    ("PATCH", D + "labels/{label_id}/", "curator", 200, {"name": "Halo"}),
    ("DELETE", D + "labels/{label_id}/", "curator", 409, None),
    ("GET", A + "boxes/", "viewer", 200, None),
    ("POST", A + "edits/", "annotator", 200, BATCH),
    ("POST", A + "suggestions/", "annotator", 200, {"action": "accept"}),
    ("GET", A + "history/", "viewer", 200, None),
    ("GET", A + "history/{revision}/", "viewer", 200, None),
    ("POST", A + "history/{revision}/restore/", "annotator", 200, {"id": "{new}", "revision": 0}),
    ("POST", D + "suggestions/", "annotator", 200, {"action": "accept", "minimum_score": 0.5}),
    ("GET", D + "export/coco/", "viewer", 200, None),
    ("GET", D + "detectors/", "viewer", 200, None),
    ("POST", D + "detectors/", "curator", 415, {}),
    ("GET", D + "detectors/{detector_id}/", "viewer", 200, None),
    ("PATCH", D + "detectors/{detector_id}/", "curator", 200, {"name": "E"}),
    ("DELETE", D + "detectors/{detector_id}/", "curator", 409, None),
    ("GET", D + "detectors/{detector_id}/files/{name}/", "viewer", 200, None),
    ("GET", D + "detectors/{detector_id}/onnx/", "viewer", 200, None),
    ("POST", D + "detectors/{detector_id}/onnx/", "viewer", 202, {}),
    ("GET", D + "detectors/{detector_id}/evaluation/", "viewer", 200, None),
    ("GET", D + "catalogue/", "viewer", 200, None),
    ("POST", D + "catalogue/{key}/fetch/", "curator", 202, {}),
    ("POST", D + "catalogue/{key}/cancel/", "curator", 409, {}),
    ("GET", D + "training-options/", "viewer", 200, None),
    ("GET", D + "augmentation-preview/", "curator", 400, None),
    ("GET", D + "training-runs/", "viewer", 200, None),
    ("POST", D + "training-runs/", "curator", 409, TRAINING),
    ("GET", D + "inference-runs/", "viewer", 200, None),
    ("POST", D + "inference-runs/", "annotator", 201, INFERENCE),
    ("GET", D + "runs/{run_id}/", "viewer", 200, None),
    ("POST", D + "runs/{run_id}/cancel/", "curator", 200, {}),
    ("POST", D + "runs/{run_id}/resume/", "curator", 409, {}),
    ("GET", D + "runs/{run_id}/events/", "viewer", 200, None),
]
# Inferences are annotators' to stop and to let go on; they share their addresses with trainings.
INFERENCES = [
    ("POST", D + "runs/{inference_id}/cancel/", "annotator", 200, {}),
    ("POST", D + "runs/{inference_id}/resume/", "annotator", 409, {}),
]
CELLS = [(*row, person) for row in [*TABLE, *INFERENCES] for person in PEOPLE]


def expected(needed: str, status: int, person: str) -> tuple[int, ...]:
    """The statuses that a person may get where `needed` is the lowest role that gets `status`."""
    if needed == "nobody":
        return (status,)
    if person == "anonymous":
        return (401, 403)
    if needed == "anybody":
        return (status,)
    if person == "outsider":
        return (404,)
    return (status,) if ROLES.index(person) >= ROLES.index(needed) else (403,)


@pytest.mark.parametrize(("method", "pattern", "needed", "status", "body", "person"), CELLS)
def test_everybody_may_do_what_their_role_allows_and_nothing_else(
    scene: Scene,
    client_of: Callable[..., Any],
    method: str,
    pattern: str,
    needed: str,
    status: int,
    body: Any,
    person: str,
) -> None:
    client = client_of(scene.people[person])
    response = client.generic(method, scene.path(pattern), _filled(body, scene), content_type="application/json")
    assert response.status_code in expected(needed, status, person), getattr(response, "content", b"")[:300]


def test_a_download_is_the_detectors_file_and_no_other(scene: Scene, client_of: Callable[..., Any]) -> None:
    client, folder = client_of(scene.people["viewer"]), scene.path(D + "detectors/{detector_id}/files/")
    response = client.get(f"{folder}{FILE}/")
    assert (response["Content-Length"], b"".join(response.streaming_content)) == (str(len(CONTENT)), CONTENT)
    assert client.get(f"{folder}no-such-file/").status_code == 404


@pytest.mark.parametrize("person", ["anonymous", "outsider"])
def test_refusals_tell_nothing_about_what_exists(scene: Scene, client_of: Callable[..., Any], person: str) -> None:
    client = client_of(scene.people[person])
    there = client.get(scene.path(A + "boxes/"))
    scene.ids["dataset_id"] = 987654
    absent = client.get(scene.path(A + "boxes/"))
    assert (there.status_code, there.content) == (absent.status_code, absent.content)


def test_every_address_is_in_the_table() -> None:
    listed = {(method, pattern) for method, pattern, *_rest in TABLE}
    assert set(_addresses()) == listed


def _filled(body: Any, scene: Scene) -> str:
    """The body as JSON with its placeholders filled; ids stay numbers."""
    if body is None:
        return ""
    text = json.dumps(body).replace("{new}", new_id())
    for name, value in scene.ids.items():
        text = text.replace(f'"{{{name}}}"', json.dumps(value, default=str))
    return text


def _addresses() -> Iterator[tuple[str, str]]:
    """(method, pattern) of everything below /api/, with the placeholders of `str.format`."""
    for prefix, route in routes(get_resolver().url_patterns, ""):
        if not prefix.startswith("api/"):
            continue
        view = getattr(route.callback, "cls", None) or route.callback.view_class
        pattern = prefix.removeprefix("api/").replace("<int:", "{").replace("<str:", "{").replace(">", "}")
        for method in ("get", "post", "put", "patch", "delete"):
            if method in view.http_method_names and hasattr(view, method):
                yield method.upper(), pattern


def routes(patterns: Any, prefix: str) -> Iterator[tuple[str, URLPattern]]:
    """Every address of the project with its pattern, includes followed."""
    for entry in patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield path, entry
        else:
            yield from routes(entry.url_patterns, path)
