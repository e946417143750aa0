"""`python -m benchmarks.accuracy`: how good is a training in so many minutes, beside what else one could do in them?

Trains through `python -m training.pipeline` on the most frequent concepts of three image sets made by others (name
their folder with `--data`), each with its own test part, with one seed after the other:

- `ours`: as WebNet plans it;
- `frozen`: the usual fine-tuning, the same pretrained backbone kept frozen, mirrored pictures, no changed copies;
- `stock`: Model Garden's RetinaNet from scratch with every layer in training.

Prints the mean over the seeds, and every seed's own AP, for AP and AP50 with their curves.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.image_sets import READERS, Named, read
from training.pipeline import config, manifest

_COLUMNS = "| recipe | minutes | steps | minutes in all | AP | AP50 | AP of each seed | AP50 on the way (first seed) |"


@dataclass(frozen=True)
class Result:
    """What one training reached, and the AP50 of its test part on the way, by step."""

    steps: int
    seconds: float
    scores: dict[str, Any]
    curve: list[tuple[int, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--weights", type=Path, default=Path("var/weights"))
    parser.add_argument("--workdir", type=Path, default=Path("var/benchmarks/accuracy"))
    parser.add_argument("--sets", nargs="+", choices=list(READERS), default=list(READERS))
    parser.add_argument("--recipes", nargs="+", choices=list(RECIPES), default=list(RECIPES))
    parser.add_argument("--minutes", nargs="+", type=float, default=[5, 20])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--concepts", type=int, default=10)
    parser.add_argument("--augmentation", choices=list(config.AUGMENTATIONS), default="categories")
    parser.add_argument("--architecture", default="retinanet_mobilenet_v2")
    parser.add_argument("--start", default="", help="folder of a detector that ours goes on from")
    options = parser.parse_args()
    for name in options.sets:
        data = read(name, options.data, options.concepts)
        smallest = manifest.parse(data, Path()).smallest
        introduce(name, data, _COLUMNS)
        for minutes in options.minutes:
            for recipe in options.recipes:
                plan = RECIPES[recipe](options, minutes, smallest)
                if name == "byzart":
                    # It comes from this training part: what was spent on it before would be time on the same data.
                    plan = dataclasses.replace(plan, pretrained_head="")
                results = []
                for seed in options.seeds:
                    workdir = options.workdir / name / f"{recipe}_{minutes:g}_{seed}"
                    own = {**data, "seed": seed}
                    results.append(run(own, dataclasses.replace(plan, seed=seed), workdir, options.weights))
                report(recipe, minutes, results)


def ours(options: argparse.Namespace, minutes: float, smallest: float | None) -> config.RunConfig:
    """What a person gets who chooses these minutes; `smallest`: of the data, as `Manifest` has it."""
    choice: dict[str, Any] = {"budget": "own", "minutes": minutes, "seed": 1, "smallest": smallest}
    if options.start:
        described = json.loads((Path(options.start) / "detector.json").read_text(encoding="utf-8"))
        choice |= {"start": options.start, "start_size": described["input_size"]}
    return config.plan(architecture=options.architecture, augmentation=options.augmentation, **choice)


def frozen(options: argparse.Namespace, minutes: float, smallest: float | None) -> config.RunConfig:
    """Fine-tuning on a frozen backbone."""
    choice: dict[str, Any] = {"budget": "own", "minutes": minutes, "seed": 1}
    plan = config.plan(architecture="retinanet_mobilenet_v2", augmentation="none", **choice)
    usual: dict[str, Any] = {"release_at": 1.0, "pretrained_head": "", "feature_uses": 1, "learning_rate": 1e-3}
    return dataclasses.replace(plan, flip=True, **usual)


def stock(options: argparse.Namespace, minutes: float, smallest: float | None) -> config.RunConfig:
    """Everything from scratch."""
    all_learn: dict[str, Any] = {"freeze_backbone": False}
    return dataclasses.replace(frozen(options, minutes, smallest), weights="", **all_learn)


RECIPES: dict[str, Callable[[argparse.Namespace, float, float | None], config.RunConfig]] = {
    "ours": ours,
    "frozen": frozen,
    "stock": stock,
}


def run(data: Named, plan: config.RunConfig, workdir: Path, weights: Path) -> Result:
    """Train in `workdir` and collect the events. Raises SystemExit when the training fails."""
    manifest.save(data, workdir)
    plan.save(workdir)
    command = [sys.executable, "-m", "training.pipeline", str(workdir), "--supervised", "--from", "annotations"]
    environment = {**os.environ, "WEBNET_WEIGHTS": str(weights)}
    evaluations, seconds = [], 0.0
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        started = time.monotonic()
        for line in process.stdout:
            event = json.loads(line)
            show(event)
            if event["kind"] == "evaluation":
                evaluations.append(event["payload"])
        seconds = time.monotonic() - started
    if process.returncode or not evaluations:
        raise SystemExit(f"The training failed; see {workdir}/trainer.log")
    curve = [(row["step"], row["AP50"]) for row in evaluations]
    return Result(evaluations[-1]["step"], seconds, evaluations[-1], curve)


def show(event: dict[str, Any]) -> None:
    """One line on stderr that says where a training is."""
    payload = event["payload"]
    if event["kind"] == "metrics":
        text = f"step {payload['step']} of {payload['total_steps']}, loss {payload['loss']:.3f}"
    else:
        text = f"{payload.get('stage', event['kind'])} {payload.get('message') or payload.get('AP50', '')}"
    print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def introduce(name: str, data: Named, columns: str) -> None:
    """Say what is trained on, and begin the table of one image set with `columns`, a Markdown row."""
    parts = Counter(row["split"] for row in data["artworks"])
    labels = ", ".join(row["name"] for row in data["labels"])
    print(f"\n\n## {name}: {labels}; {parts['train']} pictures to train on, {parts['test']} to test on\n")
    print(columns)
    print("|" + " --- |" * (columns.count("|") - 1), flush=True)


def report(recipe: str, minutes: float, results: list[Result]) -> None:
    """Print the row of one recipe: means over the seeds."""
    precision, half = (fmean(result.scores[key] for result in results) for key in ("AP", "AP50"))
    each = ", ".join(f"{result.scores['AP']:.3f}" for result in results)
    curve = ", ".join(f"{step}: {value:.2f}" for step, value in results[0].curve)
    steps = round(fmean(result.steps for result in results))
    took = fmean(result.seconds for result in results) / 60
    row = f"| {recipe} | {minutes:g} | {steps} | {took:.1f} | {precision:.3f} | {half:.3f} | {each} | {curve} |"
    print(row, flush=True)


if __name__ == "__main__":
    main()
