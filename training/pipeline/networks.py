"""Build the network of an experiment, whole."""

from __future__ import annotations

from typing import Any

import tf_keras
from official.vision.tasks.retinanet import RetinaNetTask


def build(experiment: Any, task_class: type[RetinaNetTask] = RetinaNetTask) -> tuple[Any, Any]:
    """The Model Garden task of `experiment` and its model, with all its variables made."""
    task = task_class(experiment.task)
    model = task.build_model()
    if not model.head.built:  # Model Garden leaves that to the first picture where no pyramid comes before the head
        model.head(model.backbone(tf_keras.Input(experiment.task.model.input_size)))
    return task, model
