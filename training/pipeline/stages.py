"""The stages in the order in which they run, each with the mark that it leaves when it is done."""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.pipeline import annotations, config, durable, events, manifest, partition, sample, weights
from training.pipeline.architectures import ARCHITECTURES
from training.pipeline.config import RunConfig
from training.pipeline.events import OnEvent
from training.pipeline.manifest import Manifest
from training.pipeline.supervision import Stop
from training.pipeline.translation import Phrase, gettext_noop

# How a training is shared out among devices (see `distribution`).
DISTRIBUTION = "WEBNET_DISTRIBUTION"
# Records hold pictures of twice the network's size, so that zooming in while training still shows detail.
_RECORD_SCALE = 2


@dataclass
class Run:
    """One run at work in `workdir`. `memory` hands the trained model from stage to stage within one process."""

    workdir: Path
    weights_dir: Path
    manifest: Manifest
    config: RunConfig
    on_event: OnEvent
    stop: Stop
    memory: dict[str, Any] = field(default_factory=dict)

    def counter(self, stage: str, total: int) -> Callable[[], None]:
        """A function to call after each of `total` items: tells the progress about twice a second, and obeys a stop."""
        done, told = 0, 0.0

        def count() -> None:
            nonlocal done, told
            self.stop.check()
            done += 1
            if done == total or time.monotonic() - told > 0.5:
                told = time.monotonic()
                self.on_event(events.stage_progress(stage, done, total))

        return count


Stage = Callable[[Run], Phrase]
_PARTS = gettext_noop("%(train)d to train on, %(test)d to test on")
_ALL_ARTWORKS = gettext_noop("artworks: %(artworks)d, boxes: %(boxes)d, concepts: %(labels)d")
_SOME_ARTWORKS = gettext_noop(
    "artworks: %(artworks)d (there is no time for %(left_out)d more), boxes: %(boxes)d, concepts: %(labels)d"
)
_TOO_MANY_EMPTY = gettext_noop(
    "%(count)d artworks that show nothing of this are left out: with so many, the others would be learnt more slowly."
)
_SIMULATED = gettext_noop(
    "Some concepts are on artworks to learn from alone: they are tested on %(count)d simulated photographs of these."
)
_CLOSER = gettext_noop(
    "Some things are small, so the detector sees squares of %(size)d × %(size)d pixels, not of %(usual)d × %(usual)d."
)


def run_all(run: Run, *, start_at: str | None = None) -> None:
    """Run every stage that has not left its mark. `start_at`: forget the marks of this stage and of all after it.

    Raises Stopped, or what a stage raises.
    """
    names = list(STAGES)
    if start_at is not None:
        forget(run.workdir, names[names.index(start_at) :])
    for name, stage in STAGES.items():
        mark = _mark(run.workdir, name)
        if mark.exists():
            run.on_event(events.stage_skipped(name, Phrase(gettext_noop("done earlier"))))
            continue
        run.stop.check()
        run.on_event(events.stage_started(name))
        started = time.monotonic()
        message = stage(run)
        mark.parent.mkdir(parents=True, exist_ok=True)
        os.sync()  # what the mark vouches for must be on the disk before it
        durable.write(mark, json.dumps({"seconds": round(time.monotonic() - started, 2), "message": message}))
        run.on_event(events.stage_done(name, message))


def forget(workdir: Path, names: Sequence[str]) -> None:
    """Take the marks of these stages away, so that they run again; a training starts over."""
    for name in names:
        _mark(workdir, name).unlink(missing_ok=True)
    if "train" in names:
        for file in (workdir / "checkpoints").glob("*"):
            file.unlink()


def _mark(workdir: Path, name: str) -> Path:
    return workdir / "done" / f"{name}.json"


def _prepare(run: Run) -> Phrase:
    annotations.prepare(run.manifest, run.workdir)
    boxes = sum(len(artwork.boxes) for artwork in run.manifest.artworks)
    counts = {"artworks": len(run.manifest.artworks), "boxes": boxes, "labels": len(run.manifest.labels)}
    if run.manifest.empty_left_out:
        run.on_event(events.log(Phrase(_TOO_MANY_EMPTY, count=run.manifest.empty_left_out)))
    if run.manifest.left_out:
        return Phrase(_SOME_ARTWORKS, **counts, left_out=run.manifest.left_out)
    return Phrase(_ALL_ARTWORKS, **counts)


def _split(run: Run) -> Phrase:
    partition.write_lists(run.manifest, run.workdir)
    return Phrase(_PARTS, train=len(run.manifest.part("train")), test=len(run.manifest.part("test")))


def _augment(run: Run) -> Phrase:
    made = _copies(run)
    if run.manifest.simulated_tests:
        _add_simulated_tests(run)
    return made


def _add_simulated_tests(run: Run) -> None:
    """Add simulated photographs to the test part, of concepts that it does not show."""
    from training.pipeline import simulated

    train, copies, test = (_coco(run, part) for part in ("train", "train_augmented", "test"))
    photographs = simulated.photographs(
        simulated.untested(train, test),
        simulated.folder(run.workdir, run.manifest.dataset.folder),
        first=1 + max(image["id"] for coco in (train, copies) for image in coco["images"]),
        longest=_longest(run.config),
        seed=run.config.seed,
        on_copy=run.stop.check,
    )
    annotations.save(simulated.added(test, photographs), annotations.coco_path(run.workdir, "test"))
    if made := len(photographs["images"]):
        run.on_event(events.log(Phrase(_SIMULATED, count=made)))


def _copies(run: Run) -> Phrase:
    path = annotations.coco_path(run.workdir, "train_augmented")
    train = _coco(run, "train")
    room = min(run.config.most_records, run.config.most_varied) - len(train["images"])
    if not run.config.copies or room <= 0:
        annotations.save({**train, "images": [], "annotations": []}, path)
        if run.config.copies:
            return Phrase(gettext_noop("no changed copies: there are artworks enough for the time that there is"))
        return Phrase(gettext_noop("no changed copies wanted"))
    from training.pipeline import augment, balance

    each = max(run.config.copies, -(-run.config.least_copies // max(1, len(train["images"]))))
    total = each * len(train["images"])
    most = min(run.config.most_copies, room)
    copies = augment.augment(
        train,
        augment.folder(run.workdir, run.manifest.dataset.folder),
        preset=run.config.augmentation,
        copies=balance.shared_out(total, balance.repeat_factors(train, run.config.rare)),
        most=most,
        longest=_longest(run.config),
        seed=run.config.seed,
        on_copy=run.counter("augment", min(total, most)),
    )
    annotations.save(copies, path)
    return Phrase(gettext_noop("changed copies: %(copies)d"), copies=len(copies["images"]))


def _tfrecord(run: Run) -> Phrase:
    from training.pipeline import tfrecord

    parts = {
        "train": [_coco(run, "train"), _coco(run, "train_augmented")],
        "test": [_coco(run, "test")],
    }
    count = run.counter("tfrecord", sum(len(coco["images"]) for row in parts.values() for coco in row))
    written = {
        split: tfrecord.write(
            run.workdir, split, row, longest=_longest(run.config), seed=run.config.seed, on_image=count
        )
        for split, row in parts.items()
    }
    return Phrase(_PARTS, **written)


def _configure(run: Run) -> Phrase:
    from training.pipeline import configure

    run.memory["experiment"] = configure.configure(run.config, run.manifest, run.workdir)
    chosen, size = ARCHITECTURES[run.config.architecture], run.config.input_size
    title, usual = chosen.title, chosen.input_size
    if size > usual and not run.config.start:
        run.on_event(events.log(Phrase(_CLOSER, size=size, usual=usual)))
    if run.config.steps:
        return Phrase(gettext_noop("%(architecture)s, steps: %(steps)d"), architecture=title, steps=run.config.steps)
    text = gettext_noop("%(architecture)s, minutes: %(minutes)s")
    return Phrase(text, architecture=title, minutes=f"{run.config.minutes:g}")


def _train(run: Run) -> Phrase:
    from training.pipeline import train

    run.on_event(events.log(Phrase(gettext_noop("Building the detector …"))))
    trainer = _trainer(run)
    done = int(trainer.step.numpy())
    going_on = Phrase(gettext_noop("Going on after step %(step)d."), step=done)
    run.on_event(events.log(going_on if done else Phrase(gettext_noop("The first step takes longest: it compiles."))))
    seconds = _training_seconds(run)
    train.train(trainer, run.workdir, _evaluator(run), seconds=seconds, on_event=run.on_event, stop=run.stop)
    steps = int(trainer.step.numpy())
    if distribution := run.memory.get("distribution"):
        run.memory.clear()  # what comes now is one machine's
        run.memory["over"] = distribution  # only kept: see Distribution.batches
    return Phrase(gettext_noop("steps: %(steps)d"), steps=steps)


def assist(run: Run) -> None:
    """Train along with the machine whose `run` this is, from when it has prepared everything. Raises Stopped."""
    while not _mark(run.workdir, "configure").exists():
        run.stop.check()
        time.sleep(0.2)
    if not is_trained(run.workdir):
        _train(run)


def is_trained(workdir: Path) -> bool:
    """Whether the training itself is over, and what is left is one machine's."""
    return _mark(workdir, "train").exists()


def _training_seconds(run: Run) -> float | None:
    """What is left of the run's time to train and export in."""
    if run.config.steps:
        return None
    marks = (_mark(run.workdir, name) for name in STAGES)
    before = float(sum(json.loads(mark.read_text())["seconds"] for mark in marks if mark.exists()))
    after = config.scoring_seconds(len(_coco(run, "test")["images"]), run.config.enlarged)
    building: float = run.memory["building"]
    whole = run.config.minutes * 60
    return max(whole - before - building - after, whole * config.LEAST_TRAINING_SHARE)


def _evaluate(run: Run) -> Phrase:
    from training.pipeline import evaluate, summaries

    scores, detections = _evaluator(run).evaluate(run.stop.check)
    evaluate.save(run.workdir, _coco(run, "test"), scores, detections)
    step = int(_trainer(run).step.numpy())
    summaries.write_scores(summaries.writer(run.workdir), step, scores)
    run.on_event(events.evaluation(step, scores))
    if scores["AP"] is None:
        return Phrase(gettext_noop("There was no box to find on the artworks that it was tested on."))
    return Phrase("AP %(AP).3f, AP50 %(AP50).3f", AP=scores["AP"], AP50=scores["AP50"])


def _export(run: Run) -> Phrase:
    from training.pipeline import evaluate, export

    if not (run.workdir / evaluate.DETECTIONS).exists():  # evaluated by an earlier version
        _evaluate(run)
    scores = json.loads((run.workdir / evaluate.FILE_NAME).read_text(encoding="utf-8"))
    folder, checks = export.export(_trainer(run), _evaluator(run), run.manifest, scores, run.workdir)
    for name, check in checks.items():
        own, trained = check.AP, check.trained_AP
        if own is not None and trained is not None and not check.passed:
            run.on_event(events.log(_differs(name, own, trained)))
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Phrase("%(size).1f MB", size=size / 1e6)


def _differs(name: str, own: float, trained: float) -> Phrase:
    text = gettext_noop(
        "%(file)s is not quite what was trained: AP %(own).3f instead of %(trained).3f. Test it before you use it."
    )
    return Phrase(text, file=name, own=own, trained=trained)


STAGES: Mapping[str, Stage] = {
    "annotations": _prepare,
    "partition": _split,
    "augment": _augment,
    "tfrecord": _tfrecord,
    "configure": _configure,
    "train": _train,
    "evaluate": _evaluate,
    "export": _export,
}


def _trainer(run: Run) -> Any:
    """The model in training: built once per process, from the last checkpoint if an earlier process left one."""
    if "trainer" not in run.memory:
        from training.pipeline import configure, train

        started = time.monotonic()
        labels = run.manifest.labels
        config, workdir = run.config, run.workdir
        experiment = run.memory.get("experiment") or configure.of_run(config, run.manifest, workdir)
        distribution = run.memory.get("distribution")
        run.memory["trainer"] = train.build(config, experiment, labels, workdir, run.weights_dir, distribution)
        run.memory["building"] = time.monotonic() - started
    return run.memory["trainer"]


def _evaluator(run: Run) -> Any:
    """The scores of the model in training: compiled once per process, which takes longer than to score."""
    if "evaluator" not in run.memory:
        from training.pipeline import evaluate

        trainer = _trainer(run)
        run.memory["evaluator"] = evaluate.Evaluator(
            trainer.task, trainer.experiment, trainer.model, _coco(run, "test")
        )
    return run.memory["evaluator"]


def _coco(run: Run, part: str) -> annotations.Coco:
    return annotations.load(annotations.coco_path(run.workdir, part))


def _longest(run_config: RunConfig) -> int:
    return run_config.input_size * _RECORD_SCALE


def open_run(workdir: Path, weights_dir: Path, on_event: OnEvent, stop: Stop, *, start_at: str | None = None) -> Run:
    """Read the manifest and the configuration of `workdir`; `start_at` as for `run_all`.

    Waits for other machines where these train along. Raises ManifestError, ConfigError or WeightsError.
    """
    everything, chosen = manifest.load(workdir), config.load(workdir)
    seen = sample.drawn(sample.few_empty(everything, chosen.empty, chosen.seed), chosen.most_records, chosen.seed)
    run = Run(workdir, weights_dir, seen, chosen, on_event, stop)
    if run.config.weights:
        weights.find(weights_dir, run.config.weights)  # now, not after a minute of preparation
    name, stages = os.environ.get(DISTRIBUTION) or "off", list(STAGES)
    again = start_at is not None and stages.index(start_at) <= stages.index("train")
    if name != "off" and (again or not is_trained(workdir)):
        # TensorFlow finds the other machines before it computes anything.
        on_event(events.log(Phrase(gettext_noop("Waiting for all machines that train together …"))))
        from training.pipeline.distribution import Distribution

        run.memory["distribution"] = Distribution(name)
    return run
