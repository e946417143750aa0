"""`python -m benchmarks.pretrained_head`: make the pyramid and head that trainings begin with.

Trains on the training part of ByzArt2K (MIT) as WebNet does it, but from a fresh pyramid and head, and writes them to
training/pipeline/heads/icons.npz. `--trained`: the work folder of such a training that is there already.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from benchmarks.accuracy import run
from benchmarks.image_sets import read
from training.pipeline import config, manifest

CONCEPTS = 10
TARGET = Path("training/pipeline/heads/icons.npz")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--weights", type=Path, default=Path("var/weights"))
    parser.add_argument("--minutes", type=float, default=7)
    parser.add_argument("--trained", type=Path)
    options = parser.parse_args()
    workdir = options.trained or Path("var/benchmarks/pretrained_head")
    if not options.trained:
        choice: dict[str, Any] = {"budget": "own", "minutes": options.minutes, "seed": 1}
        plan = config.plan(architecture="retinanet_mobilenet_v2", augmentation="categories", **choice)
        plan = dataclasses.replace(plan, pretrained_head="", release_at=1.0)
        run(read("byzart", options.data, CONCEPTS), plan, workdir, options.weights)
    write(workdir)
    print(f"{TARGET}: {TARGET.stat().st_size / 1000:.0f} kB")


def write(workdir: Path) -> None:
    """Take pyramid and head out of the finished training in `workdir`."""
    import tensorflow as tf

    from training.pipeline import configure, networks, pretrained_head

    plan, labels = config.load(workdir), manifest.load(workdir).labels
    experiment = configure.build(plan, classes=len(labels), workdir=workdir)
    _task, model = networks.build(experiment)
    checkpoint = tf.train.Checkpoint(model=model).read(str(workdir / "detector" / config.CHECKPOINT))
    checkpoint.assert_existing_objects_matched()
    pretrained_head.save(model, [label.name for label in labels], TARGET)


if __name__ == "__main__":
    main()
