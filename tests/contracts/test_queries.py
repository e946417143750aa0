"""A list costs the same number of queries for ten rows and for a hundred."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from annotations import history
from annotations.models import Box, Change, Label
from datasets.models import Dataset, Membership
from tests.annotations.factories import artwork_row, created
from tests.contracts.conftest import Scene
from training.models import Detector, Event, InferenceRun, Snapshot, TrainingRun

pytestmark = pytest.mark.services

LISTS = [
    "/",
    "/datasets/{dataset_id}/",
    "/datasets/{dataset_id}/?state=annotated&sort=-boxes&search=work",
    "/datasets/{dataset_id}/?label={label_id}",
    "/datasets/{dataset_id}/labels/",
    "/datasets/{dataset_id}/members/",
    "/datasets/{dataset_id}/detectors/",
    "/datasets/{dataset_id}/detectors/{detector_id}/",
    "/datasets/{dataset_id}/training/",
    "/datasets/{dataset_id}/runs/",
    "/datasets/{dataset_id}/runs/{run_id}/",
    "/datasets/{dataset_id}/artworks/{artwork_id}/",
    "/datasets/{dataset_id}/artworks/{artwork_id}/?state=annotated&sort=-boxes",
    "/api/datasets/",
    "/api/datasets/{dataset_id}/",
    "/api/datasets/{dataset_id}/members/",
    "/api/datasets/{dataset_id}/artworks/",
    "/api/datasets/{dataset_id}/artworks/?search=work&state=annotated&sort=-boxes",
    "/api/datasets/{dataset_id}/artworks/?label={label_id}",
    "/api/datasets/{dataset_id}/labels/",
    "/api/datasets/{dataset_id}/labels/?counts=1",
    "/api/datasets/{dataset_id}/artworks/{artwork_id}/boxes/",
    "/api/datasets/{dataset_id}/artworks/{artwork_id}/history/",
    "/api/datasets/{dataset_id}/artworks/{artwork_id}/history/0/",
    "/api/datasets/{dataset_id}/detectors/",
    "/api/datasets/{dataset_id}/training-options/",
    "/api/datasets/{dataset_id}/training-runs/",
    "/api/datasets/{dataset_id}/inference-runs/",
    "/api/datasets/{dataset_id}/runs/{run_id}/events/",
    "/api/datasets/{dataset_id}/export/coco/",
    "/admin/",
    "/admin/datasets/dataset/",
    "/admin/datasets/dataset/{dataset_id}/change/",
    "/admin/datasets/artwork/",
    "/admin/annotations/label/",
    "/admin/annotations/box/",
    "/admin/training/detector/",
    "/admin/training/trainingrun/",
    "/admin/training/inferencerun/",
    "/admin/training/snapshot/",
]


def grow(scene: Scene, numbers: range) -> None:
    """Add to everything that is ever listed: one row for each number."""
    dataset, owner = scene.dataset, scene.people["administrator"]
    names = [f"member-{number}" for number in numbers]
    users = get_user_model().objects.bulk_create([get_user_model()(username=name) for name in names])
    others = Dataset.objects.bulk_create([Dataset(name=f"Other {number}") for number in numbers])
    Membership.objects.bulk_create([Membership(dataset=dataset, user=user, role="viewer") for user in users])
    Membership.objects.bulk_create([Membership(dataset=other, user=owner, role="viewer") for other in others])
    artworks = [artwork_row(dataset, number, state="annotated", confirmed=1) for number in numbers]
    labels = [Label(dataset=dataset, name=f"Concept {number}", colour="#123456") for number in numbers]
    Label.objects.bulk_create(labels)
    place = {"x": 1, "y": 1, "width": 20, "height": 20, "image_width": 200, "image_height": 150}
    pairs = [
        pair
        for artwork, label in zip(artworks, labels, strict=True)
        for pair in ((artwork, label), (scene.artwork, label))
    ]
    author = scene.people["annotator"]
    Box.objects.bulk_create([Box(artwork=artwork, label=label, author=author, **place) for artwork, label in pairs])
    _changes(scene.artwork, users, numbers)
    _runs(scene, users, labels)
    events = [Event(run_id=scene.ids["run_id"], seq=n, kind="log", payload={"text": "x"}) for n in numbers]
    Event.objects.bulk_create(events)


def _changes(artwork: Any, users: list[Any], numbers: range) -> None:
    """Each by somebody else, who had drawn a box that is gone by now."""
    for user, revision in zip(users, numbers, strict=True):
        box = history.box_state(Box.objects.filter(artwork=artwork)[0]) | {"author_id": user.pk}
        delta = {str(uuid.uuid4()): [box, None]}
        Change.objects.create(artwork=artwork, revision=revision, author=user, delta=delta, counts={"deleted": 1})
    type(artwork).objects.filter(pk=artwork.pk).update(revision=numbers[-1])


def _runs(scene: Scene, users: list[Any], labels: list[Label]) -> None:
    for user, label in zip(users, labels, strict=True):
        known = {"dataset": scene.dataset, "created_by": user, "state": "done"}
        snapshot = Snapshot.objects.create(dataset=scene.dataset, manifest={}, sha256=f"{user.pk:064d}")
        run = TrainingRun.objects.create(**known, kind="training", name="D", snapshot=snapshot, architecture="a")
        Event.objects.create(run=run, seq=1, kind="metrics", payload={"step": 1, "loss": 2.5})
        classes = [{"id": 1, "name": "Angel"}]
        detector = Detector.objects.create(
            name="D", kind="trained", dataset=scene.dataset, input_size=256, labels=classes, run=run
        )
        mapping = {"1": label.pk}
        InferenceRun.objects.create(**known, kind="inference", detector=detector, threshold=0.5, mapping=mapping)


def test_lists_cost_the_same_queries_for_ten_rows_and_for_a_hundred(
    scene: Scene, client_of: Callable[..., Any], count_queries: Callable[..., int]
) -> None:
    user = scene.people["administrator"]
    user.is_staff = True
    user.save()
    client = client_of(user)

    def cost() -> dict[str, int]:
        return {path: count_queries(lambda path=path: _read(client.get(path.format(**scene.ids)))) for path in LISTS}

    grow(scene, range(1, 11))
    # The first round fills caches of the process: content types, translations.
    cost()
    few = cost()
    grow(scene, range(11, 101))
    many = cost()
    assert {path: (few[path], many[path]) for path in LISTS if few[path] != many[path]} == {}
    assert {path: count for path, count in many.items() if count > 25} == {}


def _read(response: Any) -> Any:
    """A streamed answer asks the database while it is read."""
    if getattr(response, "streaming", False):
        b"".join(response.streaming_content)
    return response


@pytest.mark.parametrize("number", [1, 100])
def test_a_batch_costs_the_same_queries_for_one_edit_and_for_a_hundred(
    scene: Scene, client_of: Callable[..., Any], count_queries: Callable[..., int], number: int
) -> None:
    label = Label.objects.get(pk=scene.ids["label_id"])
    known = [str(pk) for pk in Box.objects.filter(artwork=scene.artwork, source="manual").values_list("pk", flat=True)]
    edits = [{"op": "update", "id": known[0], "x": 5}, *(created(label) for _ in range(number))]
    batch = {"id": str(uuid.uuid4()), "revision": 0, "edits": edits}
    client = client_of(scene.people["annotator"])
    url = scene.path("datasets/{dataset_id}/artworks/{artwork_id}/edits/")
    assert count_queries(lambda: client.post(url, batch, content_type="application/json")) <= 17


@pytest.mark.parametrize("number", [1, 100])
def test_bringing_back_costs_the_same_queries_for_one_box_and_for_a_hundred(
    scene: Scene, client_of: Callable[..., Any], count_queries: Callable[..., int], number: int
) -> None:
    label = Label.objects.get(pk=scene.ids["label_id"])
    client = client_of(scene.people["annotator"])
    url = scene.path("datasets/{dataset_id}/artworks/{artwork_id}/")
    for revision in range(3):
        edits = [created(label) for _ in range(number)]
        batch = {"id": str(uuid.uuid4()), "revision": revision, "edits": edits}
        assert client.post(f"{url}edits/", batch, content_type="application/json").status_code == 200
    body = {"id": str(uuid.uuid4()), "revision": 3}
    assert count_queries(lambda: client.post(f"{url}history/0/restore/", body, content_type="application/json")) <= 22
