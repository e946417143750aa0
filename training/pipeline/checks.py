"""Whether a converted file still finds what the trained network finds: the same test pictures, compared by AP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from training.pipeline.annotations import Coco
from training.pipeline.scores import Detection, score

if TYPE_CHECKING:  # it brings the Model Garden along, which takes seconds to load
    from training.pipeline.evaluate import Evaluator

# How far a file's AP on the test part may lie from that of the trained network.
TOLERANCE = 0.01
# Enough to see a fault of the conversion, and looked at in seconds.
MOST_PICTURES = 64


@dataclass(frozen=True)
class Check:
    """One file against the trained network on `pictures` pictures of the test part: COCO's AP of both.

    Null where these show no box, or where there are none any more: then nothing is compared.
    """

    AP: float | None
    trained_AP: float | None
    pictures: int

    @property
    def difference(self) -> float | None:
        """AP of the file minus AP of the trained network."""
        return None if self.AP is None or self.trained_AP is None else round(self.AP - self.trained_AP, 4)

    @property
    def passed(self) -> bool | None:
        """Whether the file is as good as the trained network, within TOLERANCE."""
        return None if self.difference is None else abs(self.difference) <= TOLERANCE

    def as_dict(self) -> dict[str, Any]:
        """For detector.json."""
        own = {"AP": self.AP, "trained_AP": self.trained_AP, "difference": self.difference}
        return {**own, "pictures": self.pictures, "tolerance": TOLERANCE, "passed": self.passed}


def check(evaluator: Evaluator, truth: Coco, trained: Sequence[Detection], model: bytes, batch_size: int) -> Check:
    """Run a TFLite file on test pictures; compare with what the trained network found there (`trained`)."""
    found = evaluator.by_picture(_Looking(model), batches=max(1, MOST_PICTURES // batch_size))
    part = _only(truth, found.keys())
    expected = score(part, [row for row in trained if row["image_id"] in found])
    own = score(part, [row for rows in found.values() for row in rows])
    return Check(AP=own["AP"], trained_AP=expected["AP"], pictures=len(found))


class _Looking:
    """A TFLite file of `tflite.convert`, as the evaluator looks through it."""

    def __init__(self, model: bytes) -> None:
        interpreter = Interpreter(model_content=model, num_threads=1)  # one, as in `detectors`
        self._run = interpreter.get_signature_runner()

    def __call__(self, pictures: Any, labels: Mapping[str, Any]) -> Mapping[str, Any]:
        rows = [self._run(image=picture[None]) for picture in pictures.numpy()]
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def _only(truth: Coco, images: Any) -> Coco:
    """The part of `truth` about these images."""
    return {
        **truth,
        "images": [row for row in truth["images"] if row["id"] in images],
        "annotations": [row for row in truth["annotations"] if row["image_id"] in images],
    }
