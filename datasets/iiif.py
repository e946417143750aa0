"""Artworks by the IIIF Image API 3.0, level 1 (https://iiif.io/api/image/3.0/), for members of their dataset.

Addresses: `…/iiif/<sha16>/info.json` and `…/iiif/<sha16>/{region}/{size}/0/default.jpg`, where `sha16` begins the
SHA-256 of the original: an address names the content, and its answer never changes. Coordinates are pixels of the
artwork after EXIF orientation, origin top left. A viewer elsewhere sends the token of the API.
"""

from __future__ import annotations

import re
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import SessionAuthentication, TokenAuthentication
from rest_framework.request import Request
from rest_framework.views import APIView

from datasets import storing
from datasets.delivery import CACHE_CONTROL, artwork_for
from datasets.models import Artwork
from datasets.pyramids import TILE, Region, read
from datasets.refusals import Refusal

CONTEXT = "http://iiif.io/api/image/3/context.json"
LONGEST = 4096  # pixels on a side of an answer
NUMBER = r"(\d{1,6})"


def base_url(artwork: Artwork) -> str:
    """Path of an artwork's image service."""
    return reverse("datasets:iiif", args=[artwork.dataset_id, artwork.pk, artwork.sha256[:16]])


def info(artwork: Artwork, host: str = "") -> dict[str, Any]:
    """The image information document; `host` is scheme and server where the address must be complete."""
    largest = max(artwork.width, artwork.height)
    factors = [1]
    while largest / factors[-1] > TILE:
        factors.append(factors[-1] * 2)
    return {
        "@context": CONTEXT,
        "id": f"{host}{base_url(artwork)}",
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level1",
        "width": artwork.width,
        "height": artwork.height,
        "maxWidth": LONGEST,
        "tiles": [{"width": TILE, "scaleFactors": factors}],
    }


def region_of(artwork: Artwork, region: str, size: str) -> Region:
    """What the region and size of an address mean. Raises Refusal for what level 1 does not know or is outside."""
    x, y, width, height = _place(artwork, region)
    return Region(x, y, width, height, *_size(size, width, height))


def _place(artwork: Artwork, region: str) -> tuple[int, int, int, int]:
    if region == "full":
        return 0, 0, artwork.width, artwork.height
    if region == "square":
        side = min(artwork.width, artwork.height)
        return (artwork.width - side) // 2, (artwork.height - side) // 2, side, side
    found = re.fullmatch(",".join([NUMBER] * 4), region)
    if not found:
        raise Refusal(_("The region must be full, square, or x,y,width,height in pixels."), code="invalid_region")
    x, y, width, height = map(int, found.groups())
    width, height = min(width, artwork.width - x), min(height, artwork.height - y)
    if width <= 0 or height <= 0:
        raise Refusal(_("The region lies outside the image."), code="invalid_region")
    return x, y, width, height


def _size(size: str, width: int, height: int) -> tuple[int, int]:
    """Width and height of the answer for a region of `width` × `height`."""
    found = re.fullmatch(r"([1-9]\d{0,5})?,([1-9]\d{0,5})?", size)
    if size == "max":
        shrink = max(1.0, max(width, height) / LONGEST)
        wanted = round(width / shrink), round(height / shrink)
    elif found and any(found.groups()):
        across, down = (int(side) if side else 0 for side in found.groups())
        wanted = across or round(width * down / height), down or round(height * across / width)
    else:
        raise Refusal(_("The size must be max, or width,height in pixels, of which one may be left out."), code="size")
    wanted = max(1, wanted[0]), max(1, wanted[1])
    # One pixel more than the region: viewers round sizes up.
    if wanted[0] > width + 1 or wanted[1] > height + 1 or max(wanted) > LONGEST:
        message = _("The size is larger than the region, or than %(longest)d pixels.")
        raise Refusal(message % {"longest": LONGEST}, code="size")
    return wanted


class Service(APIView):
    """What the addresses of one image have in common: the rights, and that other servers' viewers may ask."""

    throttle_classes = ()
    # Whoever is not logged in is asked for a token (401) instead of being sent away (403).
    authentication_classes = (TokenAuthentication, SessionAuthentication)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Access-Control-Allow-Origin"] = "*"
        response["Access-Control-Allow-Headers"] = "Authorization"
        return response

    def artwork(self, dataset_id: int, artwork_id: int, sha16: str) -> Artwork:
        """The artwork of the address. Raises Http404 for one that the user may not see, or of another content."""
        artwork = artwork_for(self.request.user, dataset_id, artwork_id)
        if sha16 != artwork.sha256[:16]:
            raise Http404
        return artwork

    def check_permissions(self, request: Request) -> None:
        # A browser asks first whether it may send the token, and does so without one.
        if request.method != "OPTIONS":
            super().check_permissions(request)


class Base(Service):
    """The address of the image itself leads to its information."""

    @extend_schema(exclude=True)
    def get(self, request: Request, **address: Any) -> HttpResponseBase:
        return HttpResponseRedirect(f"{base_url(self.artwork(**address))}/info.json", status=303)


class Information(Service):
    """The image information document."""

    @extend_schema(exclude=True)
    def get(self, request: Request, **address: Any) -> HttpResponseBase:
        host = f"{request.scheme}://{request.get_host()}"
        media_type = f'application/ld+json;profile="{CONTEXT}"'
        response = JsonResponse(info(self.artwork(**address), host), content_type=media_type)
        response["Cache-Control"] = CACHE_CONTROL
        return response


class Image(Service):
    """A region of the image at a size, as JPEG."""

    @extend_schema(exclude=True)
    def get(self, request: Request, region: str, size: str, **address: Any) -> HttpResponseBase:
        artwork = self.artwork(**address)
        wanted = region_of(artwork, region, size)
        etag = f'"{artwork.sha256[:16]}-{region}-{size}"'.replace(",", "_")  # a comma would separate two tags
        unchanged = get_conditional_response(request._request, etag=etag)
        response = unchanged or HttpResponse(_read(artwork, wanted), content_type="image/jpeg")
        response["ETag"] = etag
        response["Cache-Control"] = CACHE_CONTROL
        return response


def _read(artwork: Artwork, region: Region) -> bytes:
    path = storing.tiles_path(artwork)
    if path is None:
        raise Http404
    return read(path, region)
