"""Several people draw on one artwork at once: every acknowledged box is there, once."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from tests.annotations.factories import artwork_row, batch, created
from tests.installation import PASSWORD, Server

PEOPLE, BOXES_EACH = 4, 25
SCENE = """
import json
from django.contrib.auth import get_user_model
from annotations.models import Label
from datasets.services import create_dataset
from tests.annotations.factories import artwork_row
dataset = create_dataset(user=get_user_model().objects.get(username="olga"), name="Icons")
label = Label.objects.create(dataset=dataset, name="Angel", colour="#aa3377")
print(json.dumps({"dataset": dataset.pk, "artwork": artwork_row(dataset).pk, "label": label.pk}))
"""


@pytest.fixture
def place(server: Server) -> dict[str, Any]:
    """Ids of a dataset, an artwork and a label in a running installation, and the token of its administrator."""
    server.add_user("olga")
    ids: dict[str, Any] = json.loads(server.shell(SCENE))
    _status, answer = ask(f"{server.url}/api/token/", {"username": "olga", "password": PASSWORD})
    url = f"{server.url}/api/datasets/{ids['dataset']}/artworks/{ids['artwork']}"
    return {**ids, "token": answer["token"], "url": url}


def ask(url: str, body: Any = None, token: str = "") -> tuple[int, Any]:
    """Send JSON, or get it: status and answer."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Token {token}"} if token else {})
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def draw(place: dict[str, Any], person: int) -> list[str]:
    """Draw boxes one by one as the page does: a stale batch is made again on what is there now."""
    acknowledged, revision = [], 0
    for number in range(BOXES_EACH):
        box = {"id": str(uuid.uuid4()), "label": place["label"], "x": person, "y": number, "width": 9, "height": 9}
        for _attempt in range(200):
            batch = {"id": str(uuid.uuid4()), "revision": revision, "edits": [{"op": "create", **box}]}
            status, answer = ask(place["url"] + "/edits/", batch, place["token"])
            assert status in (200, 409), answer
            revision = (answer if status == 200 else answer["current"])["revision"]
            if status == 200:
                acknowledged.append(box["id"])
                break
    return acknowledged


@pytest.mark.slow
def test_no_acknowledged_box_is_lost_or_doubled(place: dict[str, Any]) -> None:
    with ThreadPoolExecutor(PEOPLE) as pool:
        acknowledged = [key for keys in pool.map(lambda person: draw(place, person), range(PEOPLE)) for key in keys]
    _status, document = ask(place["url"] + "/boxes/", token=place["token"])
    assert len(acknowledged) == PEOPLE * BOXES_EACH == document["revision"]
    assert sorted(box["id"] for box in document["boxes"]) == sorted(acknowledged)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_batches_that_arrive_in_one_moment_take_turns(
    dataset: Any, label: Any, annotator: Any, client_of: Callable[..., Any]
) -> None:
    """The lock of the artwork's row decides, on each database in its own way."""
    artwork = artwork_row(dataset)
    barrier = threading.Barrier(PEOPLE)

    def send(_person: int) -> tuple[int, Any]:
        client, new = client_of(annotator), batch(artwork, created(label))
        barrier.wait()
        url = f"/api/datasets/{dataset.pk}/artworks/{artwork.pk}/edits/"
        answer = client.post(url, new, content_type="application/json")
        connection.close()
        return answer.status_code, answer.json()

    with ThreadPoolExecutor(PEOPLE) as pool:
        answers = sorted(pool.map(send, range(PEOPLE)), key=lambda answer: answer[0])
    assert [status for status, _answer in answers] == [200] + [409] * (PEOPLE - 1)
    kept = [str(key) for key in artwork.boxes.values_list("pk", flat=True)]
    assert [[box["id"] for box in document["boxes"]] for document in _documents(answers)] == [kept] * PEOPLE


def _documents(answers: list[tuple[int, Any]]) -> list[Any]:
    """What each answer says is on the artwork."""
    return [answer if status == 200 else answer["current"] for status, answer in answers]
