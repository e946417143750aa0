"""Runs and detectors as JSON, and the requests that start runs."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework import serializers

from training.files import detector_files
from training.models import Detector, Run
from training.pipeline.architectures import ARCHITECTURES
from training.pipeline.config import AUGMENTATIONS, BUDGETS, LEAST_MINUTES, MOST_MINUTES, OWN_MINUTES


def run_json(run: Run) -> dict[str, Any]:
    """A run as the pages, the API and the sockets show it.

    Costs no query for a row selected with `trainingrun__detector`, `inferencerun__detector` and `created_by`.
    """
    return {
        "id": run.pk,
        "dataset": run.dataset_id,
        "kind": run.kind,
        "state": run.state,
        "message": run.said,
        "created_by": run.created_by.get_username() if run.created_by else None,
        "created_at": run.created_at.isoformat(),
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "attempts": run.attempts,
        "last_seq": run.last_seq,
        "training": _training_json(run) if run.kind == Run.Kind.TRAINING else None,
        "inference": _inference_json(run) if run.kind == Run.Kind.INFERENCE else None,
        "urls": {
            "page": run.get_absolute_url(),
            "api": reverse("training-api:run-detail", args=[run.dataset_id, run.pk]),
        },
    }


def _training_json(run: Run) -> dict[str, Any]:
    training = run.trainingrun
    detector = getattr(training, "detector", None)
    if detector and detector.deleted_at:
        detector = None
    return {
        "name": training.name,
        "architecture": training.architecture,
        "budget": training.budget,
        "augmentation": training.augmentation,
        "minutes": training.minutes,
        "start": training.start_id,
        "snapshot": training.snapshot_id,
        "detector": detector.pk if detector else None,
        "detector_name": detector.name if detector else None,
    }


def _inference_json(run: Run) -> dict[str, Any]:
    inference = run.inferencerun
    return {
        "detector": inference.detector_id,
        "detector_name": inference.detector_title,
        "artwork": inference.artwork_id,
        "threshold": inference.threshold,
        "closely": inference.closely,
        "own_scores": inference.own_scores,
    }


class RunSerializer(serializers.Serializer[Run]):
    """The shape of `run_json`, for the API's schema."""

    id = serializers.IntegerField()
    dataset = serializers.IntegerField()
    kind = serializers.ChoiceField(Run.Kind.choices)
    state = serializers.ChoiceField(Run.State.choices)
    message = serializers.CharField()
    created_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    attempts = serializers.IntegerField()
    last_seq = serializers.IntegerField()
    training = serializers.DictField(allow_null=True)
    inference = serializers.DictField(allow_null=True)
    urls = serializers.DictField(child=serializers.CharField())

    def to_representation(self, instance: Run) -> dict[str, Any]:
        return run_json(instance)


class DetectorSerializer(serializers.ModelSerializer[Detector]):
    """A detector; only its name can be changed."""

    architecture_title = serializers.SerializerMethodField()
    dataset_name = serializers.CharField(source="dataset.name", default="", read_only=True)
    files = serializers.SerializerMethodField()

    class Meta:
        model = Detector
        fields = [
            "id",
            "name",
            "kind",
            "architecture",
            "architecture_title",
            "input_size",
            "labels",
            "metrics",
            "threshold",
            "created_at",
            "run",
            "dataset",
            "dataset_name",
            "files",
        ]
        read_only_fields = [name for name in fields if name != "name"]

    def get_architecture_title(self, detector: Detector) -> str:
        known = ARCHITECTURES.get(detector.architecture)
        return str(known.title) if known else detector.architecture

    def get_files(self, detector: Detector) -> list[dict[str, Any]]:
        dataset_id = self.context["dataset"].pk
        return [
            {
                "name": name,
                "size": size,
                "url": reverse("training-api:detector-file", args=[dataset_id, detector.pk, name]),
            }
            for name, size in detector_files(detector).items()
        ]


class OnnxSerializer(serializers.Serializer[Any]):
    """The shape of `converting.onnx_json`, for the API's schema."""

    there = serializers.BooleanField()
    offered = serializers.BooleanField()
    active = serializers.BooleanField()
    state = serializers.CharField(allow_blank=True)
    message = serializers.CharField(allow_blank=True)


class AddDetectorSerializer(serializers.Serializer[Any]):
    """A detector as a file (.tflite, or a SavedModel as .zip or .tar.gz) with its `labels`, one a line, in order.

    A TFLite file that was trained with WebNet Trainer brings its own.
    """

    name = serializers.CharField(max_length=200)
    file = serializers.FileField()
    labels = serializers.CharField(max_length=100_000, required=False, default="", allow_blank=True)

    def validate_labels(self, value: str) -> list[str]:
        """The lines, blank ones at the end left out. Within, each would move all names after it to another class."""
        lines = [line.strip()[:200] for line in value.rstrip().splitlines()]
        if "" in lines:
            text = _("Line %(number)d is empty. Write a name there too, such as “?” for a class that is not used.")
            raise serializers.ValidationError(text % {"number": lines.index("") + 1})
        return lines


class CatalogueDetectorSerializer(serializers.Serializer[Any]):
    """The shape of a row of `fetching.catalogue_json`; `done` and `total` are bytes, `detector` its id once here."""

    key = serializers.CharField()
    title = serializers.CharField()
    suited = serializers.CharField()
    coco_ap = serializers.FloatField()
    input_size = serializers.IntegerField()
    license = serializers.CharField()
    state = serializers.CharField()
    active = serializers.BooleanField()
    checking = serializers.BooleanField()
    message = serializers.CharField()
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    detector = serializers.IntegerField(allow_null=True)


class ConceptEvaluationSerializer(serializers.Serializer[Any]):
    """One concept at its best threshold; null where there is nothing to judge by.

    `curve`: [recall, precision, score] at IoU 0.5, up to the highest recall that was reached. `simulated`: it was
    tested on simulated photographs of what was learnt from, and on no other artwork.
    """

    label = serializers.IntegerField()
    name = serializers.CharField()
    boxes = serializers.IntegerField()
    AP = serializers.FloatField(allow_null=True)
    AP50 = serializers.FloatField(allow_null=True)
    threshold = serializers.FloatField(allow_null=True)
    precision = serializers.FloatField(allow_null=True)
    recall = serializers.FloatField(allow_null=True)
    curve = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()))
    simulated = serializers.BooleanField(default=False)


class EvaluatedArtworkSerializer(serializers.Serializer[Any]):
    """A test artwork: its boxes and the detections, in pixels of the artwork, and what became of each."""

    artwork = serializers.IntegerField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    found = serializers.IntegerField()
    missed = serializers.IntegerField()
    invented = serializers.IntegerField()
    swapped = serializers.IntegerField()
    boxes = serializers.ListField(child=serializers.DictField())
    detections = serializers.ListField(child=serializers.DictField())


class EvaluationSerializer(serializers.Serializer[Any]):
    """What `training.pipeline.report` says of a detector, with one page of its test artworks, the worst first.

    AP, AP50 and AP75 are null where there was no box to find. `coco`: all twelve COCO metrics; null where there was no
    box of the kind, and {} for detectors of earlier versions. `simulated`: how many of the test pictures are simulated
    photographs of what was learnt from.
    """

    AP = serializers.FloatField(allow_null=True)
    AP50 = serializers.FloatField(allow_null=True)
    AP75 = serializers.FloatField(allow_null=True)
    coco = serializers.DictField(child=serializers.FloatField(allow_null=True), default=dict)
    threshold = serializers.FloatField(allow_null=True)
    precision = serializers.FloatField(allow_null=True)
    recall = serializers.FloatField(allow_null=True)
    at_best = serializers.DictField(child=serializers.IntegerField())
    per_label = ConceptEvaluationSerializer(many=True)
    simulated = serializers.IntegerField(default=0)
    confusion = serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))
    count = serializers.IntegerField()
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    artworks = EvaluatedArtworkSerializer(many=True)


# What a database column of ids holds: a larger number is refused here and not by the database.
LARGEST_ID = 2**63 - 1


class Id(serializers.IntegerField):
    """The id of a row."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **options)


class TrainingRequestSerializer(serializers.Serializer[Any]):
    """What starts a training; `labels` null means all concepts that have boxes.

    `minutes`, from start to usable detector, are for the budget "own" alone. `start`: the detector to go on from, null
    for the pretrained weights of the architecture.
    """

    architecture = serializers.ChoiceField([(a.key, a.title) for a in ARCHITECTURES.values()])
    budget = serializers.ChoiceField([(b.key, b.title) for b in BUDGETS.values()])
    augmentation = serializers.ChoiceField([(a.key, a.title) for a in AUGMENTATIONS.values()])
    minutes = serializers.FloatField(
        required=False, allow_null=True, default=None, min_value=LEAST_MINUTES, max_value=MOST_MINUTES
    )
    start = Id(required=False, allow_null=True, default=None)
    labels = serializers.ListField(child=Id(), required=False, allow_null=True, max_length=500)
    seed = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1, default=0)
    name = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["budget"] == "own" and attrs["minutes"] is None:
            raise serializers.ValidationError({"minutes": _("Say how many minutes the training may take.")})
        if attrs["budget"] != "own" and attrs["minutes"] is not None:
            raise serializers.ValidationError({"minutes": _("Minutes are for the budget “own” alone.")})
        return attrs


class TrainingWishSerializer(serializers.Serializer[Any]):
    """How many minutes the budget "own" is to be, and the concepts to learn (where none is named, all with boxes)."""

    minutes = serializers.FloatField(
        required=False, default=OWN_MINUTES, min_value=LEAST_MINUTES, max_value=MOST_MINUTES
    )
    labels = serializers.ListField(child=Id(), required=False, max_length=500)


class PreviewRequestSerializer(serializers.Serializer[Any]):
    """Which examples of an augmentation are wanted: the same seed gives the same ones."""

    preset = serializers.ChoiceField([(a.key, a.title) for a in AUGMENTATIONS.values()])
    seed = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1, default=0)
    copies = serializers.BooleanField(
        required=False, default=True, help_text="Whether the training would have the time to learn from changed copies."
    )
    labels = serializers.ListField(
        child=Id(), required=False, max_length=500, help_text="The concepts to learn; where none is named, all."
    )


class PreviewBoxSerializer(serializers.Serializer[Any]):
    """A box in pixels of the picture that it is on; `label` is the id of its concept."""

    label = Id()
    x = serializers.FloatField()
    y = serializers.FloatField()
    width = serializers.FloatField()
    height = serializers.FloatField()


class PreviewPictureSerializer(serializers.Serializer[Any]):
    """An artwork as a training would see it; `image` is a JPEG as a data URL, of `width` × `height` pixels."""

    artwork = Id()
    title = serializers.CharField()
    image = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    boxes = PreviewBoxSerializer(many=True)


class PreviewLabelSerializer(serializers.Serializer[Any]):
    id = Id()
    name = serializers.CharField()
    colour = serializers.CharField()


class PreviewSerializer(serializers.Serializer[Any]):
    """Examples of an augmentation, and the concepts of the dataset."""

    preset = serializers.CharField()
    seed = serializers.IntegerField()
    pictures = PreviewPictureSerializer(many=True)
    labels = PreviewLabelSerializer(many=True)


class InferenceRequestSerializer(serializers.Serializer[Any]):
    """What lets a detector draw boxes; `artwork` null means the whole dataset, `closely` also in tiles.

    `own_scores`: each concept from the detector's own best score for it (`threshold` of its labels); from `threshold`
    where none is known.
    """

    detector = Id()
    artwork = Id(required=False, allow_null=True, default=None)
    threshold = serializers.FloatField(min_value=0, max_value=1)
    mapping = serializers.DictField(child=Id(allow_null=True))
    closely = serializers.BooleanField(required=False, default=False)
    own_scores = serializers.BooleanField(required=False, default=False)
