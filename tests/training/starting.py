"""What a training needs before it can be started, and its start."""

from typing import Any

from annotations.models import Box, Label
from training import services
from training.models import Detector, Run, TrainingRun

CHOICE = {"architecture": "retinanet_mobilenet_v2", "budget": "quick", "augmentation": "none"}


def draw(artwork: Any, label: Label, **fields: Any) -> Box:
    size = {"width": 50, "height": 40, "image_width": 200, "image_height": 150}
    box = Box.objects.create(artwork=artwork, label=label, x=10, y=10, **{**size, **fields})
    type(artwork).objects.filter(pk=artwork.pk).update(confirmed=1, state="annotated")
    return box


def start(dataset: Any, user: Any = None, **more: Any) -> TrainingRun:
    choice = services.TrainingChoice(**CHOICE, **more)
    return services.start_training(dataset=dataset, user=user, choice=choice)


def start_looking(dataset: Any, user: Any, detector: Detector, label: Label, **choice: Any) -> Run:
    """The run, without anybody to work on it."""
    mapping = {str(known["id"]): label.pk for known in detector.labels}
    choice = {"artwork_id": None, "threshold": 0.02, "mapping": mapping, "enqueue": False, **choice}
    return services.start_inference(dataset=dataset, user=user, detector_id=detector.pk, **choice)
