"""Looking at pictures in more than one way with what a training has made: its network, and its ONNX file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.pipeline.processes import Event, finish, start


def sure(found: dict[int, Any]) -> list[Any]:
    """The boxes of all pictures that are no guesses."""
    return [row for rows in found.values() for row in rows if row["score"] >= 0.3]


def unsuppressed(model: Any) -> Any:
    """The trained network, as the evaluator looks through it, without suppression: its thousand best boxes."""
    import tensorflow as tf
    from official.vision.modeling.layers.detection_generator import MultilevelDetectionGenerator
    from official.vision.modeling.retinanet_model import RetinaNetModel

    generator = MultilevelDetectionGenerator(apply_nms=False)
    same = RetinaNetModel(**{**model.get_config(), "detection_generator": generator})

    def look(pictures: Any, labels: Any) -> dict[str, Any]:
        shape, anchors = labels["image_info"][:, 1, :], labels["anchor_boxes"]
        seen = same(pictures, image_shape=shape, anchor_boxes=anchors, training=False)
        boxes, scores = seen["decoded_boxes"][:, :, 0], seen["decoded_box_scores"]
        best = tf.math.top_k(tf.reshape(scores, [len(scores), -1]), 1000)
        return {
            "detection_boxes": tf.gather(boxes, best.indices // scores.shape[2], batch_dims=1),
            "detection_classes": best.indices % scores.shape[2] + 1,
            "detection_scores": best.values,
            "num_detections": np.full(len(scores), 1000),
        }

    return look


def make_onnx(detector: Path, work: Path, run: Path) -> tuple[int, list[Event]]:
    """Have the ONNX file of a detector's folder made as a worker does, compared on the test pictures of a `run`."""
    work.mkdir()
    rows = json.loads((run / "manifest.json").read_text())["artworks"]
    tested = [{**row, "file": str(run / row["file"])} for row in rows if row["split"] == "test"]
    (work / "request.json").write_text(json.dumps({"detector": str(detector), "images": tested}))
    return finish(start("training.pipeline.onnx_file", work))


def are_alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two answers are the same to three digits. Boxes with a low score may have changed places."""
    sure = other["detection_scores"][0] > 0.1
    places, classes = (
        [answer[name][0][sure] for answer in (one, other)] for name in ("detection_boxes", "detection_classes")
    )
    return bool(
        (one["num_detections"] == other["num_detections"]).all()
        and np.abs(one["detection_scores"] - other["detection_scores"]).max() < 1e-3
        and np.abs(places[0] - places[1]).max(initial=0) < 1e-3
        and (classes[0] == classes[1]).all()
    )


def onnx_answers(file: Path, pictures: list[Path]) -> list[dict[str, Any]]:
    """What ONNX Runtime gives for each picture, by the names of the outputs."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    names = [row.name for row in session.get_outputs()]
    images = [np.asarray(Image.open(path).convert("RGB"))[None] for path in pictures]
    return [dict(zip(names, session.run(None, {"image": image}), strict=True)) for image in images]


def onnx_metadata(file: Path) -> dict[str, str]:
    """What an ONNX file says of itself."""
    import onnxruntime

    return dict(onnxruntime.InferenceSession(str(file)).get_modelmeta().custom_metadata_map)


def saved_model_answers(folder: Path, pictures: list[Path]) -> list[dict[str, Any]]:
    """The same of a SavedModel."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))
    images = [np.asarray(Image.open(path).convert("RGB"))[None] for path in pictures]
    answers = [loaded.signatures["serving_default"](image=tf.constant(image)) for image in images]
    return [{name: value.numpy() for name, value in answer.items()} for answer in answers]


def as_coco(found: list[Any], image: int) -> list[dict[str, Any]]:
    """What a detector has found on an image as COCO results."""
    return [
        {"image_id": image, "category_id": int(box.label), "score": box.score}
        | {"bbox": [box.x, box.y, box.width, box.height]}
        for box in found
    ]


def printed(folder: Path, picture: Path, number: int) -> list[list[str]]:
    """What the card's Python program of that number prints about `picture`, run beside the files as it is printed."""
    lines = (folder / "model_card.md").read_text().split("```python\n")[number].split("```")[0]
    beside = folder / "picture.jpg"
    beside.write_bytes(picture.read_bytes())
    try:
        command = [sys.executable, "-c", lines]
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=120)
    finally:
        beside.unlink()
    return [line.split() for line in ran.stdout.splitlines()]
