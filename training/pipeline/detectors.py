"""Run a detector folder's model on pictures: a TFLite file without TensorFlow, a SavedModel with it.

Boxes come out in pixels of the oriented artwork. A folder holds detector.json and its model; the formats are:
`retinanet_tflite` and `faster_rcnn_tflite` (model.tflite), trained here; `ssd_oid_tflite` (model.tflite), the
OpenImages detector out of its package; `tflite_detection` (model.tflite), any that ends with its own suppression;
`saved_model` (a folder so called), as the TensorFlow Object Detection API exports it.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

from training.pipeline.architectures import FORMATS
from training.pipeline.translation import Phrase, gettext_noop

Floats = npt.NDArray[np.float32]
Key = int | str

_MEAN = np.array((0.485, 0.456, 0.406), np.float32) * 255
_STD = np.array((0.229, 0.224, 0.225), np.float32) * 255
_SSD_IOU = 0.5
# Of a strip, the longer side is never read at more than so many times what the network sees.
_MOST_STRETCHED = 4

# TFLite's own suppression: boxes, classes, scores and their number, in this order.
_POST_PROCESS = "TFLite_Detection_PostProcess"
SAVED_MODEL = "saved_model"
TFLITE_DETECTION = "tflite_detection"
# What these two answer with.
OUTPUTS = ("detection_boxes", "detection_classes", "detection_scores", "num_detections")


class DetectorError(ValueError):
    """A detector folder that cannot be used; the message says why."""


@dataclass(frozen=True)
class Description:
    """detector.json: format, side in pixels of the square that the network sees, labels in order of its classes.

    `outputs`: of a `tflite_detection`, the place of each of OUTPUTS among what it gives; () where that is not known.
    """

    format: str
    input_size: int
    labels: tuple[Key, ...]
    outputs: tuple[int, ...] = ()


@dataclass(frozen=True)
class Found:
    """One box: label id of the detector, pixels of the artwork, and how sure it is (0…1)."""

    label: Key
    x: float
    y: float
    width: float
    height: float
    score: float


NOT_SHARES = gettext_noop("The detector cannot be used: its boxes do not lie in 0…1 of the picture.")


def are_pixels(boxes: Floats) -> bool:
    """Whether corners that should lie in 0…1 are pixels: they may stick out a little, and pixels are far beyond."""
    return bool(len(boxes) and np.abs(boxes).max() > 2)


class Network(Protocol):
    """Looks at one picture: rows (top, left, bottom, right in 0…1 of it), class numbers from 0, and scores."""

    def __call__(self, picture: Image.Image, threshold: float) -> tuple[Floats, npt.NDArray[Any], Floats]: ...


def describe(folder: Path) -> Description:
    """Read `folder`/detector.json. Raises DetectorError."""
    try:
        data = json.loads((folder / "detector.json").read_text(encoding="utf-8"))
        labels = tuple(row["id"] for row in data["labels"])
        outputs = tuple(int(place) for place in data.get("outputs", ()))
        return Description(str(data["format"]), int(data["input_size"]), labels, outputs)
    except (OSError, ValueError, KeyError, TypeError) as error:
        text = gettext_noop("The detector in %(folder)s has no usable description: %(reason)s")
        raise DetectorError(Phrase(text, folder=folder.name, reason=str(error))) from None


class Detector:
    """A loaded detector. Not for use by two threads at once, unless it `can_be_shared`: each worker loads its own."""

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        """Load `folder`; one trained here always runs on one thread. Raises DetectorError."""
        self.description = describe(folder)
        # TensorFlow has threads of its own and takes calls from any of ours; a second model would only take memory.
        self.can_be_shared = self.description.format == SAVED_MODEL
        try:
            self.network = _network(folder, self.description, threads)
        except (OSError, ValueError, RuntimeError) as error:
            if isinstance(error, DetectorError):
                raise
            text = gettext_noop("The detector in %(folder)s cannot be loaded: %(reason)s")
            raise DetectorError(Phrase(text, folder=folder.name, reason=str(error))) from None

    def longest(self, width: int, height: int) -> int:
        """The longer side, in pixels, beyond which the network sees no more of a `width` × `height` picture."""
        size = self.description.input_size
        if self.description.format in FORMATS.values():
            return size
        # The others see it stretched to a square.
        return math.ceil(size * min(_MOST_STRETCHED, max(width, height) / min(width, height)))

    def look(self, picture: Image.Image, threshold: float = 0.0) -> tuple[Floats, npt.NDArray[Any], Floats]:
        """What the network itself says of a picture (see `Network`)."""
        return self.network(picture, threshold)

    def detect(self, picture: Image.Image, width: int, height: int, threshold: float) -> list[Found]:
        """Boxes with score ≥ `threshold` on an upright RGB `picture`, in pixels of a `width` × `height` artwork.

        Best first. Boxes are cut at the artwork's border; those of which less than a pixel is left are dropped.
        """
        boxes, classes, scores = self.look(picture, threshold)
        found = []
        for i in np.argsort(-scores):
            if scores[i] < threshold or not 0 <= classes[i] < len(self.description.labels):
                continue
            top, left, bottom, right = (min(1.0, max(0.0, float(side))) for side in boxes[i])
            x, y, w, h = left * width, top * height, (right - left) * width, (bottom - top) * height
            if w >= 1 and h >= 1:
                found.append(Found(self.description.labels[int(classes[i])], x, y, w, h, float(scores[i])))
        return found


def _network(folder: Path, description: Description, threads: int) -> Network:
    """The network of a folder. Raises DetectorError for a format that nobody knows, and what its libraries raise."""
    if description.format == SAVED_MODEL:
        return _SavedModel(folder / SAVED_MODEL, description)
    networks: dict[str, Callable[[Interpreter, Description], Network]] = {
        **dict.fromkeys(FORMATS.values(), _TrainedHere),
        "ssd_oid_tflite": _OpenImagesSsd,
        TFLITE_DETECTION: _TfliteDetection,
    }
    if description.format not in networks:
        text = gettext_noop("The detector format %(format)s is not known to this version.")
        raise DetectorError(Phrase(text, format=description.format))
    # TFLite's own suppression loses the boxes of whole classes when it is given more than one thread
    # (https://github.com/tensorflow/tensorflow/issues/56058).
    alone = description.format != "ssd_oid_tflite"
    interpreter = Interpreter(model_path=str(folder / "model.tflite"), num_threads=1 if alone else threads)
    interpreter.allocate_tensors()
    return networks[description.format](interpreter, description)


class _TrainedHere:
    """A detector trained here: the picture in the upper left of a square, suppression inside the file."""

    def __init__(self, interpreter: Interpreter, description: Description) -> None:
        (entry, *_others) = interpreter.get_input_details()
        self._interpreter, self._input, self._size = interpreter, entry["index"], int(entry["shape"][1])
        self.size = (self._size, self._size)
        # As large as the square: numpy is many times slower where it repeats three numbers for each pixel.
        self._mean, self._std = (np.tile(values, (self._size, self._size, 1)) for values in (_MEAN, _STD))
        # In the order of their names: [1, n, 4] boxes, [1, n] classes, [1, n] scores, [1] number, all float32.
        self._outputs = [row["index"] for row in sorted(interpreter.get_output_details(), key=lambda row: row["name"])]

    def __call__(self, picture: Image.Image, threshold: float) -> tuple[Floats, npt.NDArray[Any], Floats]:
        scale = self._size / max(picture.size)
        width, height = (max(1, round(side * scale)) for side in picture.size)
        scaled = picture.resize((width, height), Image.Resampling.BILINEAR)
        square = np.zeros((1, self._size, self._size, 3), np.float32)
        seen = square[0, :height, :width]
        np.subtract(np.asarray(scaled), self._mean[:height, :width], out=seen)
        np.divide(seen, self._std[:height, :width], out=seen)
        self._interpreter.set_tensor(self._input, square)
        self._interpreter.invoke()
        # Class 0 is the background.
        boxes, classes, scores, number = (self._interpreter.get_tensor(index) for index in self._outputs)
        count = int(number[0])
        sides = np.array((height, width, height, width), np.float32)
        return boxes[0, :count] / sides, classes[0, :count].astype(int) - 1, scores[0, :count]


class _OpenImagesSsd:
    """SSD-MobileNetV2 300 × 300 out of MediaPipe: raw encodings, decoded against its anchors here."""

    def __init__(self, interpreter: Interpreter, description: Description) -> None:
        self._interpreter, self._size = interpreter, description.input_size
        self._input = interpreter.get_input_details()[0]["index"]
        outputs = {row["name"]: row["index"] for row in interpreter.get_output_details()}
        self._boxes = outputs["raw_outputs/box_encodings"]
        self._classes = outputs["raw_outputs/class_predictions"]
        self._anchors = ssd_anchors(self._size)

    def __call__(self, picture: Image.Image, threshold: float) -> tuple[Floats, npt.NDArray[Any], Floats]:
        pixels = picture.resize((self._size, self._size), Image.Resampling.BILINEAR)
        self._interpreter.set_tensor(self._input, np.asarray(pixels, np.float32)[None] / 127.5 - 1)
        self._interpreter.invoke()
        logits = self._interpreter.get_tensor(self._classes)[0, :, 1:]
        scores = 1 / (1 + np.exp(-logits))
        boxes = decode_ssd(self._interpreter.get_tensor(self._boxes)[0], self._anchors)
        return suppress(boxes, scores, threshold, _SSD_IOU)


class _TfliteDetection:
    """A TFLite file with a suppression of its own: [1, height, width, 3] in, OUTPUTS out, classes from 0.

    Colours go in as they are where it takes uint8, in -1…1 where it takes float32. Boxes are corners in 0…1 (top, left,
    bottom, right).
    """

    def __init__(self, interpreter: Interpreter, description: Description) -> None:
        self._interpreter = interpreter
        (entry, *others), outputs = interpreter.get_input_details(), interpreter.get_output_details()
        self._input, self._type = entry["index"], entry["dtype"]
        fits = len(entry["shape"]) == 4 and entry["shape"][0] == 1 and entry["shape"][3] == 3
        if others or not fits or self._type not in (np.uint8, np.float32):
            text = gettext_noop("The TFLite file does not take one picture as uint8 or float32 [1, height, width, 3].")
            raise DetectorError(Phrase(text))
        self.size = (int(entry["shape"][2]), int(entry["shape"][1]))
        self.indices = [row["index"] for row in outputs]
        self.outputs = description.outputs or self._named()

    def _named(self) -> tuple[int, ...]:
        """The place of each of OUTPUTS among what it gives where TFLite's own suppression gives it, else ()."""
        last = [op["outputs"] for op in self._interpreter._get_ops_details() if op["op_name"] == _POST_PROCESS]
        known = [int(index) for index in last[0]] if len(last) == 1 else []
        fits = len(self.indices) == len(OUTPUTS) and set(known) == set(self.indices)
        return tuple(map(self.indices.index, known)) if fits else ()

    def answers(self, picture: Image.Image) -> list[Floats]:
        """Everything that the file gives for a picture, in its own order."""
        pixels = np.asarray(picture.resize(self.size, Image.Resampling.BILINEAR))[None]
        colours = pixels if self._type is np.uint8 else pixels.astype(np.float32) / 127.5 - 1
        self._interpreter.set_tensor(self._input, colours)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self.indices]

    def __call__(self, picture: Image.Image, threshold: float) -> tuple[Floats, npt.NDArray[Any], Floats]:
        answers = self.answers(picture)
        self.outputs = self.outputs or places_of(answers)
        boxes, classes, scores, number = (answers[place] for place in self.outputs)
        count = int(number.reshape(-1)[0])
        return boxes[0, :count], classes[0, :count].round().astype(int), scores[0, :count]


def places_of(answers: Sequence[Floats]) -> tuple[int, ...]:
    """The place of each of OUTPUTS among `answers`, which every converter orders in its own way. Raises DetectorError.

    Boxes and the number have their shapes; of the other two, classes are whole numbers and scores are not.
    """
    shapes = [answer.shape for answer in answers]
    boxes = [place for place, shape in enumerate(shapes) if len(shape) == 3 and shape[0] == 1 and shape[2] == 4]
    rows = [place for place, shape in enumerate(shapes) if len(shape) == 2 and shape[0] == 1 and shape[1] > 1]
    numbers = [place for place, shape in enumerate(shapes) if math.prod(shape) == 1]
    whole = [place for place in rows if (answers[place] == answers[place].round()).all()]
    fits = (len(answers), len(boxes), len(rows), len(numbers)) == (4, 1, 2, 1)
    if fits and len(whole) == 2:
        text = gettext_noop(
            "The TFLite file found nothing on a grey picture, so nobody can tell its classes from its scores. Convert"
            " it with TFLite's own suppression (TFLite_Detection_PostProcess), or without a threshold."
        )
        raise DetectorError(Phrase(text))
    if not fits or not whole:
        text = gettext_noop("The TFLite file must give boxes, classes, scores and the number of these.")
        raise DetectorError(Phrase(text))
    scores = [place for place in rows if place not in whole]
    return boxes[0], whole[0], scores[0], numbers[0]


class _SavedModel:
    """A SavedModel of the Object Detection API: uint8 [1, height, width, 3] in, OUTPUTS out.

    Boxes are corners (top, left, bottom, right) in 0…1, classes have the labels' own numbers. It resizes by itself,
    unless its signature names a size.
    """

    def __init__(self, folder: Path, description: Description) -> None:
        # Its remarks on processors and GPUs are for nobody here.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        # Here, for it costs seconds and gigabytes that no other format needs.
        import tensorflow as tf

        self._tensor = tf.constant
        # The signature keeps nothing of the model alive by itself.
        self._model = tf.saved_model.load(str(folder))
        if "serving_default" not in self._model.signatures:
            raise DetectorError(Phrase(gettext_noop("The SavedModel has no signature “serving_default”.")))
        self._function = self._model.signatures["serving_default"]
        (self._input, spec), *others = self._function.structured_input_signature[1].items()
        if others or spec.dtype != tf.uint8 or spec.shape.rank != 4 or spec.shape[3] not in (3, None):
            text = gettext_noop("The SavedModel does not take one picture as uint8 [1, height, width, 3].")
            raise DetectorError(Phrase(text))
        missing = [name for name in OUTPUTS if name not in self._function.structured_outputs]
        if missing:
            text = gettext_noop("The SavedModel does not give %(names)s.")
            raise DetectorError(Phrase(text, names=", ".join(missing)))
        self._fixed = spec.shape[1:3].as_list()
        self.size = (self._fixed[1], self._fixed[0])
        # COCO's numbers have gaps (-1), and a model must not name classes beyond the last label.
        last = max(int(label) for label in description.labels)
        self._places = dict.fromkeys(range(last + 1), -1)
        self._places |= {int(label): place for place, label in enumerate(description.labels)}

    def __call__(self, picture: Image.Image, threshold: float) -> tuple[Floats, npt.NDArray[Any], Floats]:
        height, width = self._fixed
        pixels = picture.resize((width or picture.width, height or picture.height), Image.Resampling.BILINEAR)
        answer = self._function(**{self._input: self._tensor(np.asarray(pixels, np.uint8)[None])})
        boxes, classes, scores, number = (answer[name].numpy() for name in OUTPUTS)
        count = int(number.reshape(-1)[0])
        places = [self._places.get(int(one), len(self._places)) for one in classes[0, :count]]
        # One that saw nothing on the picture that it was tried on could not be told from others before.
        if are_pixels(boxes[0, :count]):
            raise DetectorError(Phrase(NOT_SHARES))
        return boxes[0, :count], np.array(places, int), scores[0, :count]


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
