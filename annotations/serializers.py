"""What the API of labels and boxes takes and gives."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from annotations.history import DEEDS
from annotations.models import Box, Change, Label

LARGEST_ID = 2**63 - 1
EDITS_AT_ONCE = 500
# Rejected boxes are never given and cannot be asked for.
SHOWN_STATES = [choice for choice in Box.State.choices if choice[0] != Box.State.REJECTED]


class LabelSerializer(serializers.ModelSerializer[Label]):
    """A label as it is given; `boxes`, the number of its confirmed boxes, only where it was counted."""

    boxes = serializers.SerializerMethodField()

    class Meta:
        model = Label
        fields = ["id", "name", "colour", "shortcut", "boxes"]

    def get_boxes(self, label: Label) -> int | None:
        """Counted by `LabelQuerySet.with_counts`, which looks at every box of the dataset; null without it."""
        return getattr(label, "box_total", None)


class LabelInput(serializers.Serializer[Any]):
    """A label as it is taken: only the name is needed."""

    name = serializers.CharField(max_length=100)
    colour = serializers.CharField(max_length=7, required=False, help_text=_("As #rrggbb."))
    shortcut = serializers.CharField(
        max_length=1,
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text=_("One visible character, or none."),
    )


class LabelId(serializers.IntegerField):
    """The id of a label, within what a database column holds."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **options)


class RestoredBoxSerializer(serializers.Serializer[Any]):
    """A box as the client knew it; what it says about detector, score and author is not believed."""

    id = serializers.UUIDField()
    label = LabelId()
    x, y, width, height = (serializers.FloatField() for _field in range(4))
    state = serializers.ChoiceField(SHOWN_STATES, required=False)
    source = serializers.ChoiceField(Box.Source.choices, required=False)


NEEDED = {
    "create": {"id", "label", "x", "y", "width", "height"},
    "update": {"id"},
    "delete": {"id"},
    "accept": {"id"},
    "reject": {"id"},
    "restore": {"box"},
    "mark_nothing": {"value"},
}
CHANGES = {"label", "x", "y", "width", "height"}


class EditSerializer(serializers.Serializer[Any]):
    """One edit. create: id, label, x, y, width, height. update: id and what changes. delete, accept, reject: id.
    restore: box. mark_nothing: value. Coordinates are pixels of the artwork after EXIF orientation."""

    op = serializers.ChoiceField(list(NEEDED))
    id = serializers.UUIDField(required=False)
    label = LabelId(required=False)
    x, y, width, height = (serializers.FloatField(required=False) for _field in range(4))
    value = serializers.BooleanField(required=False)
    box = RestoredBoxSerializer(required=False)

    def validate(self, edit: dict[str, Any]) -> dict[str, Any]:
        """Each `op` has all that it needs; what does not belong to it is dropped."""
        needed = NEEDED[edit["op"]]
        missing = sorted(needed - edit.keys())
        if missing:
            raise serializers.ValidationError({name: _("This operation needs it.") for name in missing}, "required")
        if edit["op"] != "update":
            return {key: value for key, value in edit.items() if key in needed | {"op"}}
        if not edit.keys() & CHANGES:
            raise serializers.ValidationError(_("Say what changes: label, x, y, width or height."), "empty")
        return {key: value for key, value in edit.items() if key in CHANGES | {"op", "id"}}


class BatchSerializer(serializers.Serializer[Any]):
    """A batch of edits, made on one revision of the artwork."""

    id = serializers.UUIDField()
    revision = serializers.IntegerField(min_value=0, max_value=LARGEST_ID)
    edits = EditSerializer(many=True, allow_empty=False, max_length=EDITS_AT_ONCE)  # type: ignore[call-arg]


class BoxSerializer(serializers.Serializer[Any]):
    """A box in pixels of the artwork after EXIF orientation. `score` is 0 to 1 where a detector drew it."""

    id = serializers.UUIDField()
    label = serializers.IntegerField()
    x, y, width, height = (serializers.FloatField() for _field in range(4))
    state = serializers.ChoiceField(SHOWN_STATES)
    source = serializers.ChoiceField(Box.Source.choices)
    detector = serializers.IntegerField(allow_null=True)
    detector_name = serializers.CharField()
    score = serializers.FloatField(allow_null=True)
    author = serializers.CharField(allow_null=True)
    updated_at = serializers.DateTimeField()


class DocumentSerializer(serializers.Serializer[Any]):
    """All that is marked on an artwork at one revision."""

    artwork = serializers.IntegerField()
    revision = serializers.IntegerField()
    nothing_to_mark = serializers.BooleanField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    boxes = BoxSerializer(many=True)


class ChangeSerializer(serializers.Serializer[Any]):
    """One entry of an artwork's history: who did what and when.

    `counts`: how many boxes each thing happened to. `nothing_to_mark`: what it became, null where it stayed. `known`
    and `known_before`: whether the boxes at this revision, and at the one before it, can be told. `concept`: the name
    of one that was deleted. `restored`: the revision that was brought back, and when it had become so.
    """

    revision = serializers.IntegerField()
    time = serializers.DateTimeField()
    kind = serializers.ChoiceField(Change.Kind.choices)
    author = serializers.SerializerMethodField()
    detector_name = serializers.CharField()
    counts = serializers.SerializerMethodField()
    nothing_to_mark = serializers.SerializerMethodField()
    known = serializers.SerializerMethodField()
    known_before = serializers.SerializerMethodField()
    concept = serializers.SerializerMethodField()
    restored = serializers.SerializerMethodField()
    restored_time = serializers.SerializerMethodField()

    def get_author(self, change: Change) -> str | None:
        return change.author.get_username() if change.author else None

    @extend_schema_field(inline_serializer("ChangeCounts", {deed: serializers.IntegerField() for deed in DEEDS}))
    def get_counts(self, change: Change) -> dict[str, int]:
        return {deed: change.counts.get(deed, 0) for deed in DEEDS}

    def get_nothing_to_mark(self, change: Change) -> bool | None:
        return None if change.nothing_before == change.nothing_after else change.nothing_after

    def get_known(self, change: Change) -> bool:
        return change.revision >= self.context["earliest"]

    def get_known_before(self, change: Change) -> bool:
        return change.revision > self.context["earliest"]

    def get_concept(self, change: Change) -> str | None:
        return change.details.get("name")

    def get_restored(self, change: Change) -> int | None:
        return change.details.get("revision")

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_restored_time(self, change: Change) -> str | None:
        return change.details.get("time")


class GoneLabelSerializer(serializers.Serializer[Any]):
    """A label that has been deleted since, and how many boxes carried it."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    colour = serializers.CharField()
    boxes = serializers.IntegerField()


class PastSerializer(DocumentSerializer):
    """All that was marked on an artwork at an earlier revision, with boxes of labels that are gone."""

    time = serializers.DateTimeField(allow_null=True)
    gone_labels = GoneLabelSerializer(many=True)


class RestoreSerializer(serializers.Serializer[Any]):
    """Bringing an earlier state back: an id made by the client, and the revision that it knows as the current one."""

    id = serializers.UUIDField()
    revision = serializers.IntegerField(min_value=0, max_value=LARGEST_ID)


class RestoredSerializer(DocumentSerializer):
    """What is on the artwork then; boxes of labels that are gone could not be brought back."""

    left_out = GoneLabelSerializer(many=True)


class Score(serializers.FloatField):
    """A score from 0 to 1."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=1, **options)


class ReviewSerializer(serializers.Serializer[Any]):
    """Which pending suggestions of an artwork to accept or reject: without more, all."""

    action = serializers.ChoiceField(["accept", "reject"])
    minimum_score = Score(required=False, allow_null=True)
    ids = serializers.ListField(child=serializers.UUIDField(), required=False, allow_null=True, max_length=5000)


class ReviewAllSerializer(serializers.Serializer[Any]):
    """Which pending suggestions of a dataset to accept or reject."""

    action = serializers.ChoiceField(["accept", "reject"])
    minimum_score = Score()
    label = LabelId(required=False, allow_null=True)


class CountSerializer(serializers.Serializer[Any]):
    """How many suggestions were reviewed."""

    count = serializers.IntegerField()
