"""Labels (the concepts to detect), boxes, and the changes that the boxes have gone through."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from annotations.querysets import BoxQuerySet, LabelQuerySet
from datasets.models import Artwork, Dataset


class Label(models.Model):
    """A concept to detect, with the colour it is drawn in and the key that chooses it."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="labels", verbose_name=_("dataset"))
    name = models.CharField(_("name"), max_length=100)
    colour = models.CharField(
        _("colour"), max_length=7, validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$", _("Give a colour as #rrggbb."))]
    )
    shortcut = models.CharField(_("shortcut key"), max_length=1, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LabelQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("concept")
        verbose_name_plural = _("concepts")
        constraints = [
            models.UniqueConstraint(fields=["dataset", "name"], name="label_name_is_unique_in_its_dataset"),
            models.UniqueConstraint(
                fields=["dataset", "shortcut"], condition=~Q(shortcut=""), name="shortcut_is_unique_in_its_dataset"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Box(models.Model):
    """An axis-parallel rectangle on an artwork.

    `x, y, width, height` are pixels of the artwork after EXIF orientation, origin top left, as floats. The size of the
    artwork is repeated here because a database constraint sees one row only.
    """

    class State(models.TextChoices):
        SUGGESTED = "suggested", _("Suggested")
        CONFIRMED = "confirmed", _("Confirmed")
        REJECTED = "rejected", _("Rejected")

    class Source(models.TextChoices):
        MANUAL = "manual", _("Drawn by a person")
        DETECTOR = "detector", _("Found by a detector")
        IMPORT = "import", _("Imported")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    artwork = models.ForeignKey(Artwork, models.CASCADE, related_name="boxes", verbose_name=_("artwork"))
    label = models.ForeignKey(Label, models.CASCADE, related_name="boxes", verbose_name=_("concept"))
    x = models.FloatField()
    y = models.FloatField()
    width = models.FloatField()
    height = models.FloatField()
    image_width = models.PositiveIntegerField(editable=False)
    image_height = models.PositiveIntegerField(editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.CONFIRMED)
    source = models.CharField(_("source"), max_length=10, choices=Source.choices, default=Source.MANUAL)
    # A number and not a foreign key: annotations must not import training, and the name outlives the detector.
    detector_id = models.PositiveBigIntegerField(null=True, blank=True, editable=False)
    detector_name = models.CharField(_("detector"), max_length=200, blank=True, editable=False)
    score = models.FloatField(_("score"), null=True, blank=True, editable=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("author")
    )
    # Defaults and not `auto_now`: a box that is brought back out of the history keeps the times that it had.
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)

    objects = BoxQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "pk"]
        verbose_name = _("box")
        verbose_name_plural = _("boxes")
        indexes = [models.Index(fields=["artwork", "state"], name="box_by_artwork_and_state")]
        # A thousandth of a pixel of tolerance for sums of floats.
        constraints = [
            models.CheckConstraint(condition=Q(width__gt=0, height__gt=0), name="box_has_a_size"),
            models.CheckConstraint(
                condition=Q(x__gte=0, y__gte=0)
                & Q(x__lte=F("image_width") - F("width") + 0.001)
                & Q(y__lte=F("image_height") - F("height") + 0.001),
                name="box_is_inside_its_artwork",
            ),
            models.CheckConstraint(
                condition=Q(score=None) | Q(score__gte=0, score__lte=1), name="score_is_a_probability"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} {self.x:.0f}, {self.y:.0f}, {self.width:.0f} × {self.height:.0f}"


class Change(models.Model):
    """What led to one revision of an artwork: who changed its boxes, when and how (see `annotations.history`).

    The id of a batch of edits is made by the client, which makes sending it again harmless.
    """

    class Kind(models.TextChoices):
        EDIT = "edit", _("Edits")
        REVIEW = "review", _("Review of suggestions")
        SUGGESTIONS = "suggestions", _("Suggestions of a detector")
        IMPORT = "import", _("Import")
        RESTORE = "restore", _("Earlier state brought back")
        LABEL = "label", _("Concept deleted")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    artwork = models.ForeignKey(Artwork, models.CASCADE, related_name="changes")
    revision = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.EDIT)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    detector_name = models.CharField(max_length=200, blank=True)
    time = models.DateTimeField(auto_now_add=True)
    # Id of each touched box → [before, after]. Null where it is not known: with batches older than the history.
    delta = models.JSONField(null=True)
    counts = models.JSONField(default=dict)
    nothing_before = models.BooleanField(default=False)
    nothing_after = models.BooleanField(default=False)
    # The deleted concept; the revision that was brought back, its time, and what had to be left out.
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["artwork", "revision"]
        constraints = [models.UniqueConstraint(fields=["artwork", "revision"], name="one_change_per_revision")]

    def __str__(self) -> str:
        return f"{self.artwork_id} → {self.revision}"
