"""A RetinaNet as one ONNX file, made out of its SavedModel. `python -m training.pipeline.onnx_file WORKDIR`.

A process of its own, when somebody asks for the file: a training has no time for it, and TensorFlow takes gigabytes.

WORKDIR/request.json: {"detector": FOLDER, "images": [{"file", "width", "height", "boxes": [{"label", "x", "y", "width",
"height"}]}]}, test artworks with what people drew on them, in pixels of the upright artwork, `width` × `height`; there
may be none. FOLDER gets model.onnx last of all, when what is told of it in detector.json and model_card.md is there.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.pipeline import checks, durable, events, supervision
from training.pipeline.annotations import Coco
from training.pipeline.architectures import ONNX
from training.pipeline.checks import Check
from training.pipeline.detectors import OUTPUTS, SAVED_MODEL
from training.pipeline.model_card import with_onnx
from training.pipeline.pixels import UnreadableImage, read_rgb
from training.pipeline.scores import Detection, score
from training.pipeline.supervision import EXIT_DONE, EXIT_FAILED, EXIT_STOPPED, Stop, Stopped
from training.pipeline.translation import Phrase, gettext_noop

# The newest one that tf2onnx 1.17 writes; ONNX Runtime reads it since 1.14 (2023).
OPSET = 18
# Large networks see a picture in seconds, and somebody is waiting.
_COMPARING_SECONDS = 60.0

Pixels = npt.NDArray[np.uint8]
# From one picture, uint8 [1, height, width, 3], to `OUTPUTS` by name: [1, n, 4], [1, n], [1, n], [1].
Look = Callable[[Pixels], Mapping[str, npt.NDArray[Any]]]


def make(request: Mapping[str, Any], workdir: Path, stop: Stop) -> Check:
    """Convert, compare and hand out (see the module); return how the file compares.

    Raises Stopped, and whatever TensorFlow, tf2onnx and ONNX Runtime raise where they cannot do it.
    """
    folder = Path(request["detector"])
    described = json.loads((folder / "detector.json").read_text(encoding="utf-8"))
    trained = saved_model(folder / SAVED_MODEL)
    file = workdir / ONNX
    file.write_bytes(convert(trained, described))
    stop.check()
    own = onnx_file(file)
    own(np.full((1, 3, 4, 3), 128, np.uint8))  # also where there is nothing to compare: it must run at all
    compared = _compare(request["images"], described, trained, own, stop)
    _tell(folder, described, compared)
    file.replace(folder / ONNX)
    return compared


def saved_model(folder: Path) -> Look:
    """A detector's SavedModel."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))

    def look(image: Any) -> dict[str, Any]:
        # The signature keeps nothing of the model alive by itself.
        found = loaded.signatures["serving_default"](image=image)
        return {name: found[name] for name in OUTPUTS}

    traced = tf.function(look, input_signature=[tf.TensorSpec([1, None, None, 3], tf.uint8, name="image")])
    return _Traced(traced)


class _Traced:
    """A function of TensorFlow that takes and gives numpy's arrays."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, picture: Pixels) -> dict[str, npt.NDArray[Any]]:
        return {name: value.numpy() for name, value in self.function(picture).items()}


def onnx_file(file: Path) -> Look:
    """An ONNX file, on the processor."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])

    def look(picture: Pixels) -> dict[str, npt.NDArray[Any]]:
        return dict(zip(OUTPUTS, session.run(list(OUTPUTS), {"image": picture}), strict=True))

    return look


def convert(trained: Any, described: Mapping[str, Any]) -> bytes:
    """What `saved_model` gives as an ONNX file: "image", uint8 [1, height, width, 3] in, `OUTPUTS` out in this order.

    Boxes are corners (top, left, bottom, right) in 0…1 of the picture. `described`, as in detector.json, goes along.
    """
    import onnx

    model = _converted(trained.function)
    for axis, name in ((1, "height"), (2, "width")):
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = name
    outputs = {output.name: output for output in model.graph.output}
    del model.graph.output[:]
    model.graph.output.extend(outputs[name] for name in OUTPUTS)
    _by_the_standard(model)
    onnx.helper.set_model_props(model, metadata(described))
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _converted(function: Any) -> Any:
    """An ONNX model of a function of TensorFlow.

    Lest an optimizer fails, tf2onnx gives each of a dozen a copy of the graph with all its weights: 10 GB for a
    ResNet-50. Most never fail, and without the copies it takes 6 GB and two thirds of the time. One fails at SpineNets.
    """
    import tf2onnx

    convert = partial(tf2onnx.convert.from_function, function, function.input_signature, opset=OPSET)
    os.environ["TF2ONNX_CATCH_ERRORS"] = "FALSE"
    with contextlib.suppress(Exception):  # of whatever kind an optimizer raises
        return convert()[0]
    gc.collect()  # graphs are circles of references
    # In 1.17 whatever is set there, "TRUE" too, means the same.
    del os.environ["TF2ONNX_CATCH_ERRORS"]
    return convert()[0]


def _by_the_standard(model: Any) -> None:
    """Say of each nearest-neighbour resize what it does as ONNX has said it since opset 13 (SpineNets have some).

    tf2onnx writes the older `tf_half_pixel_for_nn`, floor(y), which ONNX Runtime still knows; it is round(y - 1/2).
    """
    for node in model.graph.node:
        how = {attribute.name: attribute for attribute in node.attribute}
        mode = how.get("coordinate_transformation_mode")
        if mode and mode.s == b"tf_half_pixel_for_nn" and how["nearest_mode"].s == b"floor":
            mode.s, how["nearest_mode"].s = b"half_pixel", b"round_prefer_ceil"


def metadata(described: Mapping[str, Any]) -> dict[str, str]:
    """What an ONNX file says of itself; `labels` as in labels.txt: the first line is class 1."""
    return {
        "name": str(described["name"]),
        "labels": "\n".join(str(row["name"]) for row in described["labels"]),
        "input_size": str(described["input_size"]),
        "threshold": str(described.get("threshold") or ""),
        "boxes": "top, left, bottom, right; shares of the picture, 0 to 1",
        "made_with": "WebNet Trainer",
    }


def _compare(
    images: Sequence[Mapping[str, Any]], described: Mapping[str, Any], trained: Look, own: Look, stop: Stop
) -> Check:
    """AP of the SavedModel and of the file on the same pixels; pictures that cannot be read are left out."""
    truth: Coco = {"images": [], "annotations": [], "categories": _categories(described)}
    found: tuple[list[Detection], list[Detection]] = ([], [])
    deadline = time.monotonic() + _COMPARING_SECONDS
    for number, image in enumerate(images[: checks.MOST_PICTURES], start=1):
        stop.check()
        try:
            # As the model card asks for; TensorFlow looks at few pixels of larger ones.
            picture = read_rgb(Path(image["file"]), 2 * described["input_size"])
        except UnreadableImage:
            continue
        for rows, look in zip(found, (trained, own), strict=True):
            rows += _detections(look(np.asarray(picture)[None]), number, image)
        _add(truth, number, image)
        if time.monotonic() > deadline:
            break
    if not truth["images"]:
        return Check(AP=None, trained_AP=None, pictures=0)
    expected, got = (score(truth, rows)["AP"] for rows in found)
    return Check(AP=got, trained_AP=expected, pictures=len(truth["images"]))


def _detections(answer: Mapping[str, npt.NDArray[Any]], number: int, image: Mapping[str, Any]) -> list[Detection]:
    """What a network found as COCO results of image `number`, in pixels of the artwork, at whose border they end."""
    count, sides = int(answer["num_detections"][0]), (image["height"], image["width"])
    boxes = np.clip(answer["detection_boxes"][0, :count], 0, 1) * np.array((*sides, *sides))
    rows = zip(boxes, answer["detection_classes"][0], answer["detection_scores"][0], strict=False)
    return [
        {"image_id": number, "category_id": int(category), "score": float(value)}
        | {"bbox": [float(left), float(top), float(right - left), float(bottom - top)]}
        for (top, left, bottom, right), category, value in rows
    ]


def _categories(described: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = enumerate(described["labels"], start=1)
    return [{"id": number, "label": row["id"], "name": row["name"]} for number, row in rows]


def _add(truth: Coco, number: int, image: Mapping[str, Any]) -> None:
    """Add an artwork with its boxes to `truth`."""
    classes = {row["label"]: row["id"] for row in truth["categories"]}
    truth["images"].append({"id": number, "width": image["width"], "height": image["height"]})
    for box in image["boxes"]:
        row = {"id": len(truth["annotations"]) + 1, "image_id": number, "category_id": classes[box["label"]]}
        bbox = [box[side] for side in ("x", "y", "width", "height")]
        truth["annotations"].append({**row, "bbox": bbox, "area": bbox[2] * bbox[3], "iscrowd": 0})


def _tell(folder: Path, described: Mapping[str, Any], compared: Check) -> None:
    """Add the comparison to detector.json and to the model card, each whole or not at all."""
    told = {**described, "checks": {**described.get("checks", {}), ONNX: compared.as_dict()}}
    durable.write(folder / "detector.json", json.dumps(told, indent=1, ensure_ascii=False))
    card = folder / "model_card.md"
    if card.is_file():
        text = card.read_text(encoding="utf-8")
        durable.write(card, with_onnx(text, compared, int(described["input_size"])))


def main() -> int:
    """Parse the command line, make the file, return the exit code (as `python -m training.pipeline`)."""
    parser = argparse.ArgumentParser(prog="python -m training.pipeline.onnx_file", description="Make an ONNX file.")
    parser.add_argument("workdir", type=Path)
    parser.add_argument("--supervised", action="store_true", help="JSON events on stdout; stop at the end of stdin")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    workdir, supervised = options.workdir, options.supervised
    on_event = supervision.events_to_stdout(workdir / "onnx.log") if supervised else supervision.for_people(sys.stdout)
    stop = Stop()
    supervision.listen_for_stop(stop, lifeline=supervised)
    try:
        make(json.loads((workdir / "request.json").read_text(encoding="utf-8")), workdir, stop)
    except Stopped:
        return EXIT_STOPPED
    except Exception as error:  # whatever three libraries raise is told to whoever waits
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        text = gettext_noop("The ONNX file could not be made: %(reason)s")
        on_event(events.error(Phrase(text, reason=reason), traceback.format_exc()))
        return EXIT_FAILED
    return EXIT_DONE


if __name__ == "__main__":
    supervision.leave(main())
