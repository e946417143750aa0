"""A list costs the same number of queries for ten rows and for a hundred."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from annotations.models import Box, Label
from datasets.models import Artwork, Dataset, Membership
from tests.annotations.factories import artwork_row, created
from tests.contracts.conftest import Scene
from training.models import Detector, Event, InferenceRun, Snapshot, TrainingRun

LISTS = [
    "/",
    "/datasets/{dataset_id}/",
    "/datasets/{dataset_id}/?state=annotated&sort=-boxes&search=work",
    "/datasets/{dataset_id}/?label={label_id}",
    "/datasets/{dataset_id}/labels/",
    "/datasets/{dataset_id}/members/",
    "/datasets/{dataset_id}/detectors/",
    "/datasets/{dataset_id}/training/",
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
    "/api/datasets/{dataset_id}/artworks/{artwork_id}/boxes/",
    "/api/datasets/{dataset_id}/detectors/",
    "/api/datasets/{dataset_id}/training-options/",
    "/api/datasets/{dataset_id}/training-runs/",
    "/api/datasets/{dataset_id}/inference-runs/",
    "/api/datasets/{dataset_id}/runs/{run_id}/events/",
    "/api/datasets/{dataset_id}/export/coco/",
    "/admin/",
    "/admin/datasets/dataset/",
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
    dataset = scene.dataset
    artworks = [artwork_row(dataset, number, state="annotated", confirmed=1) for number in numbers]
    labels = [Label.objects.create(dataset=dataset, name=f"Concept {n}", colour="#123456") for n in numbers]
    for number, artwork, label in zip(numbers, artworks, labels, strict=True):
        _boxes(scene, artwork, label)
        user = get_user_model().objects.create(username=f"member-{number}")
        Membership.objects.create(dataset=dataset, user=user, role="viewer")
        _runs(scene, user, label, number)


def _boxes(scene: Scene, artwork: Artwork, label: Label) -> None:
    size = {"width": 20, "height": 20, "image_width": 200, "image_height": 150, "author": scene.people["annotator"]}
    for place in (artwork, scene.artwork):
        Box.objects.create(artwork=place, label=label, x=1, y=1, **size)


def _runs(scene: Scene, user: Any, label: Label, number: int) -> None:
    dataset = Dataset.objects.create(name=f"Other {number}")
    Membership.objects.create(dataset=dataset, user=scene.people["administrator"], role="viewer")
    artwork_row(dataset)
    known = {"dataset": scene.dataset, "created_by": user, "state": "done"}
    snapshot = Snapshot.objects.create(dataset=scene.dataset, manifest={}, sha256=f"{number:064d}")
    run = TrainingRun.objects.create(**known, kind="training", name="D", snapshot=snapshot, architecture="a")
    detector = Detector.objects.create(
        name="D", kind="trained", dataset=scene.dataset, input_size=256, labels=[{"id": 1, "name": "Angel"}], run=run
    )
    InferenceRun.objects.create(**known, kind="inference", detector=detector, threshold=0.5, mapping={"1": label.pk})
    Event.objects.create(run_id=scene.ids["run_id"], seq=number, kind="log", payload={"text": "x"})


@pytest.mark.parametrize("path", LISTS)
def test_a_list_costs_the_same_queries_for_ten_rows_and_for_a_hundred(
    scene: Scene, client_of: Callable[..., Any], count_queries: Callable[..., int], path: str
) -> None:
    user = scene.people["administrator"]
    user.is_staff = True
    user.save()
    client = client_of(user)
    ask = lambda: _read(client.get(path.format(**scene.ids)))  # noqa: E731
    grow(scene, range(1, 11))
    # The first answer fills caches of the process: content types, sites, translations.
    ask()
    few = count_queries(ask)
    grow(scene, range(11, 101))
    assert count_queries(ask) == few
    assert few <= 25


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
