"""Stage 8, export: the folder of a finished detector, WORKDIR/detector/.

model.tflite (float16, with its non-maximum suppression) is what WebNet runs, since it is tens of times faster on a
processor; saved_model/ is for graphics cards and for other programs. labels.txt, detector.json, config.yaml and
model_card.md say what they are; checkpoint/ holds the weights that a later training can go on from.
"""

from __future__ import annotations

import copy
import json
import math
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
import yaml
from official.vision.modeling.layers.detection_generator import MultilevelDetectionGenerator
from official.vision.modeling.retinanet_model import RetinaNetModel
from official.vision.serving import export_tflite_lib
from official.vision.serving.detection import DetectionModule

from training.pipeline import evaluate, transfer
from training.pipeline.config import ARCHITECTURES, RunConfig
from training.pipeline.manifest import Manifest
from training.pipeline.model_card import model_card

FOLDER = "detector"
THRESHOLD = 0.3


def export(
    model: Any, experiment: Any, config: RunConfig, manifest: Manifest, scores: Mapping[str, Any], workdir: Path
) -> Path:
    """Write WORKDIR/detector/, whole or not at all, and return it. `model`: the trained Model Garden model."""
    partial = workdir / f"{FOLDER}.part"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    _write_saved_model(model, experiment, partial / "saved_model")
    (partial / "model.tflite").write_bytes(to_tflite(model, experiment))
    transfer.keep(model, partial)
    _write_description(partial, config, manifest, scores)
    shutil.copy(workdir / evaluate.FILE_NAME, partial)
    (partial / "config.yaml").write_text(yaml.safe_dump(experiment.as_dict()), encoding="utf-8")
    final = workdir / FOLDER
    shutil.rmtree(final, ignore_errors=True)
    partial.rename(final)
    return final


def to_tflite(model: Any, experiment: Any) -> bytes:
    """`model` as a float16 TFLite file: float32 [1, size, size, 3], normalised as in training, in; boxes in pixels of
    that square (top, left, bottom, right), class numbers (the background is 0), scores and
    their number out."""
    size = experiment.task.model.input_size[:2]
    params = _tflite_params(experiment)
    same = _with_suppression_inside(model, params)
    module = DetectionModule(params, batch_size=1, input_image_size=size, input_type="tflite", model=same)
    function = module.inference_for_tflite.get_concrete_function(tf.TensorSpec([1, *size, 3], tf.float32, name="image"))
    # By way of a SavedModel: a concrete function would be inlined, and with it the mark that becomes the suppression.
    with tempfile.TemporaryDirectory() as folder:
        _save(function, same, folder)
        return bytes(export_tflite_lib.convert_tflite_model(saved_model_dir=folder, quant_type="fp16"))


def _save(function: Any, model: Any, folder: str) -> None:
    """Save one function with the variables it uses. Saving the Keras model would trace each layer: half a minute."""
    module = tf.Module()
    module.weights = model.variables
    module.serve = function
    tf.saved_model.save(module, folder, signatures=function)


def _tflite_params(experiment: Any) -> Any:
    params = copy.deepcopy(experiment)
    generator = params.task.model.detection_generator
    generator.nms_version = "tflite"
    generator.tflite_post_processing.max_detections = 100
    generator.tflite_post_processing.max_classes_per_detection = 1
    generator.tflite_post_processing.detections_per_class = 100
    generator.tflite_post_processing.use_regular_nms = True
    generator.tflite_post_processing.nms_score_threshold = generator.pre_nms_score_threshold
    generator.tflite_post_processing.nms_iou_threshold = generator.nms_iou_threshold
    return params


def _with_suppression_inside(model: Any, params: Any) -> Any:
    """The same layers as `model`, followed by TFLite's own non-maximum suppression."""
    options = params.task.model.detection_generator.tflite_post_processing.as_dict()
    options["input_image_size"] = params.task.model.input_size[:2]
    generator = MultilevelDetectionGenerator(nms_version="tflite", tflite_post_processing_config=options)
    return RetinaNetModel(**{**model.get_config(), "detection_generator": generator})


def _write_saved_model(model: Any, experiment: Any, folder: Path) -> None:
    """Signature: uint8 [1, height, width, 3] in; detection_boxes, _classes, _scores and num_detections out."""
    size = experiment.task.model.input_size[:2]
    module = DetectionModule(experiment, batch_size=1, input_image_size=size, model=model)
    picture = tf.TensorSpec([1, None, None, 3], tf.uint8, name="image")
    _save(module.inference_from_image_tensors.get_concrete_function(picture), model, str(folder))


def _write_description(folder: Path, config: RunConfig, manifest: Manifest, scores: Mapping[str, Any]) -> None:
    labels = [{"id": label.id, "name": label.name} for label in manifest.labels]
    description = {
        "name": f"{manifest.dataset.name} · {ARCHITECTURES[config.architecture].title}",
        "architecture": config.architecture,
        "format": "retinanet_tflite",
        "input_size": config.input_size,
        "labels": labels,
        # Two digits, rounded down: float16 moves scores a little. A run that an earlier version began has none.
        "threshold": math.floor((scores.get("threshold") or THRESHOLD) * 100) / 100,
        "metrics": {name: scores[name] for name in ("AP", "AP50", "AP75")},
    }
    text = json.dumps(description, indent=1, ensure_ascii=False)
    (folder / "detector.json").write_text(text, encoding="utf-8")
    (folder / "labels.txt").write_text("".join(f"{row['name']}\n" for row in labels), encoding="utf-8")
    (folder / "model_card.md").write_text(model_card(config, manifest, scores), encoding="utf-8")
