"""Faster R-CNN (S. Ren et al., arXiv 1506.01497), which looks twice: for places where something may be, then at each.

It is Model Garden's Mask R-CNN task without masks. Here is what it needs beside the RetinaNets: losses under the same
names, and a form that TFLite can run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
import tf_keras
from official.vision.configs.maskrcnn import MaskRCNNTask as Config
from official.vision.ops import anchor, box_ops
from official.vision.tasks.maskrcnn import MaskRCNNTask

from training.pipeline import graphs

# How Model Garden scales what the second stage says of a box's centre and size.
_BOX_WEIGHTS = [10.0, 10.0, 5.0, 5.0]
# Boxes of all classes together that come to the last suppression, best first.
_MOST_CANDIDATES = 1000
# Of the proposals any may be kept: the best are chosen by their order.
_NO_THRESHOLD = -1.0

_LOSSES = ("total_loss", "cls_loss", "box_loss", "model_loss")


def is_one(experiment: Any) -> bool:
    """Whether this is the experiment of a Faster R-CNN."""
    return isinstance(experiment.task, Config)


class FasterRCNNTask(MaskRCNNTask):  # type: ignore[misc]
    """Model Garden's task; what both stages lose is told under the names that a RetinaNet's losses have."""

    def build_losses(self, outputs: Any, labels: Mapping[str, Any], aux_losses: Any = None) -> dict[str, Any]:
        """As in Model Garden; `cls_loss` and `box_loss` add up to `model_loss`."""
        losses: dict[str, Any] = super().build_losses(outputs, labels, aux_losses)
        weights = self.task_config.losses
        classes = weights.rpn_score_weight * losses["rpn_score_loss"]
        classes += weights.frcnn_class_weight * losses["frcnn_cls_loss"]
        return {**losses, "cls_loss": classes, "box_loss": losses["model_loss"] - classes}

    def build_metrics(self, training: bool = True) -> list[Any]:
        """Means of the losses in training, nothing else: scores are the evaluator's."""
        return [tf_keras.metrics.Mean(name, dtype=tf.float32) for name in _LOSSES] if training else []


def serving(model: Any, experiment: Any) -> Any:
    """A concrete function that detects on one picture with what TFLite has built in; in and out as `tflite.convert`.

    Both suppressions are TensorFlow's NonMaxSuppressionV4 in the place of combined or hand-written ones, which TFLite
    lacks. The last one is for all classes at once: boxes of different classes are moved apart.
    """
    params = experiment.task.model
    size = params.input_size[:2]
    anchors = anchor.build_anchor_generator(
        min_level=params.min_level,
        max_level=params.max_level,
        num_scales=params.anchor.num_scales,
        aspect_ratios=params.anchor.aspect_ratios,
        anchor_size=params.anchor.anchor_size,
    )

    @graphs.graph
    def detect(image: Any) -> dict[str, Any]:
        features = model.decoder(model.backbone(image, training=False), training=False)
        scores, boxes = model.rpn_head(features, training=False)
        places = _proposals(params.roi_generator, scores, boxes, anchors(image_size=size), size)
        seen = model.roi_aligner(features, places[None])
        classes, offsets = model.detection_head[0](seen, training=False)
        return _detections(params.detection_generator, classes[0], offsets[0], places, size)

    return detect.get_concrete_function(tf.TensorSpec([1, *size, 3], tf.float32, name="image"))


def _proposals(
    options: Any, scores: Mapping[str, Any], boxes: Mapping[str, Any], anchors: Mapping[str, Any], size: list[int]
) -> Any:
    """Where something may be, best first: [n, 4], corners in pixels of the square. Of each level as many as of all."""
    found, sure = [], []
    for level in sorted(scores):
        count = math.prod(scores[level].shape[1:])
        logits = tf.reshape(scores[level], [count])
        offsets, starts = (tf.reshape(values[level], [count, 4]) for values in (boxes, anchors))
        corners = box_ops.clip_boxes(box_ops.decode_boxes(offsets, starts), size)
        value, order = tf.math.top_k(tf.sigmoid(logits), min(count, options.test_pre_nms_top_k))
        corners = tf.gather(corners, order)
        most = min(int(order.shape[0]), options.test_num_proposals)
        kept, counts = _suppressed(corners, value, most, options.test_nms_iou_threshold, _NO_THRESHOLD)
        found.append(tf.gather(corners, kept) * counts[:, None])
        sure.append(tf.gather(value, kept) * counts)
    scored = tf.concat(sure, 0)
    _, order = tf.math.top_k(scored, min(int(scored.shape[0]), options.test_num_proposals))
    return tf.gather(tf.concat(found, 0), order)


def _detections(options: Any, classes: Any, offsets: Any, places: Any, size: list[int]) -> dict[str, Any]:
    """Boxes out of `classes` [n, classes] and `offsets` [n, 4 · classes] at `places` [n, 4]."""
    number, known = int(places.shape[0]), int(classes.shape[-1]) - 1  # the background is none of them
    value = tf.reshape(tf.nn.softmax(classes)[:, 1:], [-1])
    value, order = tf.math.top_k(value, min(number * known, _MOST_CANDIDATES))
    offsets = tf.gather(tf.reshape(tf.reshape(offsets, [number, known + 1, 4])[:, 1:], [-1, 4]), order)
    corners = box_ops.decode_boxes(offsets, tf.gather(places, order // known), weights=_BOX_WEIGHTS)
    corners = box_ops.clip_boxes(corners, size)
    category = tf.cast(order % known, tf.float32)
    apart = corners + category[:, None] * (2.0 * max(size))
    most = options.max_num_detections
    kept, counts = _suppressed(apart, value, most, options.nms_iou_threshold, options.pre_nms_score_threshold)
    return {
        "detection_boxes": (tf.gather(corners, kept) * counts[:, None])[None],
        "detection_classes": ((tf.gather(category, kept) + 1) * counts)[None],
        "detection_scores": (tf.gather(value, kept) * counts)[None],
        "num_detections": tf.reduce_sum(counts)[None],
    }


def _suppressed(corners: Any, scores: Any, most: int, iou: float, threshold: float) -> tuple[Any, Any]:
    """Indices [most] of the boxes that are kept, and for each of them 1, or 0 where it only fills up the number."""
    kept, number = tf.raw_ops.NonMaxSuppressionV4(
        boxes=corners,
        scores=scores,
        max_output_size=most,
        iou_threshold=iou,
        score_threshold=threshold,
        pad_to_max_output_size=True,
    )
    return tf.reshape(kept, [most]), tf.cast(tf.range(most) < number, tf.float32)
