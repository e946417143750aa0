"""The API of datasets, members, artworks and archives. Rights first, then one call of a service."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, status
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from datasets import serializers as forms
from datasets import services, storing
from datasets.models import Artwork, Dataset, Membership, Role
from datasets.permissions import dataset_for
from datasets.progress import set_progress
from datasets.querysets import ArtworkQuerySet, DatasetQuerySet

STALE = OpenApiResponse(description="Somebody else was faster: `current` is what it is now.")
DUPLICATE = OpenApiResponse(description="The dataset has this file already: `current` is the artwork that has it.")
LAST = OpenApiResponse(description="The dataset would be left without an administrator.")


class InDataset(generics.GenericAPIView[Any]):
    """A view below /datasets/<dataset_id>/: looks the dataset up with the role that its method needs."""

    needed: dict[str, Role] = {}
    allow_deleted = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        role = self.needed.get(request.method or "", Role.VIEWER)
        self.dataset = dataset_for(request.user, kwargs["dataset_id"], role, deleted=self.allow_deleted)

    def handle_exception(self, exc: Exception) -> Response:
        """Give a conflict about an artwork the artwork's present state."""
        if isinstance(exc, services.Duplicate | services.Stale):
            exc.current = forms.ArtworkSerializer(exc.artwork).data
        return super().handle_exception(exc)

    def checked(self, data: Any, **options: Any) -> dict[str, Any]:
        """The request's data as this view's serializer understands it; ValidationError otherwise."""
        form = self.get_serializer(data=data, **options)
        form.is_valid(raise_exception=True)
        return dict(form.validated_data)


class DatasetList(generics.ListCreateAPIView[Dataset]):
    """The datasets that one is a member of. Whoever creates one becomes its administrator."""

    serializer_class = forms.DatasetSerializer

    def get_queryset(self) -> DatasetQuerySet:
        if getattr(self, "swagger_fake_view", False):
            return Dataset.objects.none()
        user = self.request.user
        return Dataset.objects.present().visible_to(user).with_totals(user).order_by("name", "pk")

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        dataset = services.create_dataset(user=request.user, **form.validated_data)
        return Response(dataset_json(self, dataset), status.HTTP_201_CREATED)


def dataset_json(view: generics.GenericAPIView[Any], dataset: Dataset) -> Any:
    """A dataset with its totals, which are counted anew."""
    counted = Dataset.objects.with_totals(view.request.user).get(pk=dataset.pk)
    return forms.DatasetSerializer(counted, context=view.get_serializer_context()).data


class DatasetDetail(InDataset):
    """One dataset; deleting can be undone for 30 days."""

    serializer_class = forms.DatasetSerializer
    needed = {"PATCH": Role.CURATOR, "DELETE": Role.ADMINISTRATOR}

    def get(self, request: Request, dataset_id: int) -> Response:
        return Response(dataset_json(self, self.dataset))

    def patch(self, request: Request, dataset_id: int) -> Response:
        form = self.get_serializer(self.dataset, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        Dataset.objects.filter(pk=self.dataset.pk).update(**form.validated_data)
        return Response(dataset_json(self, self.dataset))

    @extend_schema(responses={200: forms.DatasetSerializer})
    def delete(self, request: Request, dataset_id: int) -> Response:
        services.delete(self.dataset)
        return Response(dataset_json(self, self.dataset))


class DatasetRestore(InDataset):
    """Undo the deletion of a dataset."""

    serializer_class = forms.DatasetSerializer
    needed = {"POST": Role.ADMINISTRATOR}
    allow_deleted = True

    @extend_schema(request=None)
    def post(self, request: Request, dataset_id: int) -> Response:
        services.restore(self.dataset)
        return Response(dataset_json(self, self.dataset))


class MemberList(InDataset, generics.ListAPIView[Membership]):
    """Who works on a dataset. Adding somebody who is a member already changes their role."""

    serializer_class = forms.MembershipSerializer
    needed = {"POST": Role.ADMINISTRATOR}

    def get_queryset(self) -> QuerySet[Membership]:
        if getattr(self, "swagger_fake_view", False):
            return Membership.objects.none()
        return self.dataset.memberships.select_related("user").order_by("user__username")

    @extend_schema(responses={201: forms.MembershipSerializer, 409: LAST})
    def post(self, request: Request, dataset_id: int) -> Response:
        given = self.checked(request.data)
        user = get_object_or_404(get_user_model(), username=given["user"]["username"])
        membership = services.set_role(dataset=self.dataset, user=user, role=given["role"])
        return Response(self.get_serializer(membership).data, status.HTTP_201_CREATED)


class MemberDetail(InDataset):
    """One member's role."""

    serializer_class = forms.MembershipSerializer
    needed = dict.fromkeys(("PATCH", "DELETE"), Role.ADMINISTRATOR)

    def get_object(self) -> Membership:
        members = self.dataset.memberships.select_related("user", "dataset")
        return get_object_or_404(members, pk=self.kwargs["membership_id"])

    @extend_schema(responses={200: forms.MembershipSerializer, 409: LAST})
    def patch(self, request: Request, dataset_id: int, membership_id: int) -> Response:
        membership = self.get_object()
        form = self.get_serializer(membership, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        role = form.validated_data.get("role", membership.role)
        membership = services.set_role(dataset=self.dataset, user=membership.user, role=role)
        return Response(self.get_serializer(membership).data)

    @extend_schema(responses={204: None, 409: LAST})
    def delete(self, request: Request, dataset_id: int, membership_id: int) -> Response:
        services.remove_member(membership=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


class ArtworkList(InDataset, generics.ListAPIView[Artwork]):
    """The artworks of a dataset; a POST adds one image file."""

    serializer_class = forms.ArtworkSerializer
    parser_classes = [MultiPartParser, FormParser]
    needed = {"POST": Role.CURATOR}

    def get_queryset(self) -> ArtworkQuerySet:
        if getattr(self, "swagger_fake_view", False):
            return Artwork.objects.none()
        wanted = forms.ArtworkFilterSerializer(data=self.request.query_params)
        wanted.is_valid(raise_exception=True)
        asked = wanted.validated_data
        artworks = self.dataset.artworks.present().search(asked.get("search", ""))
        if asked.get("state"):
            artworks = artworks.in_state(asked["state"])
        if asked.get("progress"):
            artworks = artworks.filter(progress=asked["progress"])
        if "label" in asked:
            artworks = artworks.with_label(asked["label"])
        return artworks.sorted_by(asked.get("sort", "title"))

    @extend_schema(parameters=[forms.ArtworkFilterSerializer])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request={"multipart/form-data": forms.UploadSerializer},
        responses={201: forms.AddedArtworkSerializer, 409: DUPLICATE},
    )
    def post(self, request: Request, dataset_id: int) -> Response:
        form = forms.UploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = dict(form.validated_data)
        upload, path = given.pop("file"), given.pop("relative_path")
        artwork = services.add_artwork(
            dataset=self.dataset, user=request.user, upload=upload, relative_path=path, metadata=given
        )
        return Response(forms.AddedArtworkSerializer(artwork).data, status.HTTP_201_CREATED)


class ArtworkDetail(InDataset):
    """One artwork and its metadata; deleting can be undone for 30 days."""

    serializer_class = forms.ArtworkSerializer
    needed = dict.fromkeys(("PATCH", "DELETE"), Role.CURATOR)

    def get_object(self) -> Artwork:
        return get_object_or_404(self.dataset.artworks.present(), pk=self.kwargs["artwork_id"])

    def get(self, request: Request, dataset_id: int, artwork_id: int) -> Response:
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=forms.MetadataSerializer, responses={200: forms.ArtworkSerializer, 409: STALE})
    def patch(self, request: Request, dataset_id: int, artwork_id: int) -> Response:
        artwork = self.get_object()
        form = forms.MetadataSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        changes = dict(form.validated_data)
        revision = changes.pop("metadata_revision")
        artwork = services.update_metadata(artwork=artwork, changes=changes, revision=revision)
        return Response(self.get_serializer(artwork).data)

    @extend_schema(responses={200: forms.ArtworkSerializer})
    def delete(self, request: Request, dataset_id: int, artwork_id: int) -> Response:
        artwork = self.get_object()
        services.delete(artwork)
        return Response(self.get_serializer(artwork).data)


class ArtworkProgress(InDataset):
    """How far people are with an artwork."""

    serializer_class = forms.ArtworkSerializer
    needed = {"POST": Role.ANNOTATOR}

    @extend_schema(request=forms.ProgressSerializer, responses={200: forms.ArtworkSerializer})
    def post(self, request: Request, dataset_id: int, artwork_id: int) -> Response:
        """Say it. Only curators call an artwork reviewed, or take that back."""
        dataset = self.dataset
        artwork = get_object_or_404(dataset.artworks.present(), pk=artwork_id)
        form = forms.ProgressSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        said = form.validated_data["progress"]
        artwork = set_progress(dataset=dataset, artwork=artwork, user=request.user, progress=said)
        return Response(self.get_serializer(artwork).data)


class ArtworkRestore(InDataset):
    """Undo the deletion of an artwork."""

    serializer_class = forms.ArtworkSerializer
    needed = {"POST": Role.CURATOR}

    @extend_schema(request=None, responses={200: forms.ArtworkSerializer, 409: DUPLICATE})
    def post(self, request: Request, dataset_id: int, artwork_id: int) -> Response:
        artwork = get_object_or_404(self.dataset.artworks.all(), pk=artwork_id)
        services.restore(artwork)
        return Response(self.get_serializer(artwork).data)


class ArchiveList(InDataset):
    """Upload a ZIP; its images are then added one by one, each with its own answer."""

    serializer_class = forms.ArchiveUploadSerializer
    parser_classes = [MultiPartParser]
    needed = {"POST": Role.CURATOR}

    @extend_schema(
        request={"multipart/form-data": forms.ArchiveUploadSerializer},
        responses={201: forms.ArchiveSerializer},
    )
    def post(self, request: Request, dataset_id: int) -> Response:
        archive, listing = services.open_archive(
            dataset=self.dataset, user=request.user, upload=self.checked(request.data)["file"]
        )
        archive.refused = listing.refused  # type: ignore[attr-defined]
        return Response(forms.ArchiveSerializer(archive).data, status.HTTP_201_CREATED)


class ArchiveMembers(InDataset):
    """Add one image out of an uploaded ZIP."""

    serializer_class = forms.ArchiveMemberSerializer
    needed = {"POST": Role.CURATOR}

    @extend_schema(responses={201: forms.AddedArtworkSerializer, 409: DUPLICATE})
    def post(self, request: Request, dataset_id: int, archive_id: int) -> Response:
        archive = get_object_or_404(self.dataset.archives, pk=archive_id)
        name = self.checked(request.data)["name"]
        artwork = services.add_member(archive=archive, name=name, user=request.user)
        return Response(forms.AddedArtworkSerializer(artwork).data, status.HTTP_201_CREATED)


class ArchiveDetail(InDataset):
    """Close an uploaded ZIP: its file is removed, the artworks that came out of it stay."""

    serializer_class = forms.ArchiveSerializer
    needed = {"DELETE": Role.CURATOR}

    def delete(self, request: Request, dataset_id: int, archive_id: int) -> Response:
        storing.remove_archive(get_object_or_404(self.dataset.archives, pk=archive_id))
        return Response(status=status.HTTP_204_NO_CONTENT)
