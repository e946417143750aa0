"""The IIIF Image API, level 1: who may ask, what is answered, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import pyvips
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.authtoken.models import Token

from datasets import iiif
from datasets.services import add_artwork
from tests.datasets.pictures import picture

WIDTH, HEIGHT = 3000, 800


@pytest.fixture
def large(dataset: Any, owner: Any) -> Any:
    """An artwork with more pixels than its display image."""
    upload = SimpleUploadedFile("large.jpg", picture(WIDTH, HEIGHT).jpegsave_buffer())
    return add_artwork(dataset=dataset, user=owner, upload=upload)


def test_the_information_says_what_a_viewer_needs(large: Any, viewer: Any, client_of: Callable[..., Any]) -> None:
    answer = client_of(viewer).get(f"{iiif.base_url(large)}/info.json")
    assert answer["Content-Type"].startswith("application/ld+json")
    assert answer["Access-Control-Allow-Origin"] == "*"
    told = answer.json()
    assert told["id"] == f"http://testserver{iiif.base_url(large)}"
    assert (told["type"], told["profile"], told["width"], told["height"]) == ("ImageService3", "level1", WIDTH, HEIGHT)
    assert told["tiles"] == [{"width": 512, "scaleFactors": [1, 2, 4, 8]}]
    redirect = client_of(viewer).get(iiif.base_url(large))
    assert (redirect.status_code, redirect["Location"]) == (303, f"{iiif.base_url(large)}/info.json")


@pytest.mark.parametrize(
    ("region", "size", "expected"),
    [
        ("full", "max", (3000, 800)),
        ("full", "300,", (300, 80)),
        ("full", ",100", (375, 100)),
        ("full", "120,90", (120, 90)),
        ("square", "200,", (200, 200)),
        ("0,0,512,512", "512,512", (512, 512)),
        ("2560,512,512,512", "220,144", (220, 144)),  # reaches beyond the edge: cut, as the specification says
        ("0,0,1024,700", "512,", (512, 350)),
    ],
)
def test_regions_come_at_the_size_that_was_asked(
    large: Any, viewer: Any, client_of: Callable[..., Any], region: str, size: str, expected: tuple[int, int]
) -> None:
    answer = client_of(viewer).get(f"{iiif.base_url(large)}/{region}/{size}/0/default.jpg")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    image = pyvips.Image.new_from_buffer(answer.content, "")
    assert (image.width, image.height) == expected
    again = client_of(viewer).get(
        f"{iiif.base_url(large)}/{region}/{size}/0/default.jpg", headers={"If-None-Match": answer["ETag"]}
    )
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("region", "size", "status"),
    [
        ("3000,0,10,10", "max", 400),  # outside
        ("0,0,0,10", "max", 400),
        ("pct:0,0,10,10", "max", 400),  # level 2
        ("-1,0,10,10", "max", 400),
        ("0,0,10,10", "20,", 400),  # larger than the region
        ("full", ",", 400),
        ("full", "0,", 400),
        ("full", "9999999,", 400),
        ("full", "½,", 400),
    ],
)
def test_what_it_does_not_know_is_refused(
    large: Any, viewer: Any, client_of: Callable[..., Any], region: str, size: str, status: int
) -> None:
    answer = client_of(viewer).get(f"{iiif.base_url(large)}/{region}/{size}/0/default.jpg")
    assert answer.status_code == status, answer.content
    assert answer.json()["message"]


def test_a_small_artwork_is_served_as_well(artwork: Any, viewer: Any, client_of: Callable[..., Any]) -> None:
    answer = client_of(viewer).get(f"{iiif.base_url(artwork)}/50,50,100,100/50,/0/default.jpg")
    assert pyvips.Image.new_from_buffer(answer.content, "").width == 50


@pytest.mark.parametrize("path", ["", "/info.json", "/full/50,/0/default.jpg"])
def test_only_those_who_may_see_the_dataset_are_answered(
    artwork: Any, outsider: Any, viewer: Any, client_of: Callable[..., Any], path: str
) -> None:
    url = f"{iiif.base_url(artwork)}{path}"
    assert client_of(None).get(url).status_code == 401
    assert client_of(outsider).get(url).status_code == 404
    assert client_of(viewer).get(url.replace(artwork.sha256[:16], "0" * 16)).status_code == 404
    token = Token.objects.create(user=viewer).key
    assert client_of(None).get(url, headers={"Authorization": f"Token {token}"}).status_code in (200, 303)


def test_a_viewer_on_another_server_may_ask_with_a_token(artwork: Any, client_of: Callable[..., Any]) -> None:
    asked = client_of(None).options(f"{iiif.base_url(artwork)}/info.json", headers={"Origin": "https://viewer.test"})
    assert asked.status_code == 200
    assert (asked["Access-Control-Allow-Origin"], asked["Access-Control-Allow-Headers"]) == ("*", "Authorization")


def test_deleting_for_good_takes_the_tiles_along(large: Any) -> None:
    from datasets import storing

    path = storing.tiles_path(large)
    assert path is not None and path.name == "pyramid.tif"
    large.delete()
    storing.remove_files(large)
    assert not path.exists()


def test_of_a_large_artwork_without_its_pyramid_nothing_is_shown_rather_than_another_part(
    large: Any, viewer: Any, client_of: Callable[..., Any]
) -> None:
    from datasets import files

    url = f"{iiif.base_url(large)}/1000,0,512,512/512,/0/default.jpg"
    assert client_of(viewer).get(url).status_code == 200
    default_storage.delete(files.path_of(large, "pyramid"))
    assert client_of(viewer).get(url).status_code == 404
