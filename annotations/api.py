"""Labels, boxes and suggestions below /api/datasets/<dataset_id>/."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations import coco, history, services
from annotations.documents import Document, document
from annotations.models import Change, Label
from annotations.querysets import LabelQuerySet
from annotations.serializers import (
    BatchSerializer,
    ChangeSerializer,
    CountSerializer,
    DocumentSerializer,
    LabelInput,
    LabelSerializer,
    PastSerializer,
    RestoredSerializer,
    RestoreSerializer,
    ReviewAllSerializer,
    ReviewSerializer,
)
from datasets.models import Artwork, Dataset, Role
from datasets.permissions import dataset_for

COUNTS = OpenApiParameter("counts", OpenApiTypes.BOOL, description="Count the boxes of each label, which takes longer.")
FORCE = OpenApiParameter("force", OpenApiTypes.BOOL, description="Delete the label with all boxes that carry it.")


class LabelList(generics.GenericAPIView[Label]):
    """The labels (concepts) of a dataset."""

    serializer_class = LabelSerializer

    def get_queryset(self) -> LabelQuerySet:
        if getattr(self, "swagger_fake_view", False):
            return Label.objects.none()
        dataset = _dataset(self.request, self.kwargs["dataset_id"], Role.VIEWER)
        labels = Label.objects.filter(dataset=dataset)
        if _is_set(self.request, "counts"):
            labels = labels.with_counts()
        # Counting groups the rows, and grouped rows lose the model's own order.
        return labels.order_by("name", "pk")

    @extend_schema(operation_id="labels_list", parameters=[COUNTS], responses=LabelSerializer(many=True))
    def get(self, request: Request, dataset_id: int) -> Response:
        """List the labels, ordered by name."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(LabelSerializer(page, many=True).data)

    @extend_schema(operation_id="labels_create", request=LabelInput, responses={201: LabelSerializer})
    def post(self, request: Request, dataset_id: int) -> Response:
        """Add a label. Without a colour or shortcut it gets the next free one."""
        dataset = _dataset(request, dataset_id, Role.CURATOR)
        label = services.create_label(dataset=dataset, **_given(LabelInput(data=request.data)))
        return Response(LabelSerializer(label).data | {"boxes": 0}, status.HTTP_201_CREATED)


class LabelDetail(APIView):
    """One label."""

    @extend_schema(operation_id="labels_update", request=LabelInput(partial=True), responses=LabelSerializer)
    def patch(self, request: Request, dataset_id: int, label_id: int) -> Response:
        """Rename it, or give it another colour or shortcut."""
        label = _label(_dataset(request, dataset_id, Role.CURATOR), label_id)
        services.update_label(label=label, **_given(LabelInput(data=request.data, partial=True)))
        return Response(LabelSerializer(Label.objects.with_counts().get(pk=label_id)).data)

    @extend_schema(operation_id="labels_delete", parameters=[FORCE], responses={204: None})
    def delete(self, request: Request, dataset_id: int, label_id: int) -> Response:
        """Delete it. Refused with 409 and the number of boxes while boxes carry it, unless `force`."""
        dataset = _dataset(request, dataset_id, Role.CURATOR)
        label = _label(dataset, label_id)
        services.delete_label(label=label, user=request.user, force=_is_set(request, "force"))
        return Response(status=status.HTTP_204_NO_CONTENT)


class Boxes(APIView):
    """What is marked on an artwork."""

    @extend_schema(operation_id="boxes_retrieve", responses=DocumentSerializer)
    def get(self, request: Request, dataset_id: int, artwork_id: int) -> Response:
        """Give the document of an artwork: its revision and its boxes, without the rejected ones."""
        dataset = _dataset(request, dataset_id, Role.VIEWER)
        return Response(document(_artwork(dataset, artwork_id)))


class Edits(APIView):
    """Changes of the boxes of an artwork."""

    @extend_schema(operation_id="boxes_edit", request=BatchSerializer, responses=DocumentSerializer)
    def post(self, request: Request, dataset_id: int, artwork_id: int) -> Response:
        """Apply a batch of edits, all or none. 409 with the current document where `revision` is out of date."""
        artwork = _artwork(_dataset(request, dataset_id, Role.ANNOTATOR), artwork_id)
        batch = _given(BatchSerializer(data=request.data))
        return Response(_apply(artwork, request.user, batch))


class Suggestions(APIView):
    """Suggestions on one artwork."""

    @extend_schema(operation_id="suggestions_review", request=ReviewSerializer, responses=DocumentSerializer)
    def post(self, request: Request, dataset_id: int, artwork_id: int) -> Response:
        """Accept or reject pending suggestions: all, those of at least a score, or those with the given ids."""
        artwork = _artwork(_dataset(request, dataset_id, Role.ANNOTATOR), artwork_id)
        review = _given(ReviewSerializer(data=request.data))
        return Response(services.review_suggestions(artwork=artwork, user=request.user, **review))


class AllSuggestions(APIView):
    """Suggestions of a whole dataset."""

    @extend_schema(operation_id="suggestions_review_all", request=ReviewAllSerializer, responses=CountSerializer)
    def post(self, request: Request, dataset_id: int) -> Response:
        """Accept or reject all pending suggestions of at least a score, of one label or of all."""
        dataset = _dataset(request, dataset_id, Role.ANNOTATOR)
        review = _given(ReviewAllSerializer(data=request.data))
        label_id = review.pop("label", None)
        label = _label(dataset, label_id) if label_id else None
        return Response({"count": services.review_all(dataset=dataset, user=request.user, label=label, **review)})


class History(generics.GenericAPIView[Change]):
    """The history of an artwork."""

    serializer_class = ChangeSerializer

    @extend_schema(operation_id="history_list", responses=ChangeSerializer(many=True))
    def get(self, request: Request, dataset_id: int, artwork_id: int) -> Response:
        """List what was done to the boxes of an artwork, the newest first."""
        artwork = _artwork(_dataset(request, dataset_id, Role.VIEWER), artwork_id)
        changes = artwork.changes.order_by("-revision").defer("delta").select_related("author")
        context = {"earliest": history.earliest_known(artwork)}
        page = self.paginate_queryset(changes)
        return self.get_paginated_response(ChangeSerializer(page, many=True, context=context).data)


class PastBoxes(APIView):
    """What was marked on an artwork at an earlier revision."""

    @extend_schema(operation_id="history_retrieve", responses=PastSerializer)
    def get(self, request: Request, dataset_id: int, artwork_id: int, revision: int) -> Response:
        """Give the document of an artwork as it was at a revision; 0 is before the first change."""
        artwork = _artwork(_dataset(request, dataset_id, Role.VIEWER), artwork_id)
        return Response(history.past(artwork, revision).document())


class Restore(APIView):
    """Bringing an earlier state of an artwork back."""

    @extend_schema(operation_id="history_restore", request=RestoreSerializer, responses=RestoredSerializer)
    def post(self, request: Request, dataset_id: int, artwork_id: int, revision: int) -> Response:
        """Make the boxes what they were at a revision. 409 with the current document where `revision` is out of date.

        That is a new revision, so it can be taken back in the same way.
        """
        artwork = _artwork(_dataset(request, dataset_id, Role.ANNOTATOR), artwork_id)
        given = _given(RestoreSerializer(data=request.data))
        base = {"batch_id": given["id"], "revision": given["revision"]}
        return Response(services.restore(artwork=artwork, user=request.user, target=revision, **base))


class CocoExport(APIView):
    """The dataset in COCO's format."""

    @extend_schema(operation_id="export_coco", responses={(200, "application/json"): OpenApiTypes.BINARY})
    def get(self, request: Request, dataset_id: int) -> HttpResponseBase:
        """Download all artworks and confirmed boxes as one JSON file."""
        return coco.response(request, _dataset(request, dataset_id, Role.VIEWER))


def _dataset(request: Request, dataset_id: int, needed: Role) -> Dataset:
    return dataset_for(request.user, dataset_id, needed)


def _artwork(dataset: Dataset, artwork_id: int) -> Artwork:
    artwork = dataset.artworks.present().filter(pk=artwork_id).first()
    if artwork is None:
        raise Http404
    return artwork


def _label(dataset: Dataset, label_id: int) -> Label:
    label = Label.objects.filter(dataset=dataset, pk=label_id).first()
    if label is None:
        raise Http404
    return label


def _given(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    """What a request says, checked."""
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _apply(artwork: Artwork, user: Any, batch: dict[str, Any]) -> Document:
    return services.apply_edits(
        artwork=artwork, user=user, batch_id=batch["id"], revision=batch["revision"], edits=batch["edits"]
    )


def _is_set(request: Request, name: str) -> bool:
    return request.query_params.get(name, "").lower() in ("1", "true")
