"""The JSON of datasets, members, artworks and archives, and what is checked before anything is changed."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from datasets.models import Archive, Artwork, Dataset, Membership, Role
from datasets.querysets import SORTS

GREATEST_ID = 2**63 - 1
LONGEST_SEARCH = 200


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know: a misspelt one would otherwise be lost in silence."""

    def to_internal_value(self, data: Any) -> Any:
        if hasattr(data, "keys"):
            unknown = sorted(set(data.keys()) - set(self.fields))
            if unknown:
                message = _("There is no such field. Known are: %(names)s.") % {"names": ", ".join(self.fields)}
                raise serializers.ValidationError({str(name): [message] for name in unknown})
        return super().to_internal_value(data)


class DatasetSerializer(StrictSerializer, serializers.ModelSerializer[Dataset]):
    """A dataset out of `DatasetQuerySet.with_totals`; only its name and description can be written."""

    role = serializers.SerializerMethodField()
    artworks = serializers.IntegerField(source="artwork_total", read_only=True)
    annotated = serializers.IntegerField(source="annotated_total", read_only=True)
    suggested = serializers.IntegerField(source="suggested_total", read_only=True)
    cover = serializers.SerializerMethodField()
    urls = serializers.SerializerMethodField()

    class Meta:
        model = Dataset
        fields = (
            "id",
            "name",
            "description",
            "role",
            "artworks",
            "annotated",
            "suggested",
            "created_at",
            "cover",
            "urls",
        )

    @extend_schema_field(serializers.ChoiceField(choices=Role.choices))
    def get_role(self, dataset: Any) -> str:
        user = self.context["request"].user
        return Role.ADMINISTRATOR if user.is_superuser else dataset.own_role

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_cover(self, dataset: Any) -> str | None:
        if dataset.cover_id is None:
            return None
        return reverse("datasets:file", args=[dataset.pk, dataset.cover_id, "thumbnail", dataset.cover_sha256[:16]])

    @extend_schema_field(inline_serializer("DatasetUrls", {"page": serializers.CharField()}))
    def get_urls(self, dataset: Dataset) -> dict[str, str]:
        return {"page": dataset.get_absolute_url()}


class MembershipSerializer(StrictSerializer, serializers.ModelSerializer[Membership]):
    """A member; on `PATCH` only the role can change."""

    username = serializers.CharField(source="user.username", max_length=150)

    class Meta:
        model = Membership
        fields = ("id", "username", "role")
        extra_kwargs = {"role": {"required": True}}

    def validate_username(self, username: str) -> str:
        if self.instance is not None:
            raise serializers.ValidationError(_("A member cannot become somebody else. Add the other person instead."))
        if not get_user_model().objects.filter(username=username, is_active=True).exists():
            raise serializers.ValidationError(_("There is nobody of this name. Ask for an account for them first."))
        return username


class ArtworkSerializer(serializers.ModelSerializer[Artwork]):
    """An artwork as everybody sees it; sizes in pixels after EXIF orientation, `byte_size` of the original."""

    urls = serializers.SerializerMethodField()

    class Meta:
        model = Artwork
        fields = (
            "id",
            "dataset",
            *Artwork.METADATA,
            "metadata_revision",
            "file_name",
            "folder",
            "format",
            "byte_size",
            "sha256",
            "width",
            "height",
            "state",
            "progress",
            "confirmed",
            "suggested",
            "nothing_to_mark",
            "revision",
            "added_at",
            "urls",
        )
        read_only_fields = fields

    @extend_schema_field(
        inline_serializer(
            "ArtworkUrls",
            {name: serializers.CharField() for name in ("page", "thumbnail", "display", "original")},
        )
    )
    def get_urls(self, artwork: Artwork) -> dict[str, str]:
        files = {kind: artwork.file_url(kind) for kind in ("thumbnail", "display", "original")}
        return {"page": artwork.get_absolute_url(), **files}


class AddedArtworkSerializer(ArtworkSerializer):
    """An artwork that was added; `restored` where it had been deleted and came back with its metadata and boxes."""

    restored = serializers.SerializerMethodField()

    class Meta(ArtworkSerializer.Meta):
        fields = (*ArtworkSerializer.Meta.fields, "restored")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]

    def get_restored(self, artwork: Artwork) -> bool:
        return getattr(artwork, "restored", False)


class MetadataSerializer(StrictSerializer, serializers.ModelSerializer[Artwork]):
    """Changed metadata, and the `metadata_revision` that the change is based on."""

    metadata_revision = serializers.IntegerField(min_value=0, max_value=GREATEST_ID)

    class Meta:
        model = Artwork
        fields = (*Artwork.METADATA, "metadata_revision")


class UploadSerializer(StrictSerializer, serializers.ModelSerializer[Artwork]):
    """One image file with the metadata that is known of it, and its path where a folder was chosen."""

    # An empty file reaches `add_artwork`, which refuses it with the code that programs know.
    file = serializers.FileField(allow_empty_file=True, max_length=None)
    relative_path = serializers.CharField(max_length=4000, required=False, default="", allow_blank=True)

    class Meta:
        model = Artwork
        fields = (*Artwork.METADATA, "file", "relative_path")


class ProgressSerializer(StrictSerializer):
    """How far an artwork is."""

    progress = serializers.ChoiceField(choices=Artwork.Progress.choices)


class ArtworkFilterSerializer(serializers.Serializer[Any]):
    """The query parameters of the list of artworks."""

    search = serializers.CharField(max_length=LONGEST_SEARCH, required=False, allow_blank=True)
    state = serializers.ChoiceField(choices=Artwork.State.choices, required=False, allow_blank=True)
    label = serializers.IntegerField(min_value=1, max_value=GREATEST_ID, required=False)
    progress = serializers.ChoiceField(choices=Artwork.Progress.choices, required=False, allow_blank=True)
    sort = serializers.ChoiceField(choices=[*SORTS, *(f"-{key}" for key in SORTS)], required=False)


class ArchiveUploadSerializer(StrictSerializer):
    """A ZIP of images."""

    file = serializers.FileField(allow_empty_file=True)


class ArchiveMemberSerializer(StrictSerializer):
    """Which file of an archive to add."""

    name = serializers.CharField(max_length=70_000, trim_whitespace=False)


class ArchiveSerializer(serializers.ModelSerializer[Archive]):
    """An uploaded archive: the images in it, and what was refused and why."""

    members = inline_serializer(
        "ArchiveEntry", {"name": serializers.CharField(), "size": serializers.IntegerField()}, many=True, read_only=True
    )
    refused = inline_serializer(
        "RefusedEntry", {"name": serializers.CharField(), "reason": serializers.CharField()}, many=True, read_only=True
    )

    class Meta:
        model = Archive
        fields = ("id", "file_name", "members", "refused")
