"""Build the network of an experiment, whole; and know which of its layers speak of the concepts."""

from __future__ import annotations

from typing import Any

import tf_keras
from official.vision.tasks.retinanet import RetinaNetTask

from training.pipeline import faster_rcnn


def build(experiment: Any, retinanet: type[RetinaNetTask] = RetinaNetTask) -> tuple[Any, Any]:
    """The Model Garden task of `experiment` and its model, with all its variables made; `retinanet`: of a RetinaNet."""
    if faster_rcnn.is_one(experiment):
        task = faster_rcnn.FasterRCNNTask(experiment.task)
        return task, task.build_model()
    task = retinanet(experiment.task)
    model = task.build_model()
    if not model.head.built:  # Model Garden leaves that to the first picture where no pyramid comes before the head
        model.head(model.backbone(tf_keras.Input(experiment.task.model.input_size)))
    return task, model


def by_concept(model: Any) -> list[tuple[Any, int]]:
    """Layers of which each concept has a part of its own, and how many numbers of their last axis belong together."""
    if hasattr(model, "detection_head"):
        head = model.detection_head[0]
        return [(head._classifier, 1), (head._box_regressor, 4)]
    return [(model.head._classifier, 1)]
