"""The TFLite files of a detector, for WebNet itself, phones and small computers.

model.tflite keeps its weights as float16 and computes in float32. model_int8.tflite computes with whole numbers of 8
bits, which phones do faster; their ranges are taken from pictures of the training part. Only the last layers compute in
float32: places and scores of 8 bits alone cost accuracy. (Of a Faster R-CNN only the weights are 8 bits: its places
in a picture need more all the way.) Both have the same input and the same outputs, end with the non-maximum
suppression, and carry labels.txt and detector.json.
"""

from __future__ import annotations

import copy
import io
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from official.vision.modeling.layers.detection_generator import MultilevelDetectionGenerator
from official.vision.modeling.retinanet_model import RetinaNetModel
from official.vision.serving.detection import DetectionModule
from tensorflow.lite.python.convert import mlir_quantize

from training.pipeline import faster_rcnn, graphs, tfrecord

FLOAT16, INT8 = "model.tflite", "model_int8.tflite"
# Each costs a fifth of a second on two cores; a hundred gave no better scores.
CALIBRATION_PICTURES = 24
# The earliest date that a ZIP knows: equal contents make equal files.
_NO_DATE = (1980, 1, 1, 0, 0, 0)

Pictures = Callable[[], Iterator[list[Any]]]


def convert(model: Any, experiment: Any, pictures: Pictures) -> dict[str, bytes]:
    """Both files of a trained Model Garden `model`, by name.

    They take "image", float32 [1, size, size, 3], normalised as in training, and give "detection_boxes" [1, 100, 4]
    in pixels of that square (top, left, bottom, right), "detection_classes" [1, 100] (the background is 0),
    "detection_scores" [1, 100] and "num_detections" [1], all float32. `pictures` gives inputs to calibrate with.
    """
    with _converter(model, experiment) as converter:
        whole = _weights_of_8_bits(converter) if faster_rcnn.is_one(experiment) else _int8(converter, pictures, model)
        return {FLOAT16: _float16(converter), INT8: whole}


def float16(model: Any, experiment: Any) -> bytes:
    """The first of the two files that `convert` makes."""
    with _converter(model, experiment) as converter:
        return _float16(converter)


@contextmanager
def _converter(model: Any, experiment: Any) -> Iterator[Any]:
    """What makes TFLite files of `model`, until the end of the block; one for all, since reading takes seconds."""
    function = (faster_rcnn.serving if faster_rcnn.is_one(experiment) else _serving)(model, experiment)
    # By way of a SavedModel: a concrete function would be inlined, and with it the mark that becomes the suppression.
    with tempfile.TemporaryDirectory() as folder:
        save_function(function, model, folder)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        yield converter


def _serving(model: Any, experiment: Any) -> Any:
    """A concrete function that detects on one picture with a RetinaNet and TFLite's own suppression."""
    size = experiment.task.model.input_size[:2]
    params = _params(experiment)
    same = _with_suppression_inside(model, params)
    module = DetectionModule(params, batch_size=1, input_image_size=size, input_type="tflite", model=same)
    return graphs.graph(module.serve).get_concrete_function(tf.TensorSpec([1, *size, 3], tf.float32, name="image"))


def training_pictures(task: Any, experiment: Any, workdir: Path) -> Pictures:
    """Pictures of the run's training records as the network sees them when it is used: not zoomed, not mirrored."""
    data = copy.deepcopy(experiment.task.validation_data)
    data.input_path = tfrecord.pattern(workdir, "train")
    data.global_batch_size = 1

    def pictures() -> Iterator[list[Any]]:
        for picture, _labels in graphs.inputs(task, data).take(CALIBRATION_PICTURES):
            yield [picture]

    return pictures


def pack(model: bytes, files: Mapping[str, str]) -> bytes:
    """`model` with text files appended as a ZIP, where Android's MetadataExtractor and any unzip find them.

    Interpreters do not look behind the model's own end. Stored as they are: the extractor cannot decompress.
    """
    buffer = io.BytesIO(model)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, _NO_DATE), text)
    return buffer.getvalue()


def save_function(function: Any, model: Any, folder: str) -> None:
    """Save one function with the variables it uses. Saving the Keras model would trace each layer: half a minute."""
    module = tf.Module()
    module.weights = model.variables
    module.serve = function
    tf.saved_model.save(module, folder, signatures=function)


def _float16(converter: Any) -> bytes:
    converter.representative_dataset, converter.target_spec.supported_types = None, {tf.float16}
    return bytes(converter.convert())


def _weights_of_8_bits(converter: Any) -> bytes:
    converter.representative_dataset, converter.target_spec.supported_types = None, set()
    return bytes(converter.convert())


def _int8(converter: Any, pictures: Pictures, model: Any) -> bytes:
    """The network in whole numbers; its head and the suppression, input and outputs stay float32."""
    converter.representative_dataset, converter.target_spec.supported_types = pictures, set()
    # The converter's own quantization would take the head as well.
    converter._experimental_calibrate_only = True
    calibrated = bytes(converter.convert())
    converter._experimental_calibrate_only = False
    return bytes(mlir_quantize(calibrated, denylisted_nodes=_at_the_end(calibrated, model.head.name)))


def _at_the_end(file: bytes, head: str) -> list[str]:
    """Names of what the layer `head` computes, and of all that is made of it.

    Raises RuntimeError where there is nothing: then names are made in another way than here.
    """
    interpreter = Interpreter(model_content=file)
    names = {row["index"]: row["name"] for row in interpreter.get_tensor_details()}
    found: set[int] = set()
    for operation in interpreter._get_ops_details():  # in the order in which they run
        outputs = [int(index) for index in operation["outputs"]]
        if any(head in names[index] for index in outputs) or not found.isdisjoint(operation["inputs"].tolist()):
            found.update(outputs)
    if not found:
        raise RuntimeError(f"No operation of the file is part of “{head}”.")
    return [names[index] for index in sorted(found)]


def _params(experiment: Any) -> Any:
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
