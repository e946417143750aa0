"""Stage 7, evaluate: COCO scores of the test part, and what they mean for each concept and each artwork.

Ground truth is annotations/test.json, pictures come from the test records. Boxes are in pixels of the oriented artwork.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from training.pipeline import graphs
from training.pipeline.annotations import Coco, on_artworks
from training.pipeline.report import report
from training.pipeline.scores import Detection, Scores, score

FILE_NAME = "evaluation.json"
DETECTIONS = "detections.json"

# From a batch of pictures [n, size, size, 3] and their Model Garden labels to detection_boxes, _scores, _classes and
# num_detections of each, boxes in pixels of the network's input.
Look = Callable[[Any, Mapping[str, Any]], Mapping[str, Any]]


class Evaluator:
    """Runs a Model Garden detector over the test records, as often as asked."""

    def __init__(self, task: Any, experiment: Any, model: Any, truth: Coco) -> None:
        self._truth = truth
        self._task, self._data = task, experiment.task.validation_data
        self._images = {image["id"]: image for image in truth["images"]}
        self._photographs = {image["id"] for image in truth["images"] if image.get("simulated")}
        self._known = on_artworks(truth)

        @graphs.graph
        def infer(pictures: Any, shape: Any, anchors: Any) -> Any:
            return model(pictures, image_shape=shape, anchor_boxes=anchors, training=False)

        self._infer = infer

    @property
    def picture_count(self) -> int:
        """How many there are in the test part."""
        return len(self._images)

    def detect(self, on_batch: Callable[[], None] = lambda: None) -> list[Detection]:
        """All detections on the test part, as COCO results; `on_batch`, called after each batch, may raise to stop."""
        return [row for rows in self.by_picture(self._look, on_batch).values() for row in rows]

    def by_picture(
        self, look: Look, on_batch: Callable[[], None] = lambda: None, *, batches: int = -1
    ) -> dict[int, list[Detection]]:
        """What `look` finds on the pictures of the first `batches` batches (-1: of all), by image id."""
        found: dict[int, list[Detection]] = {}
        for pictures, labels in graphs.reader(self._records.take(batches)):
            seen = look(pictures, labels)
            ids = labels["groundtruths"]["source_id"].numpy().reshape(-1)
            for row, image in enumerate(ids):
                found[int(image)] = self._results(int(image), labels["image_info"][row].numpy(), seen, row)
            on_batch()
        return found

    def evaluate(self, on_batch: Callable[[], None] = lambda: None) -> tuple[Scores, list[Detection]]:
        """Scores (see `score`) and the detections behind them."""
        detections = self.detect(on_batch)
        return score(self._truth, detections), detections

    @cached_property
    def _records(self) -> Any:
        """Reading them is a graph of its own, which takes longer to build than a hundred pictures to score."""
        return graphs.inputs(self._task, self._data)

    def _look(self, pictures: Any, labels: Mapping[str, Any]) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._infer(pictures, labels["image_info"][:, 1, :], labels["anchor_boxes"])
        return found

    def _results(self, image: int, info: Any, found: Mapping[str, Any], row: int) -> list[Detection]:
        """`info` rows are Model Garden's: original size, wanted size, scale, offset; each (height, width)."""
        count = int(found["num_detections"][row])
        entry = self._images[image]
        # From pixels of the network's input to fractions of the stored picture to pixels of the artwork.
        factor = np.array([entry["height"], entry["width"]]) / (info[2] * info[0])
        limit = np.array([entry["height"], entry["width"]])
        rows = []
        for box, value, category in zip(
            np.asarray(found["detection_boxes"][row][:count]),
            np.asarray(found["detection_scores"][row][:count]),
            np.asarray(found["detection_classes"][row][:count]),
            strict=True,
        ):
            # It was learnt from this picture, and other artworks are there to test it.
            if image in self._photographs and int(category) in self._known:
                continue
            top_left = np.clip(box[:2] * factor, 0, limit)
            size = np.clip(box[2:] * factor, 0, limit) - top_left
            bbox = [float(top_left[1]), float(top_left[0]), float(size[1]), float(size[0])]
            rows.append({"image_id": image, "category_id": int(category), "bbox": bbox, "score": float(value)})
        return rows


def save(workdir: Path, truth: Coco, scores: Scores, detections: Sequence[Detection]) -> Path:
    """Write WORKDIR/evaluation.json: the scores, and what `report` adds to them; and the detections.

    WORKDIR/detections.json holds all of them as COCO results, for those who compare.
    """
    (workdir / DETECTIONS).write_text(json.dumps(list(detections)), encoding="utf-8")
    path = workdir / FILE_NAME
    text = json.dumps(report(truth, detections, scores), ensure_ascii=False, allow_nan=False)
    path.write_text(text, encoding="utf-8")
    return path


def load_detections(workdir: Path) -> list[Detection]:
    """What `save` left in WORKDIR/detections.json."""
    detections: list[Detection] = json.loads((workdir / DETECTIONS).read_text(encoding="utf-8"))
    return detections
