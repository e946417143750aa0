"""Datasets, members and artworks in the curators' admin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import F, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from import_export.admin import ImportExportMixin

from datasets import services
from datasets.catalogue import ArtworkResource, SheetCSV
from datasets.curation import CURATING, CuratedAdmin, administers
from datasets.forms import CommonValueForm, MembershipForm, MembershipFormSet, MetadataForm
from datasets.models import Artwork, Dataset, Membership, Role
from datasets.querysets import DatasetQuerySet, number_of
from datasets.refusals import Conflict


class Deleted(admin.SimpleListFilter):
    """Shows what is there; what is deleted only when asked for."""

    title = gettext_lazy("deleted")
    parameter_name = "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", _("Yes, within 30 days"))]

    def choices(self, changelist: Any) -> Any:
        """Django's own, whose first choice would be called "All"."""
        present, *others = super().choices(changelist)
        return [{**present, "display": _("No")}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(deleted_at=None) if self.value() is None else queryset.exclude(deleted_at=None)


def _shows_deleted(request: HttpRequest) -> bool:
    return Deleted.parameter_name in request.GET


def _is_present(row: Any) -> bool:
    """Whether a row is there to be changed; no row stands for the list as a whole."""
    return row is None or row.deleted_at is None


class SoftDeletion(CuratedAdmin):
    """Deleting hides a row for 30 days, during which it can be looked at and restored, but not changed."""

    actions = ("restore",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_present(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleting again would put off the day on which it is removed for good."""
        return _is_present(obj) and super().has_delete_permission(request, obj)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The list, without fields to type in where it shows what is deleted: Django asks for rights per list."""
        changelist = super().get_changelist_instance(request)
        if _shows_deleted(request):
            changelist.list_editable = ()
        return changelist

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        return {k: v for k, v in actions.items() if k == "restore" or not _shows_deleted(request)}

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What the page of confirmation lists: the rows, since everything that belongs to them stays."""
        rows = list(objs)
        allowed = self.may_all_be_deleted(request, rows)
        missing = set() if allowed else {str(self.opts.verbose_name)}
        return [str(row) for row in rows], {str(self.opts.verbose_name_plural): len(rows)}, missing, []

    def may_all_be_deleted(self, request: HttpRequest, rows: Sequence[Any]) -> bool:
        """As `has_delete_permission` for each of them."""
        return all(map(_is_present, rows)) and self._are_curated(request, rows)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        services.delete(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        queryset.update(deleted_at=timezone.now())

    @admin.action(description=gettext_lazy("Restore what is selected"), permissions=["delete"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        restored = 0
        for row in queryset.exclude(deleted_at=None):
            try:
                services.restore(row)
                restored += 1
            except Conflict as conflict:
                self.message_user(request, f"{row}: {conflict.detail}", messages.WARNING)
        words = ngettext("%(number)d restored.", "%(number)d restored.", restored)
        self.message_user(request, words % {"number": restored})


class MembershipInline(admin.TabularInline):
    """Members, changed by the dataset's administrators alone."""

    model = Membership
    form = MembershipForm
    formset = MembershipFormSet
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and administers(request.user, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request, obj)


@admin.register(Dataset)
class DatasetAdmin(SoftDeletion):
    """Datasets that somebody curates; only their administrators delete them and change their members."""

    dataset_path = ""
    list_display = ("name", "artworks_link", "annotated", "members", "created_by", "created_at")
    list_select_related = ("created_by",)
    list_filter = (Deleted,)
    search_fields = ("name", "description")
    fields = ("name", "description", "created_by", "created_at")
    readonly_fields = ("created_by", "created_at")
    inlines = (MembershipInline,)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) or self.seen_datasets(request.user).exists()

    def seen_datasets(self, user: Any) -> DatasetQuerySet:
        """Who administers a dataset also sees it deleted: to restore it."""
        curated = Q(deleted_at=None, memberships__user=user, memberships__role__in=CURATING)
        return Dataset.objects.filter(curated | Q(memberships__user=user, memberships__role=Role.ADMINISTRATOR))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dataset]:
        artworks = Artwork.objects.present().filter(dataset=OuterRef("pk"))
        done = artworks.filter(state__in=[Artwork.State.ANNOTATED, Artwork.State.NOTHING])
        members = Membership.objects.filter(dataset=OuterRef("pk"))
        return (
            super()
            .get_queryset(request)
            .annotate(
                artwork_total=number_of(artworks),
                annotated_total=number_of(done),
                member_total=number_of(members),
            )
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return super().has_delete_permission(request)
        return _is_present(obj) and administers(request.user, obj)

    def may_all_be_deleted(self, request: HttpRequest, rows: Sequence[Any]) -> bool:
        return all(self.has_delete_permission(request, row) for row in rows)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        own = [row.pk for row in queryset if self.has_delete_permission(request, row)]
        super().delete_queryset(request, Dataset.objects.filter(pk__in=own))

    def save_model(self, request: HttpRequest, obj: Dataset, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user
        super().save_model(request, obj, form, change)
        if not change:
            services.set_role(dataset=obj, user=request.user, role=Role.ADMINISTRATOR)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save members through the service that also opens the admin to curators."""
        super().save_formset(request, form, formset, change)
        for membership in [*formset.new_objects, *(row for row, _fields in formset.changed_objects)]:
            services.set_role(dataset=membership.dataset, user=membership.user, role=Role(membership.role))

    @admin.display(description=gettext_lazy("artworks"), ordering="artwork_total")
    def artworks_link(self, dataset: Any) -> SafeString:
        url = reverse("admin:datasets_artwork_changelist")
        return format_html('<a href="{}?dataset__id__exact={}">{}</a>', url, dataset.pk, dataset.artwork_total)

    @admin.display(description=gettext_lazy("annotated"), ordering="annotated_total")
    def annotated(self, dataset: Any) -> int:
        return dataset.annotated_total

    @admin.display(description=gettext_lazy("members"), ordering="member_total")
    def members(self, dataset: Any) -> int:
        return dataset.member_total


@admin.register(Artwork)
class ArtworkAdmin(ImportExportMixin, SoftDeletion):
    """The catalogue: edited in the list, on the page of an artwork, for many at once, or as CSV."""

    form = MetadataForm
    resource_classes = (ArtworkResource,)
    formats = (SheetCSV,)
    from_encoding = "utf-8-sig"
    to_encoding = "utf-8-sig"
    skip_export_form = True  # one format, all columns; its page would also need inline scripts
    show_change_form_export = False
    import_error_display = ("message",)
    list_display = ("picture", "title", "creator", "date", "identifier", "state", "confirmed", "suggested", "dataset")
    list_display_links = ("picture",)
    list_editable = ("title", "creator", "date", "identifier")
    list_select_related = ("dataset",)
    list_filter = (("dataset", admin.RelatedOnlyFieldListFilter), "state", Deleted)
    search_fields = ("title", "creator", "identifier", "file_name", "folder", "description", "publisher")
    actions = ("restore", "set_publisher", "set_rights")
    readonly_fields = ("large_picture", "page", "file", "state", "confirmed", "suggested", "added_by", "added_at")
    fieldsets = (
        (None, {"fields": ("large_picture", "page", *Artwork.METADATA)}),
        (gettext_lazy("File and boxes"), {"fields": readonly_fields[2:]}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Artworks are added on the dataset's page, where files are."""
        return False

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        """Other encodings cannot be told from each other, and letters must not become others without a word."""
        if not isinstance(e, UnicodeDecodeError):
            super().add_data_read_fail_error_to_form(form, e)
            return
        text = _("This file is not written in UTF-8. In the spreadsheet, save it as “CSV UTF-8”, then import that.")
        form.add_error("import_file", text)

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        """Say what came of an import; of one that failed, which left everything as it was, why."""
        faults = [f"{number}: {error.error}" for number, errors in result.row_errors() for error in errors]
        if not faults and not result.has_errors():
            return super().process_result(result, request)
        text = _("Nothing was imported, because of these rows. Import the file again. %(rows)s")
        self.message_user(request, text % {"rows": "; ".join(faults[:5])}, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:datasets_artwork_import"))

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        return {"curated": self.get_queryset(request).filter(deleted_at=None, dataset__deleted_at=None)}

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[MetadataForm]:
        return MetadataForm

    def save_model(self, request: HttpRequest, obj: Artwork, form: Any, change: bool) -> None:
        """Save what was typed and nothing else; what somebody was quicker with costs no other row its changes."""
        changes = {name: form.cleaned_data[name] for name in form.changed_data if name in Artwork.METADATA}
        if not changes:
            return
        try:
            services.update_metadata(artwork=obj, changes=changes, revision=obj.metadata_revision)
        except services.Stale as stale:
            _not_saved(request).add(obj.pk)
            self.message_user(request, _why_not_saved(stale.artwork, changes), messages.WARNING)

    def log_change(self, request: HttpRequest, obj: Artwork, message: Any) -> Any:
        """Only what was saved belongs in the history."""
        return None if obj.pk in _not_saved(request) else super().log_change(request, obj, message)

    def message_user(
        self, request: HttpRequest, message: Any, level: Any = messages.INFO, *args: Any, **options: Any
    ) -> None:
        """Django takes every row for saved, and would say so beside the warnings."""
        if level != messages.SUCCESS or not _not_saved(request):
            super().message_user(request, message, level, *args, **options)

    @admin.display(description=gettext_lazy("picture"))
    def picture(self, artwork: Artwork) -> SafeString:
        return format_html(
            '<img class="artwork-thumbnail" src="{}" alt="" loading="lazy">', artwork.file_url("thumbnail")
        )

    @admin.display(description=gettext_lazy("picture"))
    def large_picture(self, artwork: Artwork) -> SafeString:
        return format_html('<img class="artwork-picture" src="{}" alt="{}">', artwork.file_url("display"), artwork)

    @admin.display(description=gettext_lazy("page"))
    def page(self, artwork: Artwork) -> SafeString:
        return format_html('<a href="{}">{}</a>', artwork.get_absolute_url(), _("Draw and review its boxes"))

    @admin.display(description=gettext_lazy("file"))
    def file(self, artwork: Artwork) -> SafeString:
        size = f"{artwork.width} × {artwork.height}, {artwork.format}, {artwork.byte_size / 1_000_000:.1f} MB"
        return format_html('<a href="{}">{}</a> ({})', artwork.file_url("original"), artwork.path, size)

    @admin.action(description=gettext_lazy("Set the institution of what is selected"), permissions=["change"])
    def set_publisher(self, request: HttpRequest, queryset: QuerySet[Artwork]) -> HttpResponse | None:
        return self._set(request, queryset, "publisher")

    @admin.action(description=gettext_lazy("Set the rights of what is selected"), permissions=["change"])
    def set_rights(self, request: HttpRequest, queryset: QuerySet[Artwork]) -> HttpResponse | None:
        return self._set(request, queryset, "rights")

    def _set(self, request: HttpRequest, queryset: QuerySet[Artwork], name: str) -> HttpResponse | None:
        """Ask for one value on a page of its own, then give it to every selected artwork."""
        form = CommonValueForm(request.POST if "apply" in request.POST else None)
        if form.is_valid():
            changes = {name: form.cleaned_data["value"], "metadata_revision": F("metadata_revision") + 1}
            number = queryset.update(**changes, updated_at=timezone.now())
            words = ngettext("%(number)d artwork changed.", "%(number)d artworks changed.", number)
            self.message_user(request, words % {"number": number}, messages.SUCCESS)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("One value for many artworks"),
            "opts": self.opts,
            "form": form,
            "field": str(getattr(self.opts.get_field(name), "verbose_name", name)),
            "action": request.POST["action"],
            "artworks": queryset[:20],
            "number": queryset.count(),
            "selected": request.POST.getlist("_selected_action"),
            "select_across": request.POST.get("select_across", "0"),
            "media": self.media,
        }
        return TemplateResponse(request, "admin/datasets/artwork/set_value.html", context)


def _not_saved(request: HttpRequest) -> set[int]:
    """The artworks whose changes this request could not save."""
    found: set[int] = request.__dict__.setdefault("artworks_not_saved", set())
    return found


def _why_not_saved(artwork: Artwork, changes: dict[str, str]) -> str:
    """A sentence that also gives back what was typed, for the page that follows shows it no more."""
    if artwork.deleted_at is None:
        words = _(
            "Somebody else has just changed “%(artwork)s”, so this was not saved: %(typed)s."
            " Look at theirs, then change it again."
        )
    else:
        words = _(
            "“%(artwork)s” has been deleted meanwhile, so this was not saved: %(typed)s."
            " Restore it, then change it again."
        )
    typed = ((getattr(Artwork._meta.get_field(name), "verbose_name", name), value) for name, value in changes.items())
    return words % {"artwork": artwork, "typed": "; ".join(f"{name} “{value}”" for name, value in typed)}
