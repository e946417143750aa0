"""Stage 8, export: the folder of a finished detector, WORKDIR/detector/.

model.tflite (float16, with its non-maximum suppression) is what WebNet runs, since it is tens of times faster on a
processor; model_int8.tflite is for phones; saved_model/ is for graphics cards and for other programs. Both TFLite files
are compared with the trained network before they are handed out. labels.txt, detector.json, config.yaml and
model_card.md say what they are; checkpoint/ holds the weights that a later training can go on from, and tested/ all
detections on the test part, for a comparison with a later detector.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import tensorflow as tf
import yaml
from official.vision.serving.detection import DetectionModule

from training.pipeline import checks, compare, evaluate, faster_rcnn, graphs, tflite, transfer
from training.pipeline.annotations import coco_path, load
from training.pipeline.architectures import ARCHITECTURES, FORMATS
from training.pipeline.checks import Check
from training.pipeline.config import RunConfig
from training.pipeline.evaluate import Evaluator
from training.pipeline.manifest import Manifest
from training.pipeline.model_card import model_card
from training.pipeline.report import usable_threshold, usable_thresholds
from training.pipeline.train import Trainer

FOLDER = "detector"

Checks = Mapping[str, Check]


def export(
    trainer: Trainer, evaluator: Evaluator, manifest: Manifest, scores: Mapping[str, Any], workdir: Path
) -> tuple[Path, Checks]:
    """Write WORKDIR/detector/, whole or not at all; return it and how its TFLite files compare, by name.

    `scores`: as in evaluation.json. Needs the records and the detections that the earlier stages left in `workdir`.
    """
    partial = workdir / f"{FOLDER}.part"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    _write_saved_model(trainer.model, trainer.experiment, partial / "saved_model")
    pictures = tflite.training_pictures(trainer.task, trainer.experiment, workdir)
    models = tflite.convert(trainer.model, trainer.experiment, pictures)
    compared = _compare(evaluator, models, workdir, trainer.config.batch_size)
    transfer.keep(trainer.model, partial)
    done = replace(trainer.config, steps=int(trainer.step.numpy()))
    _write_description(partial, done, manifest, scores, compared)
    inside = {name: (partial / name).read_text(encoding="utf-8") for name in ("labels.txt", "detector.json")}
    for name, model in models.items():
        (partial / name).write_bytes(tflite.pack(model, inside))
    shutil.copy(workdir / evaluate.FILE_NAME, partial)
    compare.keep(load(coco_path(workdir, "test")), evaluate.load_detections(workdir), partial)
    (partial / "config.yaml").write_text(yaml.safe_dump(trainer.experiment.as_dict()), encoding="utf-8")
    final = workdir / FOLDER
    shutil.rmtree(final, ignore_errors=True)
    partial.rename(final)
    return final, compared


def _compare(evaluator: Evaluator, models: Mapping[str, bytes], workdir: Path, batch_size: int) -> Checks:
    truth, trained = load(coco_path(workdir, "test")), evaluate.load_detections(workdir)
    return {name: checks.check(evaluator, truth, trained, model, batch_size) for name, model in models.items()}


def _write_saved_model(model: Any, experiment: Any, folder: Path) -> None:
    """Signature: uint8 [1, height, width, 3] in; detection_boxes, _classes, _scores and num_detections out.

    A RetinaNet gives its boxes as the Object Detection API does, in 0…1 of the picture. Model Garden's Faster R-CNN
    cannot: they are in pixels of the square that it sees.
    """
    experiment = copy.deepcopy(experiment)
    if not faster_rcnn.is_one(experiment):
        experiment.task.export_config.output_normalized_coordinates = True
    size = experiment.task.model.input_size[:2]
    module = DetectionModule(experiment, batch_size=1, input_image_size=size, model=model)
    picture = tf.TensorSpec([1, None, None, 3], tf.uint8, name="image")
    tflite.save_function(graphs.graph(module.serve).get_concrete_function(picture), model, str(folder))


def _metrics(scores: Mapping[str, Any]) -> dict[str, Any]:
    """What lists of detectors show; `simulated_concepts` where there are any that were tested on no real artwork."""
    simulated = sum(bool(row.get("simulated")) for row in scores["per_label"])
    told = {name: scores[name] for name in ("AP", "AP50", "AP75")}
    return told | ({"simulated_concepts": simulated} if simulated else {})


def _write_description(
    folder: Path, config: RunConfig, manifest: Manifest, scores: Mapping[str, Any], compared: Checks
) -> None:
    best = usable_thresholds(scores)
    labels = [
        {"id": label.id, "name": label.name} | ({"threshold": best[label.id]} if label.id in best else {})
        for label in manifest.labels
    ]
    architecture = ARCHITECTURES[config.architecture]
    description = {
        "name": f"{manifest.dataset.name} · {architecture.title}",
        "architecture": config.architecture,
        "format": FORMATS[architecture.looks],
        "input_size": config.input_size,
        "labels": labels,
        "threshold": usable_threshold(scores),
        "metrics": _metrics(scores),
        "checks": {name: check.as_dict() for name, check in compared.items()},
    }
    text = json.dumps(description, indent=1, ensure_ascii=False)
    (folder / "detector.json").write_text(text, encoding="utf-8")
    (folder / "labels.txt").write_text("".join(f"{row['name']}\n" for row in labels), encoding="utf-8")
    (folder / "model_card.md").write_text(model_card(config, manifest, scores, compared), encoding="utf-8")
