"""The pages of training: detectors, what can be trained, and one run as it goes."""

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from annotations.models import Label
from datasets.models import Dataset
from datasets.pages import frame, open_dataset, page_numbers
from training import comparisons, converting, curves, evaluations, fetching, files
from training.models import Detector, Run, TrainingRun
from training.options import options_json
from training.pipeline.architectures import ARCHITECTURES
from training.pipeline.config import AUGMENTATIONS, BUDGETS
from training.serializers import DetectorSerializer, run_json

RUNS_PER_PAGE = 20
PICTURES_PER_PAGE = 12
# As in README.md.
TENSORBOARD = ".venv/bin/python manage.py tensorboard"


def _runs(dataset: Dataset) -> Any:
    """Runs with everything that `run_json` reads."""
    related = ("created_by", "trainingrun__detector", "inferencerun__detector", "inferencerun__artwork")
    return Run.objects.filter(dataset=dataset).select_related(*related)


def _labels(dataset: Dataset) -> list[dict[str, Any]]:
    return [dict(row) for row in Label.objects.filter(dataset=dataset).values("id", "name", "colour")]


@require_safe
def detectors(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """The detectors that can be used: the pretrained ones, those trained on this dataset or on others of the user."""
    dataset = open_dataset(request, dataset_id)
    usable = list(Detector.objects.usable_in(dataset.pk, request.user).select_related("dataset"))
    described = DetectorSerializer(usable, many=True, context={"dataset": dataset}).data
    for detector, description in zip(usable, described, strict=True):
        detector.files = description["files"]  # type: ignore[attr-defined]
        detector.percent = {name: evaluations.percent(detector.metrics.get(name)) for name in ("AP", "AP50")}  # type: ignore[attr-defined]
        detector.architecture_title = description["architecture_title"]  # type: ignore[attr-defined]
        detector.is_fetched = files.is_fetched(detector)  # type: ignore[attr-defined]
        detector.offers_onnx = bool(description["files"]) and converting.is_offered(detector)  # type: ignore[attr-defined]
        detector.can_start = detector.is_fetched and files.can_go_on_from(detector)  # type: ignore[attr-defined]
    catalogue = [row for row in fetching.catalogue_json() if row["detector"] is None]
    context = frame(dataset, "detectors") | {"detectors": usable, "catalogue": catalogue}
    data = {
        "dataset": {"id": dataset.pk, "name": dataset.name, "artworks": context["counts"]["artworks"]},
        "may": context["may"],
        "labels": _labels(dataset),
        "detectors": described,
        "catalogue": catalogue,
    }
    return render(request, "training/detectors.html", context | {"data": data})


@require_safe
def detector(request: HttpRequest, dataset_id: int, detector_id: int) -> HttpResponse:
    """How good a detector is on the artworks kept aside; `?with=` names another one to compare it with."""
    dataset = open_dataset(request, dataset_id)
    found = get_object_or_404(Detector.objects.usable_in(dataset.pk, request.user), pk=detector_id)
    context = frame(dataset, "detectors") | {"detector": found, "onnx": converting.onnx_json(found)}
    context["files"] = _files(dataset, found)
    evaluation = evaluations.evaluation_of(found)
    if evaluation is None:
        return render(request, "training/detector.html", context | {"why": evaluations.why_none(found)})
    page = Paginator(evaluation["artworks"], PICTURES_PER_PAGE).get_page(request.GET.get("page"))
    compared, data = _comparison(found, evaluation, request.GET.get("with", ""))
    context |= compared | {
        "evaluation": evaluation,
        "percent": {name: evaluations.percent(evaluation[name]) for name in ("AP", "AP50", "threshold")},
        "headline": evaluations.headline(evaluation),
        "concepts": evaluations.concepts(evaluation),
        "simulated": evaluations.simulated_concepts(evaluation),
        "coco": evaluations.coco(evaluation),
        "confusion": evaluations.confusion(evaluation),
        "page": page,
        "pages": page_numbers(page),
        "query": f"?with={compared['other'].pk}" if "other" in compared else "",
        "pictures": evaluations.pictures(list(page.object_list), found, evaluation),
    }
    colours = dict(Label.objects.filter(dataset=found.dataset_id).values_list("pk", "colour"))
    data["concepts"] = [row | {"colour": colours.get(row["label"])} for row in evaluations.curves(evaluation)]
    return render(request, "training/detector.html", context | {"data": data})


def _files(dataset: Dataset, detector: Detector) -> dict[str, list[dict[str, Any]]]:
    """A detector's files as the API lists them: those that were compared (see `evaluations.checks`), and the others."""
    listed = DetectorSerializer(detector, context={"dataset": dataset}).data["files"]
    known = {row["name"]: row for row in listed}
    checked = [check | {"file": known.pop(check["name"], None)} for check in evaluations.checks(detector)]
    return {"listed": listed, "checked": checked, "others": list(known.values())}


def _comparison(detector: Detector, evaluation: dict[str, Any], wanted: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the page and its script need to show another detector beside this one, if one is wanted."""
    others = evaluations.comparable(detector)
    other = next((row for row in others if str(row.pk) == wanted), None)
    theirs = evaluations.evaluation_of(other) if other else None
    if other is None or theirs is None:
        return {"others": others, "without": other}, {"curves": []}
    tests = evaluations.differing_tests(evaluation, theirs)
    compared = {
        "others": others,
        "other": other,
        "rows": evaluations.side_by_side(evaluation, theirs),
        "tests": tests,
    }
    if any(tests[name] for name in ("only", "only_other", "changed", "simulated")):
        common = evaluations.in_common(evaluation, theirs)
        scores = comparisons.scores_of([detector, other], **common)
        compared["on_both"] = evaluations.on_both(evaluation, theirs, common)
        compared["common_rows"] = evaluations.side_by_side(*scores) if scores else []
    names = {row.run_id: row.name for row in (detector, other) if row.run_id}
    return compared, {"curves": curves.curves_of(names)}


@require_safe
def training(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """Whether there is enough to train on, what can be chosen, and the runs so far."""
    dataset = open_dataset(request, dataset_id)
    page = Paginator(_runs(dataset), RUNS_PER_PAGE).get_page(request.GET.get("page"))
    for listed in page.object_list:
        listed.score = _score(listed)
    active = _runs(dataset).filter(kind=Run.Kind.TRAINING).active().first()
    options = options_json(dataset, request.user)
    context = frame(dataset, "training") | {
        "page": page,
        "pages": page_numbers(page),
        "active": active,
        "options": options,
    }
    data = {
        "dataset": {"id": dataset.pk, "name": dataset.name},
        "may": context["may"],
        "options": options,
        "active": run_json(active) if active else None,
    }
    return render(request, "training/training.html", context | {"data": data})


@require_safe
def runs(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """The curves of several trainings in one picture: `?run=` names each, `?by=minutes` lays them along the time."""
    dataset = open_dataset(request, dataset_id)
    known = curves.with_curves(dataset)
    page = Paginator(known, RUNS_PER_PAGE).get_page(request.GET.get("page"))
    wanted = request.GET.getlist("run")
    # Whoever comes without a choice sees the newest ones; whoever takes the last one away sees none.
    found = curves.chosen(known, wanted) if wanted or "by" in request.GET else list(known[: curves.FIRST_RUNS])
    drawn, by = found[: curves.MOST_RUNS], "minutes" if request.GET.get("by") == "minutes" else "steps"
    begun = {row.pk: row.started_at or row.created_at for row in drawn} if by == "minutes" else None
    data = curves.curves_of({row.pk: row.name for row in drawn}, begun)
    context = frame(dataset, "training") | {
        "page": page,
        "pages": page_numbers(page),
        "query": "?" + urlencode({"by": by, "run": [row.pk for row in drawn]}, doseq=True),
        "drawn": list(zip(drawn, curves.endings(data), strict=True)),
        "others": [row for row in page.object_list if row not in drawn],
        "by": by,
        "most": curves.MOST_RUNS,
        "too_many": len(found) > curves.MOST_RUNS,
    }
    return render(request, "training/runs.html", context | {"data": {"curves": data, "by": by}})


@require_safe
def run(request: HttpRequest, dataset_id: int, run_id: int) -> HttpResponse:
    """One run: complete from its events, then live."""
    dataset = open_dataset(request, dataset_id)
    found = get_object_or_404(_runs(dataset), pk=run_id)
    context = frame(dataset, "training") | {"run": found}
    if found.kind == Run.Kind.TRAINING:
        context["choices"] = _choices(found.trainingrun)
        if request.user.is_staff:  # whoever can do something with it
            context["tensorboard"] = f"{TENSORBOARD} {found.pk}"
    else:
        context["threshold"] = round(found.inferencerun.threshold * 100)
        context["closely"] = found.inferencerun.closely
        context["own_scores"] = found.inferencerun.own_scores
    data = {
        "dataset": {"id": dataset.pk, "name": dataset.name},
        "may": context["may"],
        "run": run_json(found),
    }
    return render(request, "training/run.html", context | {"data": data})


def _score(run: Any) -> int | None:
    """AP50 in percent of the detector that a training has made."""
    detector = getattr(getattr(run, "trainingrun", None), "detector", None)
    found = detector.metrics.get("AP50") if detector else None
    return None if found is None else round(found * 100)


def _choices(training: TrainingRun) -> str:
    """What was chosen for a training, in words. A choice that a later version no longer offers keeps its key."""
    chosen = (
        (ARCHITECTURES, training.architecture),
        (BUDGETS, training.budget),
        (AUGMENTATIONS, training.augmentation),
    )
    words = [_(known[key].title) if key in known else key for known, key in chosen]
    if training.minutes:  # runs of earlier versions were given steps
        words.append(_("%(minutes)s minutes") % {"minutes": f"{training.minutes:g}"})
    return " · ".join(words)
