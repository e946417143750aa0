"""The admin of curators: each sees and changes what belongs to the datasets that they curate, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest
from django.db import models
from django.http import HttpRequest, HttpResponse

from datasets.models import Dataset, Role
from datasets.permissions import role_of
from datasets.querysets import DatasetQuerySet

# Values of one query: databases take no more than some thousands.
_AT_ONCE = 500
LIKE_AN_ID = re.compile(r"[0-9]{1,18}")
CURATING = (Role.CURATOR, Role.ADMINISTRATOR)


def curated_datasets(user: Any) -> DatasetQuerySet:
    """The datasets that `user` may curate in the admin; all of them, deleted ones too, for superusers."""
    if user.is_superuser:
        return Dataset.objects.all()
    return Dataset.objects.present().filter(memberships__user=user, memberships__role__in=CURATING)


def administers(user: Any, dataset: Dataset) -> bool:
    """Whether `user` is an administrator of `dataset`; asked for every row of members, hence once per request."""
    if not hasattr(user, "administered"):
        user.administered = {}
    if dataset.pk not in user.administered:
        user.administered[dataset.pk] = role_of(user, dataset) == Role.ADMINISTRATOR
    return bool(user.administered[dataset.pk])


class CuratedAdmin(admin.ModelAdmin):
    """Rows of the datasets that somebody curates, with rights from their memberships instead of Django's permissions.

    `dataset_path` leads from the model to its dataset; "" for the dataset itself.
    """

    dataset_path = "dataset"
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows = super().get_queryset(request)
        if request.user.is_superuser:
            return rows
        return rows.filter(**{f"{self.dataset_path or 'pk'}__in": self.seen_datasets(request.user).values("pk")})

    def seen_datasets(self, user: Any) -> DatasetQuerySet:
        """The datasets whose rows are in the list of `user`, who is no superuser."""
        return curated_datasets(user)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list; ids in a form that no page sends are refused, for Django would fail on them."""
        edited = self._get_edited_object_pks(request, "form")
        if not all(LIKE_AN_ID.fullmatch(pk) for pk in [*request.POST.getlist(ACTION_CHECKBOX_NAME), *edited]):
            raise BadRequest("An id is a whole number of at most 18 digits.")
        return super().changelist_view(request, extra_context)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The rows that an address asks for; numbers and dates that no database holds are ignored, as Django does
        with other nonsense: it shows the whole list.
        """
        try:
            return super().get_changelist_instance(request)
        except (OverflowError, ValueError) as error:
            raise IncorrectLookupParameters from error

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row of an id, or None; no row has an id that no database holds."""
        try:
            return super().get_object(request, object_id, from_field)
        except OverflowError:
            return None

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether there is anything to curate; asked dozens of times per page, hence answered once per request."""
        user: Any = request.user
        if not hasattr(user, "curates"):
            user.curates = user.is_active and (user.is_superuser or curated_datasets(user).exists())
        return bool(user.curates)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._curates(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._curates(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._curates(request, obj)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Offer only datasets that are curated."""
        if db_field.related_model is Dataset:
            options["queryset"] = curated_datasets(request.user).filter(deleted_at=None)
        return super().formfield_for_foreignkey(db_field, request, **options)

    def _curates(self, request: HttpRequest, obj: Any) -> bool:
        if request.user.is_superuser or obj is None:
            return self.has_module_permission(request)
        return CuratedAdmin.get_queryset(self, request).filter(pk=obj.pk).exists()

    def _are_curated(self, request: HttpRequest, rows: Sequence[Any]) -> bool:
        """As `_curates` for each of them, in one query for five hundred: they may be ten thousand."""
        if request.user.is_superuser:
            return self.has_module_permission(request)
        own = CuratedAdmin.get_queryset(self, request)
        parts = (rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE))
        return all(own.filter(pk__in=[row.pk for row in part]).count() == len(part) for part in parts)


class ReadOnly:
    """Mixed into an admin whose rows are records: looked at, never typed in."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
