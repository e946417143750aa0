"""The COCO export holds every artwork and every confirmed box, and others can read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient
from django.utils import timezone

from annotations import coco
from annotations.models import Label
from datasets.models import Artwork
from tests.annotations.factories import artwork_row, box_row, suggestion_row

pytestmark = pytest.mark.services


def exported(dataset: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads("".join(coco.document(dataset)))
    return document


def test_an_empty_dataset_is_a_valid_document(dataset: Any) -> None:
    document = exported(dataset)
    assert (document["images"], document["annotations"], document["categories"]) == ([], [], [])


def test_it_holds_confirmed_boxes_and_all_artworks(dataset: Any, label: Any) -> None:
    first, second, gone = (artwork_row(dataset, number) for number in range(3))
    box_row(first, label, (1, 2, 30.5, 40))
    suggestion_row(first, label, (50, 0, 20, 20))
    suggestion_row(second, label, (50, 0, 20, 20), state="rejected")
    box_row(gone, label, (1, 2, 30, 40))
    type(gone).objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    document = exported(dataset)
    assert document["info"]["counts"] == {"images": 2, "annotations": 1, "categories": 1}
    assert [image["id"] for image in document["images"]] == [first.pk, second.pk]
    (annotation,) = document["annotations"]
    assert (annotation["bbox"], annotation["area"], annotation["iscrowd"]) == ([1, 2, 30.5, 40], 30.5 * 40, 0)
    assert (annotation["image_id"], annotation["category_id"]) == (first.pk, label.pk)


def test_two_files_of_one_name_stay_two(dataset: Any) -> None:
    artworks = [artwork_row(dataset, number, file_name="scan.jpg") for number in range(2)]
    names = [image["file_name"] for image in exported(dataset)["images"]]
    assert names == [f"scan-{artwork.pk}.jpg" for artwork in artworks]


def test_pieces_join_over_their_edges(dataset: Any, label: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coco, "ROWS", 2)
    for number in range(5):
        box_row(artwork_row(dataset, number), label, (number, 0, 20, 20))
    document = exported(dataset)
    assert [annotation["id"] for annotation in document["annotations"]] == [1, 2, 3, 4, 5]
    assert len(document["images"]) == 5


def test_pycocotools_reads_it(dataset: Any, label: Any, tmp_path: Any) -> None:
    from pycocotools.coco import COCO

    box_row(artwork_row(dataset), label, (1, 2, 30, 40))
    path = tmp_path / "export.json"
    path.write_text("".join(coco.document(dataset)))
    read = COCO(str(path))
    assert len(read.loadAnns(read.getAnnIds(catIds=read.getCatIds(catNms=["Angel"])))) == 1


def test_what_comes_in_while_it_is_written_is_in_no_part_of_it(dataset: Any, label: Any) -> None:
    box_row(artwork_row(dataset, 0), label, (1, 1, 9, 9))
    pieces, text = coco.document(dataset), ""
    while ',"annotations":' not in text:
        text += next(pieces)
    box_row(artwork_row(dataset, 1), label, (1, 1, 9, 9))
    late = Label.objects.create(dataset=dataset, name="Late")
    box_row(Artwork.objects.get(file_name="work-0.jpg"), late, (1, 1, 9, 9))
    told = json.loads(text + "".join(pieces))
    assert {row["image_id"] for row in told["annotations"]} == {row["id"] for row in told["images"]}
    assert {row["category_id"] for row in told["annotations"]} == {label.pk}


def test_it_downloads_as_a_file(client_of: Callable[..., Any], viewer: Any, dataset: Any) -> None:
    response = client_of(viewer).get(f"/api/datasets/{dataset.pk}/export/coco/")
    assert response.status_code == 200 and 'filename="Icons.coco.json"' in response["Content-Disposition"]
    assert json.loads(b"".join(response.streaming_content))["info"]["description"] == "Icons"


@pytest.mark.django_db(transaction=True)
def test_it_is_streamed_under_asgi(dataset: Any, label: Any, viewer: Any) -> None:
    box_row(artwork_row(dataset), label, (1, 2, 30, 40))

    async def download() -> bytes:
        client = AsyncClient()
        await client.aforce_login(viewer, backend="django.contrib.auth.backends.ModelBackend")
        response: Any = await client.get(f"/api/datasets/{dataset.pk}/export/coco/")
        assert response.is_async
        return b"".join([piece async for piece in response.streaming_content])

    assert len(json.loads(async_to_sync(download)())["annotations"]) == 1
