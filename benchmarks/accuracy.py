"""`python -m benchmarks.accuracy`: how good is a standard training on real artworks, beside the stock recipe?

Trains on ByzArt2K's and on iconart_cc's five most frequent concepts, each with its own test part, through
`python -m training.pipeline`: first as WebNet does it, then Model Garden's RetinaNet from scratch with every layer in
training, in the same minutes. Prints AP50, time and curve of both. The image sets are made
by others and are no part of the project; name their folder with `--data`.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from PIL import Image

from training.pipeline import config, manifest

CONCEPTS = 5

Named = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """What one training reached, and the AP50 of its test part on the way, by step."""

    title: str
    steps: int
    seconds: float
    scores: dict[str, Any]
    curve: list[tuple[int, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--weights", type=Path, default=Path("var/weights"))
    parser.add_argument("--workdir", type=Path, default=Path("var/benchmarks/accuracy"))
    parser.add_argument("--sets", nargs="+", choices=list(READERS), default=list(READERS))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--augmentation", choices=list(config.AUGMENTATIONS), default="categories")
    parser.add_argument("--architectures", nargs="+", default=["retinanet_mobilenet_v2"])
    parser.add_argument("--without-stock", action="store_true")
    options = parser.parse_args()
    for name in options.sets:
        data = most_frequent(name, list(READERS[name](options.data / name)))
        report(name, data, [run(name, data, plan, title, options) for title, plan in plans(data, options)])


def plans(data: Named, options: argparse.Namespace) -> Iterator[tuple[str, config.RunConfig]]:
    """What is compared: a title and a configuration each."""
    choice: dict[str, Any] = {"budget": "own", "minutes": options.minutes, "seed": 1}
    for architecture in options.architectures:
        yield architecture, config.plan(architecture=architecture, augmentation=options.augmentation, **choice)
    if not options.without_stock:
        stock = config.plan(architecture="retinanet_mobilenet_v2", augmentation="none", **choice)
        all_learn: dict[str, Any] = {"freeze_backbone": False, "release_at": 1.0, "backbone_rate": 1.0}
        changes: dict[str, Any] = {"weights": "", "flip": True, **all_learn}
        yield "stock, from scratch", dataclasses.replace(stock, **changes)


def run(name: str, data: Named, plan: config.RunConfig, title: str, options: argparse.Namespace) -> Result:
    """Train in a folder of its own and collect the events. Raises SystemExit when the training fails."""
    workdir = options.workdir / name / title.replace(", ", "_").replace(" ", "_")
    manifest.save(data, workdir)
    plan.save(workdir)
    command = [sys.executable, "-m", "training.pipeline", str(workdir), "--supervised", "--from", "annotations"]
    environment = {**os.environ, "WEBNET_WEIGHTS": str(options.weights)}
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
        raise SystemExit(f"{title} on {name} failed; see {workdir}/trainer.log")
    curve = [(row["step"], row["AP50"]) for row in evaluations]
    return Result(title, evaluations[-1]["step"], seconds, evaluations[-1], curve)


def show(event: dict[str, Any]) -> None:
    """One line on stderr that says where a training is."""
    payload = event["payload"]
    if event["kind"] == "metrics":
        text = f"step {payload['step']} of {payload['total_steps']}, loss {payload['loss']:.3f}"
    else:
        text = f"{payload.get('stage', event['kind'])} {payload.get('message') or payload.get('AP50', '')}"
    print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def report(name: str, data: Named, results: list[Result]) -> None:
    """Print the table of one image set."""
    parts = Counter(row["split"] for row in data["artworks"])
    labels = ", ".join(row["name"] for row in data["labels"])
    print(f"\n\n## {name}: {labels}; {parts['train']} pictures to train on, {parts['test']} to test on\n")
    print("| recipe | steps | minutes in all | AP | AP50 | AP50 per concept | AP50 on the way |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for result in results:
        concepts = ", ".join(f"{row['AP50']:.2f}" for row in result.scores["per_label"] if row["AP50"] is not None)
        curve = ", ".join(f"{step}: {value:.2f}" for step, value in result.curve)
        scores = f"{result.scores['AP']:.3f} | {result.scores['AP50']:.3f}"
        print(f"| {result.title} | {result.steps} | {result.seconds / 60:.1f} | {scores} | {concepts} | {curve} |")


def most_frequent(name: str, artworks: list[Named]) -> Named:
    """A manifest with the CONCEPTS labels that have the most training boxes; pictures without them are empty ones."""
    counts = Counter(box["label"] for row in artworks if row["split"] == "train" for box in row["boxes"])
    chosen = [label for label, _ in counts.most_common(CONCEPTS)]
    numbers = {label: number for number, label in enumerate(chosen, start=1)}
    for row in artworks:
        row["boxes"] = [{**box, "label": numbers[box["label"]]} for box in row["boxes"] if box["label"] in numbers]
        row["nothing_to_mark"] = not row["boxes"]
    return {
        "version": manifest.VERSION,
        "dataset": {"id": name, "name": name},
        "seed": 1,
        "suggestions": "ignored",
        "labels": [{"id": number, "name": label} for label, number in numbers.items()],
        "artworks": artworks,
    }


def read_byzart(folder: Path) -> Iterator[Named]:
    """ByzArt2K: JPEG and Pascal VOC side by side in train, valid and test."""
    for part in ("train", "valid", "test"):
        for file in sorted((folder / part).glob("*.jpg")):
            root = ElementTree.parse(file.with_suffix(".xml")).getroot()
            corners = [
                (str(row.findtext("name")), [float(row.findtext(f"bndbox/{side}") or 0) for side in SIDES])
                for row in root.iter("object")
            ]
            yield artwork(file, part, corners)


def read_iconart(folder: Path) -> Iterator[Named]:
    """iconart_cc (CC BY 4.0, Roboflow Universe, object-detection/iconart-fycpb): YOLO, no painting in two parts."""
    names = (folder / "data.yaml").read_text().split("names:")[1].strip().strip("[]").replace("'", "").split(", ")
    for part in ("train", "valid", "test"):
        for file in sorted((folder / "images" / part).glob("*.jpg")):
            with Image.open(file) as opened:
                width, height = opened.size
            corners = []
            for line in (folder / "labels" / part / f"{file.stem}.txt").read_text().splitlines():
                label, x, y, w, h = (float(value) for value in line.split())
                left, top = (x - w / 2) * width, (y - h / 2) * height
                corners.append((names[int(label)], [left, top, left + w * width, top + h * height]))
            yield artwork(file, part, corners)


SIDES = ("xmin", "ymin", "xmax", "ymax")
READERS: dict[str, Callable[[Path], Iterator[Named]]] = {"byzart": read_byzart, "iconart_cc": read_iconart}


def artwork(file: Path, part: str, corners: list[tuple[str, list[float]]]) -> Named:
    """A manifest entry; boxes are cut at the border, those without an area left out. valid is trained on."""
    with Image.open(file) as opened:
        width, height = opened.size
    boxes = []
    for label, (left, top, right, bottom) in corners:
        x, y = max(0.0, left), max(0.0, top)
        w, h = min(width, right) - x, min(height, bottom) - y
        if w > 0 and h > 0:
            boxes.append({"label": label, "x": x, "y": y, "width": w, "height": h})
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    size = {"width": width, "height": height}
    split = "test" if part == "test" else "train"
    return {"id": f"{part}/{file.name}", "file": str(file.resolve()), "sha256": digest, **size, "split": split} | {
        "nothing_to_mark": False,
        "boxes": boxes,
    }


if __name__ == "__main__":
    main()
