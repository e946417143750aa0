"""Detectors, runs and what a training can choose from."""

from __future__ import annotations

from typing import Any

from django.core.files import File
from django.core.paginator import InvalidPage, Paginator
from django.db.models import Q
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from datasets.delivery import download
from datasets.models import Dataset, Role
from datasets.permissions import dataset_for
from datasets.refusals import Conflict, Refusal
from training import adding, converting, evaluations, fetching, files, live, previews, services
from training.models import Detector, Run
from training.options import options_json
from training.phrases import translated_event
from training.querysets import DetectorQuerySet, RunQuerySet
from training.serializers import (
    AddDetectorSerializer,
    CatalogueDetectorSerializer,
    DetectorSerializer,
    EvaluationSerializer,
    InferenceRequestSerializer,
    OnnxSerializer,
    PreviewRequestSerializer,
    PreviewSerializer,
    RunSerializer,
    TrainingRequestSerializer,
    TrainingWishSerializer,
)

EVENTS_PER_ANSWER = 1000
ARTWORKS_PER_ANSWER = 50
SHOWN = ("trainingrun__detector", "inferencerun__detector", "created_by")


class InDataset:
    """A view below /datasets/<dataset_id>/: looks the dataset up with the role that its method needs."""

    needed: dict[str, Role] = {}
    request: Request
    kwargs: dict[str, Any]

    @property
    def dataset(self) -> Dataset:
        """The dataset, its rights checked once per request."""
        if not hasattr(self, "_dataset"):
            role = self.needed.get(self.request.method or "", Role.VIEWER)
            self._dataset = dataset_for(self.request.user, self.kwargs["dataset_id"], role)
        return self._dataset


class DetectorView(InDataset, generics.GenericAPIView[Detector]):
    serializer_class = DetectorSerializer

    def get_queryset(self) -> DetectorQuerySet:
        if getattr(self, "swagger_fake_view", False):
            return Detector.objects.none()
        return Detector.objects.usable_in(self.dataset.pk, self.request.user).select_related("dataset")

    def get_serializer_context(self) -> dict[str, Any]:
        context = dict(super().get_serializer_context())
        if not getattr(self, "swagger_fake_view", False):
            context["dataset"] = self.dataset
        return context


class DetectorList(DetectorView, generics.ListAPIView[Detector]):
    """The detectors that can draw boxes in this dataset: pretrained ones, those trained on it or added to it."""

    needed = {"POST": Role.CURATOR}
    parser_classes = [MultiPartParser]

    @extend_schema(request={"multipart/form-data": AddDetectorSerializer}, responses={201: DetectorSerializer})
    def post(self, request: Request, dataset_id: int) -> Response:
        """Add a detector as a file. It is tried on one picture first, which takes up to a minute."""
        dataset = self.dataset
        wanted = AddDetectorSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = dict(wanted.validated_data)
        detector = adding.add_detector(dataset=dataset, user=request.user, upload=given.pop("file"), **given)
        return Response(self.get_serializer(detector).data, status.HTTP_201_CREATED)


class DetectorDetail(DetectorView, generics.RetrieveUpdateAPIView[Detector]):
    """One detector; renaming and deleting are for curators."""

    needed = {"PATCH": Role.CURATOR, "DELETE": Role.CURATOR}
    lookup_url_kwarg = "detector_id"
    http_method_names = ["get", "patch", "delete", "options", "head"]

    def get_queryset(self) -> DetectorQuerySet:
        detectors = super().get_queryset()
        # What was trained on another dataset is that one's curators' to change.
        if self.request.method in SAFE_METHODS or getattr(self, "swagger_fake_view", False):
            return detectors
        return detectors.filter(Q(dataset=self.dataset) | Q(dataset=None))

    def perform_update(self, serializer: Any) -> None:
        if serializer.instance.kind == Detector.Kind.PRETRAINED:
            message = _("A pretrained detector belongs to the installation and cannot be renamed here.")
            raise Conflict(message, code="pretrained")
        serializer.save()

    @extend_schema(responses={204: None})
    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        services.delete_detector(self.get_object(), request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class DetectorFile(DetectorView):
    """One of a detector's files, to download."""

    @extend_schema(responses={200: OpenApiTypes.BINARY})
    def get(self, request: Request, dataset_id: int, detector_id: int, name: str) -> HttpResponseBase:
        detector = get_object_or_404(self.get_queryset(), pk=detector_id)
        # A name out of the folder's own list: nothing that a client sends becomes part of a path.
        size = files.detector_files(detector).get(name)
        if size is None:
            raise Http404
        stored = File((files.detector_folder(detector) / name).open("rb"))
        return download(request._request, stored, name=name, size=size)


class DetectorOnnx(DetectorView):
    """The detector's ONNX file, which is made when somebody first asks; whoever may download files may ask."""

    @extend_schema(responses=OnnxSerializer)
    def get(self, request: Request, dataset_id: int, detector_id: int) -> Response:
        """How far it is. Once it is there, it is among the detector's files."""
        return Response(converting.onnx_json(get_object_or_404(self.get_queryset(), pk=detector_id)))

    @extend_schema(request=None, responses={202: OnnxSerializer})
    def post(self, request: Request, dataset_id: int, detector_id: int) -> Response:
        """Have it made, which takes half a minute and more. Asking again meanwhile changes nothing."""
        detector = get_object_or_404(self.get_queryset(), pk=detector_id)
        converting.start_conversion(detector=detector, user=request.user)
        return Response(converting.onnx_json(detector), status=status.HTTP_202_ACCEPTED)


class DetectorEvaluation(DetectorView):
    """How good a detector that was trained here is on the artworks kept aside, a page of these at a time."""

    @extend_schema(parameters=[OpenApiParameter("page", int)], responses=EvaluationSerializer)
    def get(self, request: Request, dataset_id: int, detector_id: int) -> Response:
        detector = get_object_or_404(self.get_queryset(), pk=detector_id)
        found = evaluations.evaluation_of(detector)
        if found is None:
            raise Refusal(evaluations.why_none(detector), code="no_evaluation", status_code=status.HTTP_404_NOT_FOUND)
        paginator = Paginator(found["artworks"], ARTWORKS_PER_ANSWER)
        try:
            page = paginator.page(request.query_params.get("page", "1"))
        except InvalidPage:
            message = _("`page` must be a number from 1 to %(last)d.") % {"last": paginator.num_pages}
            raise Refusal(message, code="invalid") from None
        shown = {"count": paginator.count, "page": page.number, "pages": paginator.num_pages}
        return Response(EvaluationSerializer({**found, **shown, "artworks": page.object_list}).data)


class CatalogueView(InDataset, APIView):
    """The catalogue is everybody's; the dataset of the address says what somebody may do with it."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        dataset_for(request.user, kwargs["dataset_id"], self.needed.get(request.method or "", Role.VIEWER))


class Catalogue(CatalogueView):
    """The pretrained detectors that can be fetched, and how far each is on its way here."""

    @extend_schema(responses=CatalogueDetectorSerializer(many=True))
    def get(self, request: Request, dataset_id: int) -> Response:
        return Response(fetching.catalogue_json())


class CatalogueFetch(CatalogueView):
    needed = {"POST": Role.CURATOR}

    @extend_schema(request=None, responses={202: CatalogueDetectorSerializer(many=True)})
    def post(self, request: Request, dataset_id: int, key: str) -> Response:
        """Fetch a detector, or go on with it; everybody on this installation can use it then."""
        fetching.start_fetch(key=key, user=request.user)
        return Response(fetching.catalogue_json(), status=status.HTTP_202_ACCEPTED)


class CatalogueCancel(CatalogueView):
    needed = {"POST": Role.CURATOR}

    @extend_schema(request=None, responses=CatalogueDetectorSerializer(many=True))
    def post(self, request: Request, dataset_id: int, key: str) -> Response:
        """Stop fetching a detector; what has arrived is kept."""
        fetching.cancel_fetch(key=key)
        return Response(fetching.catalogue_json())


class TrainingOptions(InDataset, APIView):
    """What a training can choose from, the time each takes, and whether there is enough to train on."""

    @extend_schema(parameters=[TrainingWishSerializer], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, dataset_id: int) -> Response:
        dataset = self.dataset
        wanted = TrainingWishSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        return Response(options_json(dataset, request.user, **wanted.validated_data))


class PreviewThrottle(UserRateThrottle):
    """Each answer costs a process of some seconds."""

    scope = "preview"


class AugmentationPreview(InDataset, APIView):
    """Some of the dataset's artworks as a training would see them, with their boxes."""

    needed = {"GET": Role.CURATOR}
    throttle_classes = [PreviewThrottle]

    @extend_schema(parameters=[PreviewRequestSerializer], responses=PreviewSerializer)
    def get(self, request: Request, dataset_id: int) -> Response:
        dataset = self.dataset
        wanted = PreviewRequestSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        return Response(previews.preview(dataset, **wanted.validated_data))


class RunView(InDataset, generics.GenericAPIView[Run]):
    serializer_class = RunSerializer
    kind: str | None = None

    def get_queryset(self) -> RunQuerySet:
        if getattr(self, "swagger_fake_view", False):
            return Run.objects.none()
        runs = Run.objects.filter(dataset=self.dataset).select_related(*SHOWN)
        return runs.filter(kind=self.kind) if self.kind else runs

    def run(self) -> Run:
        """The run that the address names."""
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["run_id"])

    def answer(self, run_id: int, status_code: int = 200) -> Response:
        run = Run.objects.select_related(*SHOWN).get(pk=run_id)
        return Response(RunSerializer(run).data, status=status_code)


class TrainingRunList(RunView, generics.ListAPIView[Run]):
    """Trainings of this dataset, newest first; starting one freezes the dataset."""

    kind = Run.Kind.TRAINING
    needed = {"POST": Role.CURATOR}

    @extend_schema(request=TrainingRequestSerializer, responses={201: RunSerializer})
    def post(self, request: Request, dataset_id: int) -> Response:
        dataset = self.dataset
        wanted = TrainingRequestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        chosen = dict(wanted.validated_data)
        label_ids = chosen.pop("labels", None)
        choice = services.TrainingChoice(**chosen)
        run = services.start_training(dataset=dataset, user=request.user, choice=choice, label_ids=label_ids)
        return self.answer(run.pk, status.HTTP_201_CREATED)


class InferenceRunList(RunView, generics.ListAPIView[Run]):
    """Automatic annotation: a detector draws suggestions on one artwork or on all."""

    kind = Run.Kind.INFERENCE
    needed = {"POST": Role.ANNOTATOR}

    @extend_schema(request=InferenceRequestSerializer, responses={201: RunSerializer})
    def post(self, request: Request, dataset_id: int) -> Response:
        dataset = self.dataset
        wanted = InferenceRequestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        chosen = wanted.validated_data
        run = services.start_inference(
            dataset=dataset,
            user=request.user,
            detector_id=chosen["detector"],
            artwork_id=chosen["artwork"],
            threshold=chosen["threshold"],
            mapping=chosen["mapping"],
            closely=chosen["closely"],
            own_scores=chosen["own_scores"],
        )
        return self.answer(run.pk, status.HTTP_201_CREATED)


class RunDetail(RunView):
    """One run of this dataset."""

    @extend_schema(responses=RunSerializer)
    def get(self, request: Request, dataset_id: int, run_id: int) -> Response:
        return Response(RunSerializer(self.run()).data)


class RunChange(RunView):
    """Trainings are changed by curators, inferences by annotators."""

    needed = {"POST": Role.ANNOTATOR}

    def changeable(self) -> Run:
        """The run, if the user's role allows to change one of its kind."""
        run = self.run()
        if run.kind == Run.Kind.TRAINING:
            dataset_for(self.request.user, run.dataset_id, Role.CURATOR)
        return run


class RunCancel(RunChange):
    @extend_schema(request=None, responses=RunSerializer)
    def post(self, request: Request, dataset_id: int, run_id: int) -> Response:
        """Stop a run; a training keeps its last checkpoint and can go on later."""
        services.cancel_run(self.changeable())
        return self.answer(run_id)


class RunResume(RunChange):
    @extend_schema(request=None, responses=RunSerializer)
    def post(self, request: Request, dataset_id: int, run_id: int) -> Response:
        """Let a run that was stopped go on."""
        services.resume_run(self.changeable())
        return self.answer(run_id)


class RunEvents(RunView):
    """What a run has said, in order."""

    @extend_schema(parameters=[OpenApiParameter("after", int)], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, dataset_id: int, run_id: int) -> Response:
        run = self.run()
        after = request.query_params.get("after", "0")
        if not after.isdecimal() or len(after) > 9:
            raise Refusal(_("`after` must be the number of the last event that you have."), code="invalid")
        events = live.events_after(run.pk, run.kind, int(after), EVENTS_PER_ANSWER)
        return Response({"results": list(map(translated_event, events)), "last": run.last_seq})
