"""Detectors, runs and snapshots in the curators' admin: records of what was done, which nobody types into."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from datasets.curation import CuratedAdmin, ReadOnly
from datasets.refusals import Conflict
from training import services
from training.models import Detector, InferenceRun, Run, Snapshot, TrainingRun


@admin.register(Detector)
class DetectorAdmin(CuratedAdmin):
    """Detectors trained here can be renamed and taken out of use; the pretrained ones are the superusers' to see."""

    list_display = ["name", "dataset", "kind", "architecture", "input_size", "precision", "created_at"]
    list_select_related = ["dataset"]
    list_filter = ["kind", "architecture", ("dataset", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["name"]
    fields = [
        "name",
        "dataset",
        "run",
        "kind",
        "architecture",
        "input_size",
        "concepts",
        "precision",
        "created_at",
    ]
    readonly_fields = [
        "dataset",
        "run",
        "kind",
        "architecture",
        "input_size",
        "concepts",
        "precision",
        "created_at",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Detector]:
        return super().get_queryset(request).present()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=_("AP50"))
    def precision(self, detector: Detector) -> str:
        value, simulated = (detector.metrics.get(name) for name in ("AP50", "simulated_concepts"))
        if not isinstance(value, float | int):
            return "–"
        # It tells how well the same things are known again, and cannot be compared with others.
        return f"{value:.3f} ({_('partly simulated')})" if simulated else f"{value:.3f}"

    @admin.display(description=_("concepts"))
    def concepts(self, detector: Detector) -> str:
        return ", ".join(str(label["name"]) for label in detector.labels)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Nothing goes with a detector: it is taken out of use, and its runs keep pointing to it."""
        names = [str(detector) for detector in objs]
        return names, {str(Detector._meta.verbose_name_plural): len(names)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Detector) -> None:
        _try(request, lambda: services.delete_detector(obj, request.user))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Detector]) -> None:
        for detector in queryset:
            self.delete_model(request, detector)


class RunAdmin(ReadOnly, CuratedAdmin):
    """What the two kinds of runs share."""

    list_select_related = ["dataset", "created_by"]
    list_filter = ["state", ("dataset", admin.RelatedOnlyFieldListFilter)]
    date_hierarchy = "created_at"
    actions = ["cancel"]
    list_display_links = None

    @admin.display(description=_("run"), ordering="pk")
    def page(self, run: Run) -> SafeString:
        return format_html('<a href="{}">{}</a>', run.get_absolute_url(), run)

    @admin.display(description=_("took"))
    def took(self, run: Run) -> str:
        if run.started_at is None or run.finished_at is None:
            return "–"
        return str(run.finished_at - run.started_at).split(".")[0]

    @admin.action(description=_("Cancel the selected runs"))
    def cancel(self, request: HttpRequest, runs: QuerySet[Run]) -> None:
        """Cancel those that wait or run; the others are named."""
        done = sum(_try(request, lambda run=run: services.cancel_run(run)) for run in runs)
        self.message_user(
            request,
            ngettext("%(n)d run is being cancelled.", "%(n)d runs are being cancelled.", done) % {"n": done},
        )


@admin.register(TrainingRun)
class TrainingRunAdmin(RunAdmin):
    list_display = [
        "page",
        "dataset",
        "name",
        "state",
        "architecture",
        "budget",
        "created_by",
        "created_at",
        "took",
    ]
    search_fields = ["name", "dataset__name"]


@admin.register(InferenceRun)
class InferenceRunAdmin(RunAdmin):
    list_display = [
        "page",
        "dataset",
        "detector",
        "state",
        "threshold",
        "own_scores",
        "created_by",
        "created_at",
        "took",
    ]
    list_select_related = ["dataset", "created_by", "detector"]
    search_fields = ["detector__name", "dataset__name"]


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnly, CuratedAdmin):
    """Frozen datasets; the manifest itself can be megabytes and is not loaded."""

    list_display = ["dataset", "sha256", "created_at"]
    list_display_links = None
    list_select_related = ["dataset"]
    list_filter = [("dataset", admin.RelatedOnlyFieldListFilter)]
    date_hierarchy = "created_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Snapshot]:
        return super().get_queryset(request).defer("manifest")


def _try(request: HttpRequest, act: Any) -> bool:
    """Do it, or tell the curator why not; whether it was done."""
    try:
        act()
    except Conflict as refusal:
        messages.warning(request, str(refusal.detail))
        return False
    return True
