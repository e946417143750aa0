"""Run a detector folder's TFLite file on pictures, without TensorFlow.

Boxes come out in pixels of the oriented artwork. A folder holds detector.json and model.tflite; two formats are known:
`retinanet_tflite`, trained here, and `ssd_oid_tflite`, the OpenImages detector out of its package.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

from training.pipeline.translation import Phrase, gettext_noop

Floats = npt.NDArray[np.float32]
Key = int | str

_MEAN = np.array((0.485, 0.456, 0.406), np.float32) * 255
_STD = np.array((0.229, 0.224, 0.225), np.float32) * 255
_SSD_IOU = 0.5


class DetectorError(ValueError):
    """A detector folder that cannot be used; the message says why."""


@dataclass(frozen=True)
class Description:
    """detector.json: format, side in pixels of the square that the network sees, labels in order of its classes."""

    format: str
    input_size: int
    labels: tuple[Key, ...]


@dataclass(frozen=True)
class Found:
    """One box: label id of the detector, pixels of the artwork, and how sure it is (0…1)."""

    label: Key
    x: float
    y: float
    width: float
    height: float
    score: float


class Network(Protocol):
    """Looks at one picture: rows (top, left, bottom, right in 0…1 of it), class numbers from 0, and scores."""

    def __call__(self, picture: Image.Image, threshold: float) -> tuple[Floats, npt.NDArray[Any], Floats]: ...


def describe(folder: Path) -> Description:
    """Read `folder`/detector.json. Raises DetectorError."""
    try:
        data = json.loads((folder / "detector.json").read_text(encoding="utf-8"))
        labels = tuple(row["id"] for row in data["labels"])
        return Description(str(data["format"]), int(data["input_size"]), labels)
    except (OSError, ValueError, KeyError, TypeError) as error:
        text = gettext_noop("The detector in %(folder)s has no usable description: %(reason)s")
        raise DetectorError(Phrase(text, folder=folder.name, reason=str(error))) from None


class Detector:
    """A loaded detector. Not for use by two threads at once: each worker loads its own."""

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        """Load `folder`; one trained here always runs on one thread. Raises DetectorError."""
        self.description = describe(folder)
        networks: dict[str, Callable[[Interpreter, int], Network]] = {
            "retinanet_tflite": _RetinaNet,
            "ssd_oid_tflite": _OpenImagesSsd,
        }
        if self.description.format not in networks:
            text = gettext_noop("The detector format %(format)s is not known to this version.")
            raise DetectorError(Phrase(text, format=self.description.format))
        # TFLite's own suppression loses the boxes of whole classes when it is given more than one thread
        # (https://github.com/tensorflow/tensorflow/issues/56058).
        alone = self.description.format == "retinanet_tflite"
        try:
            interpreter = Interpreter(model_path=str(folder / "model.tflite"), num_threads=1 if alone else threads)
            interpreter.allocate_tensors()
        except (OSError, ValueError, RuntimeError) as error:
            text = gettext_noop("The detector in %(folder)s cannot be loaded: %(reason)s")
            raise DetectorError(Phrase(text, folder=folder.name, reason=str(error))) from None
        self._network: Network = networks[self.description.format](interpreter, self.description.input_size)

    def detect(self, picture: Image.Image, width: int, height: int, threshold: float) -> list[Found]:
        """Boxes with score ≥ `threshold` on an upright RGB `picture`, in pixels of a `width` × `height` artwork.

        Best first. Boxes are cut at the artwork's border; those of which less than a pixel is left are dropped.
        """
        boxes, classes, scores = self._network(picture, threshold)
        found = []
        for i in np.argsort(-scores):
            if scores[i] < threshold or not 0 <= classes[i] < len(self.description.labels):
                continue
            top, left, bottom, right = (min(1.0, max(0.0, float(side))) for side in boxes[i])
            x, y, w, h = left * width, top * height, (right - left) * width, (bottom - top) * height
            if w >= 1 and h >= 1:
                found.append(Found(self.description.labels[int(classes[i])], x, y, w, h, float(scores[i])))
        return found


class _RetinaNet:
    """A detector trained here: the picture in the upper left of a square, suppression inside the file."""

    def __init__(self, interpreter: Interpreter, size: int) -> None:
        self._interpreter, self._size = interpreter, size
        self._input = interpreter.get_input_details()[0]["index"]
        # In the order of their names: [1, n, 4] boxes, [1, n] classes, [1, n] scores, [1] number, all float32.
        self._outputs = [row["index"] for row in sorted(interpreter.get_output_details(), key=lambda row: row["name"])]

    def __call__(self, picture: Image.Image, threshold: float) -> tuple[Floats, npt.NDArray[Any], Floats]:
        scale = self._size / max(picture.size)
        width, height = (max(1, round(side * scale)) for side in picture.size)
        scaled = picture.resize((width, height), Image.Resampling.BILINEAR)
        square = np.zeros((1, self._size, self._size, 3), np.float32)
        square[0, :height, :width] = (np.asarray(scaled, np.float32) - _MEAN) / _STD
        self._interpreter.set_tensor(self._input, square)
        self._interpreter.invoke()
        # Class 0 is the background.
        boxes, classes, scores, number = (self._interpreter.get_tensor(index) for index in self._outputs)
        count = int(number[0])
        sides = np.array((height, width, height, width), np.float32)
        return boxes[0, :count] / sides, classes[0, :count].astype(int) - 1, scores[0, :count]


class _OpenImagesSsd:
    """SSD-MobileNetV2 300 × 300 out of MediaPipe: raw encodings, decoded against its anchors here."""

    def __init__(self, interpreter: Interpreter, size: int) -> None:
        self._interpreter, self._size = interpreter, size
        self._input = interpreter.get_input_details()[0]["index"]
        outputs = {row["name"]: row["index"] for row in interpreter.get_output_details()}
        self._boxes = outputs["raw_outputs/box_encodings"]
        self._classes = outputs["raw_outputs/class_predictions"]
        self._anchors = ssd_anchors(size)

    def __call__(self, picture: Image.Image, threshold: float) -> tuple[Floats, npt.NDArray[Any], Floats]:
        pixels = picture.resize((self._size, self._size), Image.Resampling.BILINEAR)
        self._interpreter.set_tensor(self._input, np.asarray(pixels, np.float32)[None] / 127.5 - 1)
        self._interpreter.invoke()
        logits = self._interpreter.get_tensor(self._classes)[0, :, 1:]
        scores = 1 / (1 + np.exp(-logits))
        boxes = decode_ssd(self._interpreter.get_tensor(self._boxes)[0], self._anchors)
        return suppress(boxes, scores, threshold, _SSD_IOU)


def ssd_anchors(size: int) -> Floats:
    """The SSD's anchors as rows (centre y, centre x, height, width) in 0…1; 1917 of them at size 300."""
    lowest, highest, strides = 0.2, 0.95, (16, 32, 64, 128, 256, 512)
    scales = [lowest + (highest - lowest) * i / (len(strides) - 1) for i in range(len(strides))] + [1.0]
    rows = []
    for level, stride in enumerate(strides):
        cells = math.ceil(size / stride)
        if level == 0:
            shapes = [(1.0, 0.1), (2.0, scales[0]), (0.5, scales[0])]
        else:
            shapes = [(ratio, scales[level]) for ratio in (1.0, 2.0, 0.5, 3.0, 1 / 3)]
            shapes.append((1.0, math.sqrt(scales[level] * scales[level + 1])))
        for y in range(cells):
            for x in range(cells):
                for ratio, scale in shapes:
                    root = math.sqrt(ratio)
                    rows.append(((y + 0.5) / cells, (x + 0.5) / cells, scale / root, scale * root))
    return np.array(rows, np.float32)


def decode_ssd(encodings: Floats, anchors: Floats) -> Floats:
    """Box encodings (rows: y, x, height, width) against anchors, as corners (top, left, bottom, right)."""
    centres = encodings[:, :2] / 10 * anchors[:, 2:] + anchors[:, :2]
    halves = np.exp(encodings[:, 2:] / 5) * anchors[:, 2:] / 2
    corners: Floats = np.concatenate([centres - halves, centres + halves], axis=1)
    return corners


def suppress(boxes: Floats, scores: Floats, threshold: float, iou: float) -> tuple[Floats, npt.NDArray[Any], Floats]:
    """Per class (column of `scores`): keep boxes ≥ `threshold` that no better one of it overlaps by over `iou`."""
    rows: list[int] = []
    columns: list[int] = []
    for column in range(scores.shape[1]):
        candidates = np.flatnonzero(scores[:, column] >= threshold)
        kept = _keep(boxes[candidates], scores[candidates, column], iou)
        rows += [int(candidates[i]) for i in kept]
        columns += [column] * len(kept)
    return boxes[rows], np.array(columns, int), scores[rows, columns]


def _keep(boxes: Floats, scores: Floats, iou: float) -> Sequence[int]:
    order = np.argsort(-scores)
    kept = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        order = rest[_overlap(boxes[best], boxes[rest]) <= iou]
    return kept


def _overlap(box: Floats, others: Floats) -> Floats:
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.clip(sides, 0, None).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
    union: Floats = shared / (areas - shared + 1e-9)
    return union
