"""What TensorBoard shows of a training: event files in WORKDIR/summaries, which go along with the finished detector."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

FOLDER = "summaries"


def writer(workdir: Path) -> Any:
    """Where TensorFlow writes what `workdir`'s training is to show: one more file beside those of earlier tries."""
    return tf.summary.create_file_writer(str(workdir / FOLDER))


def write_scores(to: Any, step: int, scores: Mapping[str, Any]) -> None:
    """The COCO scores of the test part after `step` steps, each concept's among them; absent ones are left out."""
    with to.as_default(step=step):
        for name, value in scores["coco"].items():
            if value is not None:
                tf.summary.scalar(f"test/{name}", value)
        for row in scores["per_label"]:
            if row["AP50"] is not None:
                tf.summary.scalar(f"concepts/{row['name']}", row["AP50"])
        to.flush()
