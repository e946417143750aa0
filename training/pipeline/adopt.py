"""Make a detector like our own out of a checkpoint that the Model Garden publishes.

Its 91 classes become the 80 that COCO has, its weights a checkpoint that a training can go on from, and the whole a
TFLite file. Nothing of a checkpoint is run: it holds numbers.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import tensorflow as tf

from training.pipeline import config, configure, tflite, transfer
from training.pipeline.catalogue import COCO_LABELS
from training.pipeline.detectors import DetectorError
from training.pipeline.outside import GARDEN
from training.pipeline.translation import Phrase, gettext_noop

# Model Garden counts the numbers of COCO, with their gaps.
_GARDEN_CLASSES = 90


def adopt(folder: Path) -> None:
    """Turn `folder`, as `outside.lay_out_checkpoint` left it, into that of a detector. Raises DetectorError."""
    path = folder / "detector.json"
    description = json.loads(path.read_text(encoding="utf-8"))
    plan = config.plan(architecture=description["architecture"], budget="quick", augmentation="none", seed=0)
    garden = transfer.blank(plan, classes=_GARDEN_CLASSES)
    checkpoint = tf.train.Checkpoint(**garden.checkpoint_items)
    try:
        checkpoint.read(str(folder / GARDEN / GARDEN)).expect_partial().assert_existing_objects_matched()
    except (AssertionError, ValueError, tf.errors.OpError) as error:
        text = gettext_noop("The checkpoint is not one of %(architecture)s as this version builds it.")
        raise DetectorError(Phrase(text, architecture=description["name"])) from error
    model = transfer.blank(plan, classes=len(COCO_LABELS))
    transfer.copy(garden, model, _GARDEN_CLASSES, [number for number, _name in COCO_LABELS])
    transfer.keep(model, folder)
    experiment = configure.build(plan, classes=len(COCO_LABELS), workdir=folder)
    (folder / tflite.FLOAT16).write_bytes(tflite.float16(model, experiment))
    description["format"] = "retinanet_tflite"
    path.write_text(json.dumps(description, indent=1), encoding="utf-8")
    shutil.rmtree(folder / GARDEN)
