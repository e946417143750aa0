"""Files reach members only, cacheable and harmless."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from datasets.models import Dataset


@pytest.mark.parametrize(("kind", "content_type"), [("thumbnail", "image/webp"), ("display", "image/jpeg")])
def test_members_see_the_images(kind: str, content_type: str, artwork: Any, viewer: Any, client_of: Any) -> None:
    answer = client_of(viewer).get(artwork.file_url(kind))
    assert answer.status_code == 200
    assert answer["Content-Type"] == content_type
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "Content-Disposition" not in answer
    unchanged = client_of(viewer).get(artwork.file_url(kind), headers={"If-None-Match": answer["ETag"]})
    assert unchanged.status_code == 304 and not unchanged.content


def test_the_original_is_a_download_byte_for_byte(artwork: Any, viewer: Any, client_of: Any, picture: Any) -> None:
    artwork.file_name = "Дева «Мария».jpg"
    artwork.save()
    answer = client_of(viewer).get(artwork.file_url("original"))
    assert b"".join(answer.streaming_content) == picture()
    assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''%D0%94")


@pytest.mark.parametrize("kind", ["thumbnail", "display", "original"])
def test_nobody_else_sees_them(kind: str, artwork: Any, outsider: Any, client_of: Any) -> None:
    url = artwork.file_url(kind)
    assert client_of(outsider).get(url).status_code == 404
    anonymous = client_of(None).get(url)
    assert anonymous.status_code == 302 and "/login/" in anonymous["Location"]
    own = Dataset.objects.get(name="Otto's own")
    elsewhere = url.replace(f"/datasets/{artwork.dataset_id}/", f"/datasets/{own.pk}/")
    assert client_of(outsider).get(elsewhere).status_code == 404


def test_an_address_of_other_content_leads_nowhere(artwork: Any, viewer: Any, client_of: Any) -> None:
    url = artwork.file_url("display")
    sha = artwork.sha256[:16]
    assert client_of(viewer).get(url.replace(sha, "0" * 16)).status_code == 404
    assert client_of(viewer).get(url.replace("display", "secret")).status_code == 404
    assert client_of(viewer).post(url).status_code == 405


def test_a_deleted_artwork_is_shown_to_curators_only(artwork: Any, curator: Any, viewer: Any, client_of: Any) -> None:
    client_of(curator).delete(f"/api/datasets/{artwork.dataset_id}/artworks/{artwork.pk}/")
    assert client_of(viewer).get(artwork.file_url("display")).status_code == 404
    assert client_of(curator).get(artwork.file_url("display")).status_code == 200


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_the_original_streams_in_pieces_under_asgi(
    async_client: Any, django_user_model: Any, artwork: Any, viewer: Any, picture: Any
) -> None:
    await async_client.aforce_login(viewer, backend="django.contrib.auth.backends.ModelBackend")
    answer = await async_client.get(artwork.file_url("original"))
    assert answer.is_async
    assert b"".join([piece async for piece in answer.streaming_content]) == picture()
    assert answer["Content-Length"] == str(artwork.byte_size)
    await sync_to_async(connections.close_all)()  # those of the thread that answered
