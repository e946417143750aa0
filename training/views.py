"""The pages of training: detectors, what can be trained, and one run as it goes."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from datasets.models import Dataset
from datasets.pages import frame, open_dataset
from training.models import Detector, Run
from training.serializers import DetectorSerializer, run_json

RUNS_PER_PAGE = 20


def _runs(dataset: Dataset) -> Any:
    """Runs with everything that `run_json` reads."""
    related = ("created_by", "trainingrun__detector", "inferencerun__detector", "inferencerun__artwork")
    return Run.objects.filter(dataset=dataset).select_related(*related)


def _labels(dataset: Dataset) -> list[dict[str, Any]]:
    return list(dataset.labels.values("id", "name", "colour"))  # type: ignore[attr-defined]


@require_safe
def detectors(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """The detectors that can be used in a dataset: the pretrained ones and those trained on it."""
    dataset = open_dataset(request, dataset_id)
    usable = Detector.objects.usable_in(dataset.pk)
    context = frame(dataset, "detectors")
    data = {
        "dataset": {"id": dataset.pk, "name": dataset.name, "artworks": context["counts"]["artworks"]},
        "may": context["may"],
        "labels": _labels(dataset),
        "detectors": DetectorSerializer(usable, many=True, context={"dataset": dataset}).data,
    }
    return render(request, "training/detectors.html", context | {"data": data})


@require_safe
def training(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """Start a training, and the runs so far. The choices and the readiness come from the API."""
    dataset = open_dataset(request, dataset_id)
    page = Paginator(_runs(dataset), RUNS_PER_PAGE).get_page(request.GET.get("page"))
    context = frame(dataset, "training") | {"page": page}
    data = {
        "dataset": {"id": dataset.pk, "name": dataset.name},
        "may": context["may"],
        "runs": [run_json(run) for run in page.object_list],
    }
    return render(request, "training/training.html", context | {"data": data})


@require_safe
def run(request: HttpRequest, dataset_id: int, run_id: int) -> HttpResponse:
    """One run: complete from its events, then live."""
    dataset = open_dataset(request, dataset_id)
    found = get_object_or_404(_runs(dataset), pk=run_id)
    context = frame(dataset, "training") | {"run": found}
    data = {
        "dataset": {"id": dataset.pk, "name": dataset.name},
        "may": context["may"],
        "run": run_json(found),
    }
    return render(request, "training/run.html", context | {"data": data})
