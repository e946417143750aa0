"""What the pipeline tells while it works: plain dictionaries `{"kind": …, "payload": {…}}`, given to one callable.

A text that is a `Phrase` is told in English, with its template and values beside it under `phrase`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from training.pipeline.translation import phrase_json

Event = dict[str, Any]
OnEvent = Callable[[Event], None]


@dataclass(frozen=True)
class Metrics:
    """One point of the loss curve. `loss` = `box_loss` + `class_loss`, means since the last point.

    `seconds_left`: until the detector is there, with its last score and its files.
    """

    step: int
    total_steps: int
    loss: float
    box_loss: float
    class_loss: float
    learning_rate: float
    images_per_second: float
    seconds_left: float


def stage_started(stage: str, message: str = "") -> Event:
    """A stage begins."""
    return _stage(stage, "started", 0, 0, message)


def stage_progress(stage: str, done: int, total: int, message: str = "") -> Event:
    """`done` of `total` items of the stage are finished."""
    return _stage(stage, "progress", done, total, message)


def stage_done(stage: str, message: str = "") -> Event:
    """A stage has left all its files behind."""
    return _stage(stage, "done", 0, 0, message)


def stage_skipped(stage: str, message: str = "") -> Event:
    """A stage has nothing to do, or did it in an earlier try."""
    return _stage(stage, "skipped", 0, 0, message)


def metrics(point: Metrics) -> Event:
    """One point of the loss curve."""
    return {"kind": "metrics", "payload": asdict(point)}


def evaluation(step: int, scores: Mapping[str, Any], split: str = "test") -> Event:
    """COCO scores after `step` steps: AP, AP50, AP75, per_label [{label, name, AP, AP50}] and coco, all twelve.

    As `scores.score` has them: null where there was no box to find; where concepts were tested on simulated photographs
    alone, `simulated_concepts` is how many.
    """
    return {"kind": "evaluation", "payload": {"step": step, "split": split, **scores}}


def log(text: str) -> Event:
    """One line for the run's log."""
    return {"kind": "log", "payload": _with_phrase({"text": text}, text)}


def error(message: str, detail: str = "") -> Event:
    """Why a run cannot go on: a plain sentence for people, and the technical detail."""
    return {"kind": "error", "payload": _with_phrase({"message": message, "detail": detail}, message)}


def progress(done: int, total: int, images_per_second: float) -> Event:
    """How far an inference is."""
    left = (total - done) / images_per_second if images_per_second > 0 else 0.0
    payload = {"done": done, "total": total, "images_per_second": round(images_per_second, 2)}
    return {"kind": "progress", "payload": {**payload, "seconds_left": round(left, 1)}}


def found(image: int | str, boxes: Sequence[Mapping[str, Any]], problem: str = "") -> Event:
    """The boxes found on one image, in its pixels; or why it could not be looked at."""
    payload: dict[str, Any] = {"id": image, "boxes": list(boxes)}
    return {"kind": "found", "payload": {**payload, "error": problem} if problem else payload}


def end(code: int) -> Event:
    """A process that stays has finished one piece of work; `code`: the exit code that another would have had."""
    return {"kind": "end", "payload": {"code": code}}


def _stage(stage: str, state: str, done: int, total: int, message: str) -> Event:
    payload = {"stage": stage, "state": state, "done": done, "total": total, "message": message}
    return {"kind": "stage", "payload": _with_phrase(payload, message)}


def _with_phrase(payload: dict[str, Any], text: str) -> dict[str, Any]:
    phrase = phrase_json(text)
    return {**payload, "phrase": phrase} if phrase else payload
