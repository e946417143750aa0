"""Detectors, frozen snapshots, training and inference runs, and the events that they leave behind."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from datasets.models import Artwork, Dataset
from training.phrases import translated
from training.querysets import DetectorQuerySet, ErrandQuerySet, EventQuerySet, RunQuerySet


class Snapshot(models.Model):
    """A dataset as it was when a training began. `manifest` never changes; `sha256` is its canonical hash."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="snapshots", verbose_name=_("dataset"))
    manifest = models.JSONField(editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("snapshot")
        verbose_name_plural = _("snapshots")

    def __str__(self) -> str:
        return f"{self.dataset} · {self.sha256[:12]}"


class Run(models.Model):
    """Work that a worker does on a dataset while people watch.

    The row is the truth about it: a worker claims it, keeps its lease alive, and whatever it reports is an event of it.
    `last_seq` numbers the events without a gap.
    """

    class Kind(models.TextChoices):
        TRAINING = "training", _("Training")
        INFERENCE = "inference", _("Automatic annotation")

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        INTERRUPTED = "interrupted", _("Interrupted")

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="runs", verbose_name=_("dataset"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, editable=False)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.QUEUED, editable=False)
    # In English, and what it takes to say it in another language (`phrases.translated`).
    message = models.CharField(_("message"), max_length=1000, blank=True, editable=False)
    phrase = models.JSONField(default=dict, editable=False)
    cancel_requested = models.BooleanField(default=False, editable=False)
    worker = models.CharField(_("worker"), max_length=200, blank=True, editable=False)
    attempts = models.PositiveIntegerField(_("attempts"), default=0, editable=False)
    # How far it had got when it was last interrupted (`furthest`), and how many tries in a row got no further.
    reached = models.PositiveIntegerField(default=0, editable=False)
    in_vain = models.PositiveIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    last_seq = models.PositiveIntegerField(default=0, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("started by")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    # Since when it waits: its place among others. An interrupted run keeps it, one that is resumed gets a new one.
    queued_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(_("started"), null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True, editable=False)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        indexes = [models.Index(fields=["dataset", "state"], name="run_by_dataset_and_state")]
        constraints = [
            # Two trainings of one dataset at a time would only halve each other's speed; a second start is refused.
            models.UniqueConstraint(
                fields=["dataset"],
                condition=Q(kind="training", state__in=["queued", "running"]),
                name="one_active_training_per_dataset",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("training:run", args=[self.dataset_id, self.pk])

    @property
    def said(self) -> str:
        """The message in the active language."""
        return translated(self.phrase, self.message)

    def furthest(self) -> int:
        """How far it has got in any try, by what it reported: training steps or artworks looked at, and stages done."""
        stages = self.events.filter(kind="stage", payload__state="done").values("payload__stage").distinct().count()
        last = self.events.filter(kind__in=["metrics", "progress"]).last()
        steps = last.payload.get("step") or last.payload.get("done") or 0 if last else 0
        return max(self.reached, stages + steps)

    @property
    def is_active(self) -> bool:
        return self.state in (self.State.QUEUED, self.State.RUNNING)


class TrainingRun(Run):
    """A training: which architecture, for how long, on which snapshot."""

    architecture = models.CharField(_("architecture"), max_length=60)
    budget = models.CharField(_("budget"), max_length=20)
    augmentation = models.CharField(_("augmentation"), max_length=20)
    seed = models.PositiveIntegerField(_("seed"), default=0)
    minutes = models.FloatField(_("minutes"), default=0)
    name = models.CharField(_("name of the detector"), max_length=200)
    # The detector that this training goes on from; null where it starts from the architecture's pretrained weights.
    start = models.ForeignKey(
        "training.Detector", models.SET_NULL, null=True, related_name="+", verbose_name=_("goes on from")
    )
    snapshot = models.ForeignKey(Snapshot, models.RESTRICT, related_name="training_runs", verbose_name=_("snapshot"))

    class Meta:
        verbose_name = _("training run")
        verbose_name_plural = _("training runs")


class Detector(models.Model):
    """Something that predicts boxes: a folder with model files and a `detector.json`.

    A trained one points to its run, and through it to its snapshot; a new training never overwrites it. `folder` is
    relative to the storage of runs (`training.files.detector_folder` makes it a path). `labels` is a list of
    `{"id", "name"}` in the detector's own numbering, with "threshold" where its best score for it is known.
    """

    class Kind(models.TextChoices):
        PRETRAINED = "pretrained", _("Pretrained")
        TRAINED = "trained", _("Trained here")
        ADDED = "added", _("Added as a file")

    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, editable=False)
    architecture = models.CharField(_("architecture"), max_length=60, editable=False)
    input_size = models.PositiveIntegerField(_("input size"), editable=False)
    labels = models.JSONField(_("concepts"), editable=False)
    metrics = models.JSONField(_("metrics"), default=dict, editable=False)
    # The score from which its boxes are worth a look, as its files say it; null where they do not.
    threshold = models.FloatField(_("threshold"), null=True, blank=True, editable=False)
    folder = models.CharField(max_length=500, editable=False)
    dataset = models.ForeignKey(
        Dataset,
        models.CASCADE,
        null=True,
        blank=True,
        editable=False,
        related_name="detectors",
        verbose_name=_("dataset"),
    )
    run = models.OneToOneField(
        TrainingRun,
        models.CASCADE,
        null=True,
        blank=True,
        editable=False,
        related_name="detector",
        verbose_name=_("run"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = DetectorQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("detector")
        verbose_name_plural = _("detectors")

    def __str__(self) -> str:
        return self.name


class Errand(models.Model):
    """What a worker does once for everybody, however often it is tried.

    The row is the truth about it, as with runs: a worker claims it and keeps its lease.
    """

    state = models.CharField(_("state"), max_length=12, choices=Run.State.choices, default=Run.State.QUEUED)
    # In English, and what it takes to say it in another language (`phrases.translated`).
    message = models.CharField(max_length=1000, blank=True)
    phrase = models.JSONField(default=dict)
    cancel_requested = models.BooleanField(default=False)
    worker = models.CharField(max_length=200, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    # Only of those that `with_seen_state` has read.
    seen_state: str

    objects = ErrandQuerySet.as_manager()

    class Meta:
        abstract = True


class Fetch(Errand):
    """A detector of the catalogue on its way here; one row each.

    What has arrived lies in the folder of downloads, and is gone on from. `key` names the detector in
    `training.pipeline.catalogue`.
    """

    key = models.CharField(_("detector"), max_length=60, unique=True)
    done_bytes = models.BigIntegerField(default=0)
    total_bytes = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["key"]

    def __str__(self) -> str:
        return f"{self.key} {self.state}"


class Conversion(Errand):
    """A detector's ONNX file, asked for by somebody; one row each. The file itself lies with the detector's others."""

    detector = models.OneToOneField(
        Detector, models.CASCADE, related_name="conversion", verbose_name=_("detector"), editable=False
    )

    class Meta:
        ordering = ["detector"]

    def __str__(self) -> str:
        return f"{self.detector} {self.state}"


class InferenceRun(Run):
    """A detector drawing suggestions on one artwork or on all of a dataset.

    `mapping` sends ids of the detector's labels (as strings, since it is JSON) to ids of the dataset's labels.
    """

    # Null where it went with the dataset that it was trained on; its name stays.
    detector = models.ForeignKey(
        Detector, models.SET_NULL, null=True, related_name="inference_runs", verbose_name=_("detector")
    )
    detector_name = models.CharField(_("detector"), max_length=200, blank=True, editable=False)
    artwork = models.ForeignKey(
        Artwork, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("artwork")
    )
    threshold = models.FloatField(_("threshold"))
    mapping = models.JSONField(_("mapping"))
    closely = models.BooleanField(_("looks closely"), default=False)
    # Where its best score for a concept is known, that one decides instead of `threshold`.
    own_scores = models.BooleanField(_("each concept from its own best score"), default=False)

    class Meta:
        verbose_name = _("inference run")
        verbose_name_plural = _("inference runs")
        constraints = [
            models.CheckConstraint(condition=Q(threshold__gte=0, threshold__lte=1), name="threshold_is_a_probability")
        ]

    def needed(self) -> dict[int, float]:
        """The least score of a box, by the detector's labels that stand for a concept."""
        labels = self.detector.labels if self.detector and self.own_scores else []
        best = {str(label["id"]): float(label["threshold"]) for label in labels if "threshold" in label}
        return {int(label): best.get(label, self.threshold) for label in self.mapping}

    @property
    def detector_title(self) -> str:
        """The detector's name, or the one that it had when it was still there."""
        return self.detector.name if self.detector else self.detector_name


class Event(models.Model):
    """One line of a run's log: the row exists before anybody is told about it."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="events")
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    payload = models.JSONField()
    time = models.DateTimeField(auto_now_add=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["run", "seq"]
        constraints = [models.UniqueConstraint(fields=["run", "seq"], name="events_are_numbered_within_a_run")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.seq} {self.kind}"
