"""Concepts and boxes in the curators' admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from annotations import labelling, services
from annotations.models import Box, Label
from datasets.curation import LIKE_AN_ID, CuratedAdmin, ReadOnly, curated_datasets
from datasets.models import Dataset
from datasets.refusals import Refusal


class LabelForm(forms.ModelForm):
    """A concept, held to the same rules as through the API."""

    class Meta:
        model = Label
        fields = ["dataset", "name", "colour", "shortcut"]
        widgets = {"colour": forms.TextInput(attrs={"type": "color"})}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        dataset: Dataset | None = cleaned.get("dataset") or (self.instance.dataset if self.instance.pk else None)
        given: dict[str, str] = {field: cleaned[field] for field in ("name", "colour", "shortcut") if field in cleaned}
        if dataset is None:
            return cleaned
        try:
            others = [label for label in Label.objects.filter(dataset=dataset) if label != self.instance]
            return cleaned | labelling.checked_fields(given, others)
        except Refusal as refusal:
            raise forms.ValidationError(str(refusal.detail)) from refusal


@admin.register(Label)
class LabelAdmin(CuratedAdmin):
    """Concepts with their colour, key and numbers; deleting one shows first what goes with it."""

    form = LabelForm
    list_display = ["name", "swatch", "shortcut", "dataset", "boxes", "artworks"]
    list_select_related = ["dataset"]
    list_filter = [("dataset", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["name"]
    ordering = ["dataset", "name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Label]:
        return super().get_queryset(request).with_counts()

    def get_readonly_fields(self, request: HttpRequest, obj: Label | None = None) -> list[str]:
        """A concept stays in its dataset: its boxes are there."""
        return ["dataset"] if obj else []

    @admin.display(description=_("colour"))
    def swatch(self, label: Label) -> SafeString:
        # An SVG attribute: the content security policy allows no style attributes.
        return format_html(
            '<svg width="34" height="16" role="img" aria-label="{0}">'
            '<rect width="34" height="16" rx="3" fill="{0}"/></svg>',
            label.colour,
        )

    @admin.display(description=_("boxes"), ordering="box_total")
    def boxes(self, label: Any) -> int:
        return label.box_total

    @admin.display(description=_("artworks"), ordering="artwork_total")
    def artworks(self, label: Any) -> int:
        return label.artwork_total

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What goes with the concepts, as numbers: the stock page would load and list every box."""
        labels = list(objs)
        boxes = Box.objects.filter(label__in=labels).shown().count()
        counts = {
            str(Label._meta.verbose_name_plural): len(labels),
            str(Box._meta.verbose_name_plural): boxes,
        }
        return [str(label) for label in labels], counts, set(), []

    def delete_model(self, request: HttpRequest, obj: Label) -> None:
        services.delete_label(label=obj, user=request.user, force=True)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Label]) -> None:
        for label in queryset:
            services.delete_label(label=label, user=request.user, force=True)


class DatasetFilter(admin.SimpleListFilter):
    """By dataset. (The stock filter would look at every box to find out which datasets there are.)"""

    title = _("dataset")
    parameter_name = "dataset"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(dataset.pk), dataset.name) for dataset in curated_datasets(request.user)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Box]) -> QuerySet[Box]:
        chosen = _number(self.value())
        return queryset.filter(artwork__dataset=chosen) if chosen else queryset


class ConceptFilter(admin.SimpleListFilter):
    """By concept, once a dataset is chosen: concepts of several datasets may share a name."""

    title = _("concept")
    parameter_name = "label"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        dataset = _number(request.GET.get(DatasetFilter.parameter_name))
        labels = Label.objects.filter(dataset__in=curated_datasets(request.user), dataset=dataset)
        return [(str(label.pk), label.name) for label in labels]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Box]) -> QuerySet[Box]:
        chosen = _number(self.value())
        return queryset.filter(label=chosen) if chosen else queryset


def _number(text: str | None) -> int | None:
    """The id that a filter names; what cannot be one chooses nothing, as if it were not there."""
    return int(text) if text and LIKE_AN_ID.fullmatch(text) else None


@admin.register(Box)
class BoxAdmin(ReadOnly, CuratedAdmin):
    """All boxes, to look through; they are drawn and corrected on the annotation page."""

    dataset_path = "artwork__dataset"
    list_display = ["artwork_link", "label", "state", "source", "found_by", "place", "author", "updated_at"]
    list_display_links = None
    list_select_related = ["artwork", "label", "author"]
    list_filter = [DatasetFilter, ConceptFilter, "state", "source"]
    search_fields = ["artwork__title", "artwork__creator", "artwork__file_name", "label__name"]
    ordering = ["artwork", "created_at"]

    @admin.display(description=_("artwork"), ordering="artwork__title")
    def artwork_link(self, box: Box) -> SafeString:
        url = box.artwork.get_absolute_url()
        return format_html('<a href="{}#{}">{}</a>', url, box.pk, box.artwork)

    @admin.display(description=_("detector and score"), ordering="score", empty_value="–")
    def found_by(self, box: Box) -> str | None:
        return None if box.score is None else f"{box.detector_name} · {box.score:.2f}"

    @admin.display(description=_("x, y · size in pixels"))
    def place(self, box: Box) -> str:
        return f"{box.x:.0f}, {box.y:.0f} · {box.width:.0f} × {box.height:.0f}"
