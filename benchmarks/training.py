"""`python -m benchmarks.training`: does telling a training's events cost training speed?

One real training loop on generated pictures; in blocks of steps it alternately tells its events (through the
supervisor's pipe into the database, as under `make run`) and keeps them to itself. Prints the ratio of the two
speeds, by the median step of each kind, so that whatever else the machine does strikes both alike. Target: at least
0.98.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

BLOCK, BLOCKS, WARM_UP = 15, 24, 10
TALKER = "benchmarks.training"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"WEBNET_DATA": folder, "DJANGO_SETTINGS_MODULE": "webnet.settings"}
        weights = Path(os.environ.get("WEBNET_WEIGHTS", "var/weights")).resolve()
        (Path(folder) / "weights").symlink_to(weights)
        import django

        django.setup()
        from django.core.management import call_command

        from benchmarks.live import make_run
        from training import live
        from training.supervision import Child, supervise

        call_command("migrate", verbosity=0)
        _, run = make_run()

        def store(events: list[dict[str, Any]]) -> None:
            live.publish(run, [(event["kind"], event["payload"]) for event in events])
            for event in events:
                if event["kind"] == "log":
                    print(event["payload"]["text"])

        supervise(Child(TALKER, prepare(Path(folder) / "run")), on_events=store, go_on=lambda: True)


def prepare(workdir: Path) -> Path:
    """A work folder with twenty generated pictures and enough steps for all blocks."""
    from tests.pipeline.shapes import artwork, make_workdir

    rows = [artwork(workdir, number, "test" if number % 5 == 0 else "train") for number in range(1, 21)]
    # No score and no checkpoint in between: this is about steps.
    return make_workdir(
        workdir, rows, steps=WARM_UP + BLOCK * BLOCKS + 1, evaluations=1, checkpoint_seconds=1e9, warmup_steps=1
    )


def train(workdir: Path) -> None:
    """The trainer's side: the pipeline's own loop, whose look for a stop after each step is our clock."""
    from training.pipeline import annotations, evaluate, events, stages, supervision, train, weights

    told = supervision.events_to_stdout(workdir / "trainer.log")

    @dataclasses.dataclass
    class Clock(supervision.Stop):
        times: list[float] = dataclasses.field(default_factory=list)

        def __post_init__(self) -> None:
            super().__init__()

        def talking(self) -> bool:
            return (len(self.times) - WARM_UP) // BLOCK % 2 == 0

        def wanted(self) -> bool:
            self.times.append(time.perf_counter())
            return False

    clock = Clock()
    run = stages.open_run(workdir, weights.default_dir(), lambda event: None, supervision.Stop())
    for name in ("annotations", "partition", "augment", "tfrecord", "configure"):
        stages.STAGES[name](run)
    trainer = train.build(run.config, run.memory["experiment"], run.manifest.labels, workdir, run.weights_dir)
    truth = annotations.load(annotations.coco_path(workdir, "test"))
    evaluator = evaluate.Evaluator(trainer.task, trainer.experiment, trainer.model, truth)

    def tell(event: dict[str, Any]) -> None:
        if clock.talking():
            told(event)

    train.train(trainer, workdir, evaluator, seconds=None, on_event=tell, stop=clock)
    told(events.log(compare(clock.times)))


def compare(times: list[float]) -> str:
    """The sentence about both medians. `times`: seconds at the end of each step."""
    seconds = [after - before for before, after in itertools.pairwise(times)][WARM_UP:]
    kinds: tuple[list[float], list[float]] = ([], [])
    for number, value in enumerate(seconds[: BLOCK * BLOCKS]):
        kinds[number // BLOCK % 2].append(value)
    telling, silent = (statistics.median(kind) for kind in kinds)
    told = f"{1 / telling:.2f} steps/s telling, {1 / silent:.2f} silent"
    return f"{told}; ratio {silent / telling:.3f} (goal: at least 0.98)"


if __name__ == "__main__":
    # The supervisor starts this module with a work folder and --supervised, as it does the pipeline.
    if "--supervised" in sys.argv:
        train(Path(sys.argv[1]))
    else:
        main()
