"""The pages of annotations: a dataset's concepts, and the page on which boxes are drawn."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotations.models import Label
from datasets.pages import frame, open_dataset


@require_safe
def labels(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """The concepts of a dataset with their colours, shortcut keys and numbers of boxes."""
    dataset = open_dataset(request, dataset_id)
    rows = Label.objects.filter(dataset=dataset).with_counts()
    context = frame(dataset, "labels")
    data = {
        "dataset": {"id": dataset.pk, "name": dataset.name},
        "may": context["may"],
        "labels": [
            {
                "id": label.pk,
                "name": label.name,
                "colour": label.colour,
                "shortcut": label.shortcut,
                "boxes": label.box_total,
                "artworks": label.artwork_total,
            }
            for label in rows
        ],
    }
    return render(request, "annotations/labels.html", context | {"data": data})
