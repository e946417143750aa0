"""`python -m benchmarks.throughput`: how fast is each part of a training beside its limit, in one run?

- preparation: the stages that change copies and write TFRecords, beside decoding, changing and encoding the same
  copies alone, on all cores (goal: 0.8 of its speed); of the whole set, for of few pictures the first ones cost most;
- steps: the pipeline's loop, which tells its events and looks for a stop, beside a bare loop over Model Garden's
  `train_step` with the same configuration, in turns (goal: 1.0);
- schedule: pictures a second of a training's frozen part, and of a whole one, beside the same with nothing frozen (5);
- detection: `training.pipeline.infer` on files, beside TFLite's interpreter on pictures in memory (0.8), one for each
  core, and beside the SavedModel of the same detector (15).

Works on ByzArt2K, which is made by others; name the folder of the image sets with `--data`.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image

from benchmarks.image_sets import Named, read
from training.pipeline import config, manifest

PICTURES, BLOCK, BLOCKS, WARM_UP = 160, 25, 4, 5
# Steps until features are used again, and some more, in which each is as often as in all later ones.
FILLED, COUNTED = 40, 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--weights", type=Path, default=Path("var/weights"))
    parser.add_argument("--workdir", type=Path, default=Path("var/benchmarks/throughput"))
    options = parser.parse_args()
    from training.pipeline import stages

    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    shutil.rmtree(options.workdir, ignore_errors=True)
    data = read("byzart", options.data, 5)
    preparation(prepared(data, options.workdir / "whole", options.weights))
    data["artworks"] = data["artworks"][-PICTURES:]
    run = prepared(data, options.workdir / "part", options.weights)
    for name in ("augment", "tfrecord"):
        stages.STAGES[name](run)
    steps(run)
    schedule(run)
    detection(run, data)


def tell(what: str, own: float, limit: float, goal: float, unit: str = "pictures/s") -> None:
    """Print one line: our speed, the one beside it, and their ratio."""
    ratio = own / limit
    verdict = "reached" if ratio >= goal else "not reached"
    print(f"{what:<48} {own:7.1f} {unit}, beside {limit:7.1f}: {ratio:5.2f} (goal {goal}: {verdict})", flush=True)


def prepared(data: Named, workdir: Path, weights: Path) -> Any:
    """A run whose pictures are split, and no more."""
    from training.pipeline import stages, supervision

    choice: dict[str, Any] = {"budget": "standard", "augmentation": "categories", "seed": 1}
    manifest.save(data, workdir)
    plan = config.plan(architecture="retinanet_mobilenet_v2", **choice)
    # No score on the way: this is about steps. Copies are made however many pictures there are: they are timed.
    steps = BLOCK * BLOCKS + WARM_UP + 1
    dataclasses.replace(plan, evaluations=1, steps=steps, minutes=0.0, most_varied=1_000_000).save(workdir)
    run = stages.open_run(workdir, weights, lambda event: None, supervision.Stop())
    for name in ("annotations", "partition"):
        stages.STAGES[name](run)
    return run


def preparation(run: Any) -> None:
    """The two stages, against the same copies made alone. Loading libraries is in neither."""
    from training.pipeline import annotations, augment, stages, tfrecord

    assert tfrecord
    train = annotations.load(annotations.coco_path(run.workdir, "train"))
    seconds = timed(lambda: [stages.STAGES[name](run) for name in ("augment", "tfrecord")])
    copies = len(annotations.load(annotations.coco_path(run.workdir, "train_augmented"))["images"])
    folder = run.workdir / "alone"
    folder.mkdir()
    each = [run.config.copies] * len(train["images"])
    jobs = list(augment._jobs(train, folder, run.config.augmentation, each, 512, run.config.seed))
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        list(pool.map(copy_alone, jobs[:8]))
        alone = timed(lambda: list(pool.map(copy_alone, jobs, chunksize=4)))
    tell("preparation, beside changing copies alone", copies / seconds, len(jobs) / alone, 0.8)


def copy_alone(job: Any) -> None:
    """A copy from its own file, as the limit is defined."""
    from training.pipeline import augment

    augment.make_copy(job, augment.read(job))


def steps(run: Any) -> None:
    """Our loop and a bare one in turns, so that what else the machine does strikes both alike; means of steps.

    A median would not see the one step in five that tells an event.
    """
    from training.pipeline import annotations, evaluate, stages, supervision, train

    stages.STAGES["configure"](run)
    truth = annotations.load(annotations.coco_path(run.workdir, "test"))
    own: list[float] = []
    bare: list[float] = []

    class Clock(supervision.Stop):
        """Looked at after each step of ours; every BLOCK of them, the bare loop has its turn."""

        def __init__(self, other: Iterator[None]) -> None:
            super().__init__()
            self.other, self.count, self.since = other, 0, time.perf_counter()

        def wanted(self) -> bool:
            self.count += 1
            if self.count > WARM_UP:
                own.append(time.perf_counter() - self.since)
            if self.count > WARM_UP and self.count % BLOCK == 0:
                for _ in range(BLOCK):
                    bare.append(timed(lambda: next(self.other)))
            self.since = time.perf_counter()
            return False

    with (run.workdir / "events").open("w") as file:
        # Nothing is released on the way or used again: both loops do the same work from the first step to the last.
        same = dataclasses.replace(run.config, release_at=1.0, feature_uses=1)
        frozen = dataclasses.replace(run, config=same)
        trainer = fresh(frozen)
        clock = Clock(loop(fresh(frozen)))
        next(clock.other)
        evaluator = evaluate.Evaluator(trainer.task, trainer.experiment, trainer.model, truth)
        train.train(trainer, run.workdir, evaluator, seconds=None, on_event=partial(write, file), stop=clock)
    batch = run.config.batch_size
    tell("training, beside a bare loop", batch / statistics.fmean(own), batch / statistics.fmean(bare), 1.0)


def write(file: IO[str], event: dict[str, Any]) -> None:
    """An event as a line, as the supervisor gets it."""
    file.write(json.dumps(event) + "\n")


def schedule(run: Any) -> None:
    """Frozen, released and all trainable: what a training's shares of them make."""
    speeds = {}
    for name in ("frozen", "released", "all"):
        trainer = fresh(dataclasses.replace(run, config=dataclasses.replace(run.config, freeze_backbone=name != "all")))
        if name == "all":
            trainer.model.backbone.trainable = True
        other = loop(trainer) if name == "all" else reusing(trainer, released=name == "released")
        seconds = [timed(lambda: next(other)) for _ in range(FILLED + COUNTED)][FILLED:]  # noqa: B023
        speeds[name] = run.config.batch_size / statistics.fmean(seconds)
    late = 1 - run.config.release_at
    tell("a training's frozen part, beside nothing frozen", speeds["frozen"], speeds["all"], 5)
    whole = speeds["frozen"] * run.config.release_at + speeds["released"] * late
    tell("a whole training, beside nothing frozen", whole, speeds["all"], 5)


def fresh(run: Any) -> Any:
    """A trainer without a checkpoint."""
    from training.pipeline import configure, train

    folder = Path(tempfile.mkdtemp(dir=run.workdir))
    experiment = configure.build(run.config, classes=len(run.manifest.labels), workdir=run.workdir)
    return train.build(run.config, experiment, run.manifest.labels, folder, run.weights_dir)


def reusing(trainer: Any, *, released: bool) -> Iterator[None]:
    """The step of a training as long as its backbone is frozen, or when its late stages learn."""
    from training.pipeline import backbones, graphs, train

    trainer.optimizer.set_rate(1e-3)
    pictures = iter(graphs.inputs(trainer.task, trainer.experiment.task.train_data))
    metrics = trainer.task.build_metrics(training=True)
    if released:
        backbones.release(trainer.model.backbone, trainer.config.release_channels)
        batches, one = pictures, train._compiled(trainer, metrics)
    else:
        batches, one = train._frozen(trainer, pictures, metrics)
    for batch in batches:
        one(batch)
        yield


def loop(trainer: Any) -> Iterator[None]:
    """Model Garden's step on Model Garden's input, and nothing else."""
    import tensorflow as tf

    metrics = trainer.task.build_metrics(training=True)
    trainer.optimizer.set_rate(1e-3)

    @tf.function  # type: ignore[untyped-decorator]
    def one(batch: Any) -> None:
        trainer.task.train_step(batch, trainer.model, trainer.optimizer, metrics)

    for batch in trainer.task.build_inputs(trainer.experiment.task.train_data):
        one(batch)
        yield


def detection(run: Any, data: Named) -> None:
    """A dataset's detection, from the first answer on, beside the interpreter alone and the SavedModel."""
    from benchmarks.inference import SAVED_MODEL_PICTURES, saved_model, shrunk
    from training.pipeline import stages

    for name in ("train", "evaluate", "export"):
        stages.STAGES[name](run)
    detector = run.workdir / "detector"
    files = [Path(row["file"]) for row in data["artworks"]]
    own = files_per_second(run.workdir, detector, data["artworks"] * 4)
    alone = interpreter(detector, files, len(files) * 4)
    tell("detection, beside TFLite alone", own, alone, 0.8)
    pictures = [shrunk(file) for file in files[:SAVED_MODEL_PICTURES]]
    tell("detection, beside the SavedModel", own, saved_model(detector / "saved_model", itertools.cycle(pictures)), 15)


def files_per_second(workdir: Path, detector: Path, artworks: list[Named]) -> float:
    """Of the process that looks at a dataset, from its first answer on."""
    images = [
        {"id": number, **{key: row[key] for key in ("file", "width", "height")}} for number, row in enumerate(artworks)
    ]
    folder = workdir / "detection"
    folder.mkdir()
    request = {"detector": str(detector.resolve()), "threshold": 0.3, "images": images}
    (folder / "request.json").write_text(json.dumps(request))
    command = [sys.executable, "-m", "training.pipeline.infer", str(folder), "--supervised"]
    moments = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        moments = [time.perf_counter() for _ in process.stdout]
    return (len(images) - 1) / (moments[-1] - moments[0])


def interpreter(detector: Path, files: list[Path], count: int) -> float:
    """Pictures a second of TFLite on these pictures in memory: an interpreter and a thread for each core."""
    from ai_edge_litert.interpreter import Interpreter

    size = json.loads((detector / "detector.json").read_text())["input_size"]
    pictures = [in_memory(file, size) for file in files]
    cores = len(os.sched_getaffinity(0))

    def look(times: int) -> None:
        own = Interpreter(model_path=str(detector / "model.tflite"), num_threads=1)
        own.allocate_tensors()
        entry = own.get_input_details()[0]["index"]
        own.invoke()
        barrier.append(time.perf_counter())
        for picture in itertools.islice(itertools.cycle(pictures), times):
            own.set_tensor(entry, picture)
            own.invoke()

    barrier: list[float] = []
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(look, itertools.repeat(count // cores, cores)))
    return count / (time.perf_counter() - max(barrier))


def in_memory(file: Path, size: int) -> Any:
    """A picture nearly as the network takes it: suppression needs longer where there is something to see."""
    with Image.open(file) as opened:
        square = np.asarray(opened.convert("RGB").resize((size, size)), np.float32)
    return ((square - 118) / 58)[None]


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
