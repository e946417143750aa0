"""Datasets of artworks, who may work on them, and the artworks with their metadata."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from datasets.querysets import ArtworkQuerySet, DatasetQuerySet


class Role(models.TextChoices):
    """What a member may do; each role includes the ones before it (see `RANK`)."""

    VIEWER = "viewer", _("Viewer")
    ANNOTATOR = "annotator", _("Annotator")
    CURATOR = "curator", _("Curator")
    ADMINISTRATOR = "administrator", _("Administrator")


RANK = {role: rank for rank, role in enumerate(Role)}


class Dataset(models.Model):
    """A collection of artworks with its own concepts, members, detectors and runs.

    Deleting sets `deleted_at`: nothing is lost, and it can be undone.
    """

    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    objects = DatasetQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("dataset")
        verbose_name_plural = _("datasets")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("datasets:detail", args=[self.pk])


class Membership(models.Model):
    """The role of one user in one dataset."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="memberships", verbose_name=_("dataset"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships", verbose_name=_("user")
    )
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        ordering = ["user__username"]
        constraints = [models.UniqueConstraint(fields=["dataset", "user"], name="one_role_per_member")]
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"


class Artwork(models.Model):
    """One digitised artwork: its original file, its metadata and the counters of its boxes.

    `width` and `height` are pixels of the original after EXIF orientation has been applied: the coordinate system of
    every box. `revision` counts changes of the boxes, `metadata_revision` changes of the metadata; a save names the
    one that it was based on. The counters are kept by `annotations.services`, so that a list needs no joins.
    Metadata fields carry Dublin Core names.
    """

    class State(models.TextChoices):
        """Derived from the counters whenever boxes change."""

        TODO = "todo", _("To do")
        SUGGESTED = "suggested", _("To review")
        ANNOTATED = "annotated", _("Annotated")
        NOTHING = "nothing", _("Nothing to mark")

    class Progress(models.TextChoices):
        """How far people are with it. Their first edit begins it; the rest they say themselves."""

        TODO = "todo", _("To do")
        IN_PROGRESS = "in_progress", _("In progress")
        DONE = "done", _("Done")
        REVIEWED = "reviewed", _("Reviewed")

    METADATA = (
        "title",
        "creator",
        "date",
        "medium",
        "extent",
        "identifier",
        "publisher",
        "rights",
        "source",
        "description",
    )

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="artworks", verbose_name=_("dataset"))
    title = models.CharField(_("title"), max_length=500, blank=True)
    creator = models.CharField(_("creator"), max_length=500, blank=True)
    date = models.CharField(_("date"), max_length=200, blank=True)
    medium = models.CharField(_("medium"), max_length=500, blank=True)
    extent = models.CharField(_("dimensions"), max_length=500, blank=True)
    identifier = models.CharField(_("inventory number"), max_length=200, blank=True)
    publisher = models.CharField(_("institution"), max_length=500, blank=True)
    rights = models.CharField(_("rights"), max_length=500, blank=True)
    source = models.URLField(_("source URL"), max_length=1000, blank=True)
    description = models.TextField(_("description"), blank=True)
    metadata_revision = models.PositiveIntegerField(default=0, editable=False)

    file_name = models.CharField(_("file name"), max_length=500, editable=False)
    # Where it lay in what was uploaded, as "Sala 1/INV-0001"; "" for a file alone.
    folder = models.CharField(_("folder"), max_length=1000, blank=True, editable=False)
    format = models.CharField(_("format"), max_length=10, editable=False)
    byte_size = models.PositiveBigIntegerField(_("size in bytes"), editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    width = models.PositiveIntegerField(_("width"), editable=False)
    height = models.PositiveIntegerField(_("height"), editable=False)
    display_width = models.PositiveIntegerField(editable=False)
    display_height = models.PositiveIntegerField(editable=False)

    revision = models.PositiveIntegerField(default=0, editable=False)
    nothing_to_mark = models.BooleanField(_("nothing to mark"), default=False, editable=False)
    confirmed = models.PositiveIntegerField(_("boxes"), default=0, editable=False)
    suggested = models.PositiveIntegerField(_("suggestions"), default=0, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.TODO, editable=False)
    progress = models.CharField(
        _("progress"), max_length=12, choices=Progress.choices, default=Progress.TODO, editable=False
    )
    progress_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("by")
    )
    progress_at = models.DateTimeField(null=True, editable=False)
    # What its suggestions would teach a detector if somebody decided on them (`annotations.counters`).
    teaching = models.FloatField(default=0.0, editable=False)

    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("added by"),
    )
    added_at = models.DateTimeField(_("added"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)

    objects = ArtworkQuerySet.as_manager()

    class Meta:
        ordering = ["title", "pk"]
        verbose_name = _("artwork")
        verbose_name_plural = _("artworks")
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "sha256"], condition=models.Q(deleted_at=None), name="no_artwork_twice_in_a_dataset"
            ),
            models.CheckConstraint(condition=models.Q(width__gt=0, height__gt=0), name="artwork_has_a_size"),
            models.CheckConstraint(
                condition=models.Q(nothing_to_mark=False) | models.Q(confirmed=0), name="nothing_to_mark_means_no_boxes"
            ),
        ]
        # One index per order of the grid: a page costs the same at 100 and at 100,000 artworks.
        indexes = [
            models.Index(fields=["dataset", "deleted_at", "title", "id"], name="artwork_by_title"),
            models.Index(fields=["dataset", "deleted_at", "creator", "id"], name="artwork_by_creator"),
            models.Index(fields=["dataset", "deleted_at", "added_at", "id"], name="artwork_by_added"),
            models.Index(fields=["dataset", "deleted_at", "confirmed", "id"], name="artwork_by_boxes"),
            models.Index(fields=["dataset", "deleted_at", "date", "id"], name="artwork_by_date"),
            models.Index(fields=["dataset", "deleted_at", "state", "title", "id"], name="artwork_by_state"),
            models.Index(fields=["dataset", "deleted_at", "progress", "title", "id"], name="artwork_by_progress"),
            models.Index(fields=["dataset", "deleted_at", "teaching", "id"], name="artwork_by_teaching"),
        ]

    def __str__(self) -> str:
        return self.title or self.file_name

    def get_absolute_url(self) -> str:
        return reverse("annotations:page", args=[self.dataset_id, self.pk])

    @property
    def path(self) -> str:
        """Its file's name with the folder that it came in."""
        return f"{self.folder}/{self.file_name}" if self.folder else self.file_name

    @property
    def is_tiled(self) -> bool:
        """Whether it has more pixels than its display image, and so is looked at in tiles."""
        return max(self.width, self.height) > max(self.display_width, self.display_height)

    @property
    def stored_in(self) -> str:
        """Folder of its files in the storage, named by content: files of one content are stored once."""
        return f"artworks/{self.dataset_id}/{self.sha256[:2]}/{self.sha256}"

    def file_url(self, kind: str) -> str:
        """Address of its `thumbnail`, `display` image or `original`; immutable, since it names the content."""
        return reverse("datasets:file", args=[self.dataset_id, self.pk, kind, self.sha256[:16]])


class Archive(models.Model):
    """A ZIP that somebody uploaded, kept until each of its images has been added or it is closed."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="archives")
    file_name = models.CharField(max_length=500)
    path = models.CharField(max_length=1000)
    members = models.JSONField(default=list)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.file_name
