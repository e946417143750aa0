"""Who may do what in a dataset. Every page, endpoint, file and socket asks here."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied

from datasets.models import RANK, Dataset, Membership, Role


class RoleTooLow(PermissionDenied):
    """403: a member, but the role does not allow this."""

    def __init__(self, needed: Role) -> None:
        super().__init__(
            _("This needs the role “%(role)s” in this dataset. Ask one of its administrators.")
            % {"role": needed.label},
            "role_too_low",
        )


def role_of(user: Any, dataset: Dataset) -> Role | None:
    """The role of `user` in `dataset`, or None for an outsider. Superusers are administrators everywhere."""
    if user.is_superuser:
        return Role.ADMINISTRATOR
    role = Membership.objects.filter(dataset=dataset, user=user).values_list("role", flat=True).first()
    return Role(role) if role else None


def dataset_for(user: Any, dataset_id: int, needed: Role, *, deleted: bool = False) -> Dataset:
    """Return a dataset that `user` may use with the role `needed`; its `role` attribute says which one they have.

    Raises:
        Http404: it does not exist, is deleted (unless `deleted`), or the user is no member: ids tell nothing.
        RoleTooLow: the user is a member with a lower role.
    """
    datasets = Dataset.objects.all() if deleted else Dataset.objects.present()
    dataset = datasets.filter(pk=dataset_id).first()
    role = role_of(user, dataset) if dataset else None
    if dataset is None or role is None:
        raise Http404
    if RANK[role] < RANK[needed]:
        raise RoleTooLow(needed)
    dataset.role = role  # type: ignore[attr-defined]
    return dataset


def has_role(dataset: Dataset, needed: Role) -> bool:
    """Whether the user for whom `dataset_for` returned this dataset has at least the role `needed`."""
    return RANK[dataset.role] >= RANK[needed]  # type: ignore[attr-defined]
