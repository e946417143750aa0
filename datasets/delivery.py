"""Delivery of an artwork's files, with the rights of its dataset checked on every request."""

from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import sync_to_async
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from datasets import files
from datasets.models import Artwork, Role
from datasets.permissions import dataset_for, has_role

CHUNK = 1024 * 1024
# The address names the content, hence a year; `private`, since a shared cache would not ask for the rights.
CACHE_CONTROL = "private, max-age=31536000, immutable"


@require_safe
def file(request: HttpRequest, dataset_id: int, artwork_id: int, kind: str, sha16: str) -> HttpResponseBase:
    """Deliver the `thumbnail`, `display` image or `original` of an artwork, the last one as a download.

    Raises:
        Http404: no member, no such artwork or kind, or `sha16` is not the beginning of its content's SHA-256.
    """
    artwork = artwork_for(request.user, dataset_id, artwork_id)
    if kind not in files.KINDS or sha16 != artwork.sha256[:16]:
        raise Http404
    etag = f'"{sha16}-{kind}"'
    response = get_conditional_response(request, etag=etag) or _open(request, artwork, kind)
    response["ETag"] = etag
    response["Cache-Control"] = CACHE_CONTROL
    response["X-Content-Type-Options"] = "nosniff"
    return response


def artwork_for(user: Any, dataset_id: int, artwork_id: int) -> Artwork:
    """An artwork whose pictures `user` may see; a deleted one is shown to curators only, who can restore it.

    Raises Http404 for all others.
    """
    dataset = dataset_for(user, dataset_id, Role.VIEWER)
    artworks = dataset.artworks.all() if has_role(dataset, Role.CURATOR) else dataset.artworks.present()
    artwork = artworks.filter(pk=artwork_id).first()
    if artwork is None:
        raise Http404
    return artwork


def _open(request: HttpRequest, artwork: Artwork, kind: str) -> HttpResponseBase:
    try:
        stored = default_storage.open(files.path_of(artwork, kind))
    except FileNotFoundError:
        raise Http404 from None
    content_type = files.content_type(artwork, kind)
    if kind != "original":
        with stored:
            return HttpResponse(stored.read(), content_type=content_type)
    return download(request, stored, name=artwork.file_name, size=artwork.byte_size, content_type=content_type)


def download(request: HttpRequest, stored: File, *, name: str, size: int, content_type: str = "") -> HttpResponseBase:
    """Send an open file of `size` bytes as a download called `name`, in pieces, and close it afterwards."""
    content_type = content_type or "application/octet-stream"
    if isinstance(request, ASGIRequest):
        response: HttpResponseBase = StreamingHttpResponse(_chunks(stored), content_type=content_type)
        response["Content-Length"] = str(size)
    else:
        response = FileResponse(stored, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return response


async def _chunks(stored: File) -> AsyncIterator[bytes]:
    """Read in pieces: under ASGI, Django would gather a synchronous stream in memory, and scans are large."""
    try:
        while chunk := await sync_to_async(stored.read)(CHUNK):
            yield chunk
    finally:
        await sync_to_async(stored.close)()
