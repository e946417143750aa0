"""Labels made, changed and deleted: names and keys stay unique within a dataset, colours easy to tell apart."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from annotations import history
from annotations.models import Box, Change, Label
from annotations.querysets import BoxQuerySet
from datasets.models import Artwork, Dataset
from datasets.refusals import Conflict, Refusal

# Twelve colours that people with any of the common colour blindnesses tell apart, on pictures and on both themes.
PALETTE = (
    "#e69f00",
    "#0072b2",
    "#009e73",
    "#cc79a7",
    "#d55e00",
    "#56b4e9",
    "#f0e442",
    "#882255",
    "#44aa99",
    "#332288",
    "#999933",
    "#aa4499",
)
DIGITS = "123456789"
# Artworks per statement: databases limit the number of parameters.
PORTION = 500


def create_label(*, dataset: Dataset, name: str, colour: str = "", shortcut: str | None = None) -> Label:
    """Add a label to a dataset.

    Args:
        colour: "#rrggbb"; without one, the next free colour of `PALETTE`.
        shortcut: one visible character, or "" for none; without an answer (None), the next free digit.

    Raises:
        Refusal: the name or the key is taken or unusable; the message says by what or why.
    """
    with transaction.atomic():
        others = _others(dataset)
        if shortcut is None:
            shortcut = _next_digit(others)
        fields = {"name": name, "colour": colour or _next_colour(others), "shortcut": shortcut}
        return Label.objects.create(dataset=dataset, **checked_fields(fields, others))


def update_label(*, label: Label, **changes: str) -> Label:
    """Change `name`, `colour` or `shortcut` of a label; raises a `Refusal` as `create_label` does."""
    with transaction.atomic():
        for field, value in checked_fields(changes, _others(label.dataset, apart_from=label)).items():
            setattr(label, field, value)
        label.save(update_fields=["name", "colour", "shortcut"])
        return label


def checked_fields(fields: Mapping[str, str], others: Sequence[Label]) -> dict[str, str]:
    """Tidy the name, colour and shortcut of a label, those of them that `fields` holds.

    Raises:
        Refusal: one is unusable, or taken by one of the `others`.
    """
    checked = dict(fields)
    if "name" in fields:
        checked["name"] = _free_name(fields["name"], others)
    if "colour" in fields:
        checked["colour"] = _colour(fields["colour"])
    if "shortcut" in fields:
        checked["shortcut"] = _free_shortcut(fields["shortcut"], others)
    return checked


def delete_label(*, label: Label, user: Any, force: bool = False) -> None:
    """Delete a label; with `force` also all boxes that carry it, which the history of each artwork remembers.

    Raises:
        Conflict: boxes carry it and `force` was not given; the message tells how many, `current` too.
    """
    with transaction.atomic():
        _hold_artworks(label)
        boxes = Box.objects.filter(label=label)
        confirmed = Q(state=Box.State.CONFIRMED, artwork__deleted_at=None)
        used = boxes.shown().aggregate(
            boxes=Count("pk"),
            artworks=Count("artwork", distinct=True),
            confirmed=Count("pk", filter=confirmed),
            confirmed_artworks=Count("artwork", distinct=True, filter=confirmed),
        )
        if used["boxes"] and not force:
            message = _(
                "“%(name)s” is the concept of %(boxes)d boxes on %(artworks)d artworks. Deleting it deletes them."
            )
            raise Conflict(message % {"name": label.name, **used}, code="in_use", current=used)
        artworks = list(boxes.order_by().values_list("artwork", flat=True).distinct())
        for start in range(0, len(artworks), PORTION):
            _delete_boxes(boxes.filter(artwork__in=artworks[start : start + PORTION]), label, user)
        label.delete()


def _delete_boxes(boxes: BoxQuerySet, label: Label, user: Any) -> None:
    deltas: dict[int, history.Delta] = defaultdict(dict)
    for box in boxes:
        history.add_change(deltas[box.artwork_id], box.pk, history.box_state(box), None)
    boxes.delete()
    details = {"id": label.pk, "name": label.name, "colour": label.colour}
    history.close_many(deltas, kind=Change.Kind.LABEL, author=user, details=details)


def _hold_artworks(label: Label) -> None:
    """Keep others from drawing boxes with a label while it is deleted (SQLite has one writer anyway)."""
    artworks = Artwork.objects.filter(dataset=label.dataset_id)
    for _pk in artworks.order_by("pk").select_for_update().values_list("pk", flat=True).iterator():
        continue


def _others(dataset: Dataset, apart_from: Label | None = None) -> list[Label]:
    """The other labels of a dataset, which is held so that two people cannot take one name at once."""
    Dataset.objects.select_for_update().get(pk=dataset.pk)
    return [label for label in Label.objects.filter(dataset=dataset) if label != apart_from]


def _free_name(name: str, others: Iterable[Label]) -> str:
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not name:
        raise Refusal(_("Give the concept a name."), code="no_name")
    if any(label.name.casefold() == name.casefold() for label in others):
        raise Refusal(
            _("There is a concept “%(name)s” already. Choose another name.") % {"name": name},
            code="name_taken",
        )
    return name


def _colour(colour: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise Refusal(_("Give the colour as #rrggbb, for example #0072b2."), code="bad_colour")
    return colour.lower()


def _free_shortcut(shortcut: str, others: Iterable[Label]) -> str:
    if not shortcut:
        return ""
    key = shortcut.lower() if len(shortcut.lower()) == 1 else shortcut
    if len(key) != 1 or not key.isprintable() or key.isspace() or unicodedata.combining(key):
        raise Refusal(_("A shortcut is one visible character, for example 1 or a."), code="bad_shortcut")
    owner = next((label for label in others if label.shortcut == key), None)
    if owner:
        words = {"key": key, "name": owner.name}
        raise Refusal(
            _("The key “%(key)s” chooses “%(name)s” already. Choose another key.") % words,
            code="shortcut_taken",
        )
    return key


def _next_digit(others: Iterable[Label]) -> str:
    taken = {label.shortcut for label in others}
    return next((digit for digit in DIGITS if digit not in taken), "")


def _next_colour(others: Iterable[Label]) -> str:
    """The colour of the palette that is used least, the first of these."""
    used = [label.colour for label in others]
    return min(PALETTE, key=used.count)
