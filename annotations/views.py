"""The pages of annotations: a dataset's concepts, and the page on which boxes are drawn."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from annotations.documents import document
from annotations.labelling import PALETTE
from annotations.models import Label
from annotations.neighbours import neighbour
from annotations.report import report_of
from datasets import iiif
from datasets.filters import GridFilter
from datasets.models import Artwork, Role
from datasets.pages import frame, open_dataset
from datasets.permissions import has_role
from datasets.progress import progress_line
from datasets.serializers import ArtworkSerializer


@require_safe
def labels(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """The concepts of a dataset with their colours, shortcut keys and numbers of boxes."""
    dataset = open_dataset(request, dataset_id)
    rows = Label.objects.filter(dataset=dataset).with_counts()
    context = frame(dataset, "labels")
    data = {
        "dataset": {"id": dataset.pk, "name": dataset.name},
        "may": context["may"],
        "palette": PALETTE,
        "labels": [_label_json(label) | {"boxes": label.box_total, "artworks": label.artwork_total} for label in rows],
    }
    return render(request, "annotations/labels.html", context | {"data": data})


@require_safe
def progress(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """How far a dataset is: its artworks, its concepts, its people."""
    dataset = open_dataset(request, dataset_id)
    return render(request, "annotations/progress.html", frame(dataset, "progress") | {"report": report_of(dataset)})


@require_safe
def next_work(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """On to the artwork that needs work most; `?after=` names the one that the person comes from."""
    dataset = open_dataset(request, dataset_id)
    after = request.GET.get("after", "")
    waiting = dataset.artworks.present().needing_work()
    found = waiting.exclude(pk=int(after) if after.isdecimal() and len(after) < 19 else 0).first()
    if found:
        return redirect(found)
    return redirect("annotations:progress", dataset.pk)


@require_safe
@ensure_csrf_cookie
def page(request: HttpRequest, dataset_id: int, artwork_id: int) -> HttpResponse:
    """The annotation page of one artwork; the grid's filter in the address decides which artwork is the next."""
    dataset = open_dataset(request, dataset_id)
    artworks = Artwork.objects.present().select_related("progress_by")
    artwork = get_object_or_404(artworks, pk=artwork_id, dataset=dataset)
    labels = list(Label.objects.filter(dataset=dataset))
    wanted = GridFilter.of(request.GET, labels)
    data = {
        "dataset": {"id": dataset.pk, "name": dataset.name},
        "artwork": ArtworkSerializer(artwork).data,
        "document": document(artwork),
        "source": _source(artwork),
        "labels": list(map(_label_json, labels)),
        "username": request.user.get_username(),
        "can": {"draw": has_role(dataset, Role.ANNOTATOR), "curate": has_role(dataset, Role.CURATOR)},
        "neighbours": _neighbours(artwork, wanted),
        "urls": {
            "api": reverse("datasets-api:artwork-detail", args=[dataset.pk, artwork.pk]),
            "next_work": f"{reverse('annotations:next_work', args=[dataset.pk])}?after={artwork.pk}",
        },
    }
    context = {
        "dataset": dataset,
        "artwork": artwork,
        "query": wanted.query(),
        "data": data,
        "can": data["can"],
        "neighbours": data["neighbours"],
        "progress": Artwork.Progress.choices,
        "progress_line": progress_line(artwork),
        "fields": _fields(artwork),
        "numbers": [("x", "x"), ("y", "y"), ("width", _("Width")), ("height", _("Height"))],
    }
    return render(request, "annotations/page.html", context)


def _label_json(label: Label) -> dict[str, Any]:
    return {"id": label.pk, "name": label.name, "colour": label.colour, "shortcut": label.shortcut}


def _neighbours(artwork: Artwork, wanted: GridFilter) -> dict[str, str | None]:
    """Addresses of the pages before and after, and of the display image to fetch ahead."""
    before, after = (neighbour(artwork, wanted, forward=forward) for forward in (False, True))
    return {
        "previous": before.get_absolute_url() + wanted.query() if before else None,
        "next": after.get_absolute_url() + wanted.query() if after else None,
        "image": after.file_url("display") if after and not after.is_tiled else None,
    }


def _source(artwork: Artwork) -> dict[str, Any]:
    """What the viewer shows: the display image, or the tiles of an artwork that has more pixels than that."""
    return iiif.info(artwork) if artwork.is_tiled else {"type": "image", "url": artwork.file_url("display")}


def _fields(artwork: Artwork) -> list[dict[str, Any]]:
    """The metadata as the form shows it: name in the API, what it is called, its value, the longest it may be."""
    fields: list[Any] = [Artwork._meta.get_field(name) for name in Artwork.METADATA]
    return [
        {
            "name": field.name,
            "title": field.verbose_name,
            "value": getattr(artwork, field.name),
            "max_length": field.max_length,
            "kind": {"source": "url", "description": "text"}.get(field.name, "line"),
        }
        for field in fields
    ]
