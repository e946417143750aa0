"""`python -m benchmarks.few_shot`: twenty artworks, five minutes: are ten of them found in visitors' photographs?

Of twenty paintings of iconart_cc ten are the concepts, one each, the other ten show none of them. A training with the
preset for one particular thing sees each painting once, as the museum has it. It is tested on simulated photographs:
the painting in its frame on a wall of the museum, seen from the side, under lamps of another colour, with a reflection
and a shadow, somebody's head before it, out of focus or shaken, noisy and stored small. None of this uses the code or
the numbers of our own augmentation. Prints AP and AP50 of the ten works (pycocotools, through the pipeline's own
evaluation). Target: AP50 0.9.

With `--beside 40` the museum looks for kinds of things as well: the four most frequent ones of iconart_cc, on forty
further paintings to learn from and twenty to test on. Their AP50 is printed too. `--rare` is that of `RunConfig`.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.accuracy import Result, run
from benchmarks.image_sets import Named, most_frequent, read_iconart
from training.pipeline import config, manifest

ARTWORKS, CONCEPTS, KINDS = 20, 10, 4
PHOTOGRAPH = "photograph_"
Pixels = npt.NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--weights", type=Path, default=Path("var/weights"))
    parser.add_argument("--workdir", type=Path, default=Path("var/benchmarks/few_shot"))
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--photographs", type=int, default=5, help="of each artwork")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--architecture", default="retinanet_mobilenet_v2")
    parser.add_argument("--beside", type=int, default=0, help="paintings with kinds of things to learn as well")
    parser.add_argument("--rare", type=float, help="another share below which a concept is rare")
    options = parser.parse_args()
    print(
        "| seed | photographs | steps | minutes in all | AP | AP50 | AP50 of the kinds |\n|" + " --- |" * 7, flush=True
    )
    for seed in options.seeds:
        workdir = options.workdir / f"{options.architecture}_{options.minutes:g}_{seed}"
        data = museum(options.data / "iconart_cc", workdir / "pictures", options.photographs, seed, options.beside)
        choice: dict[str, Any] = {"budget": "own", "minutes": options.minutes, "seed": seed}
        plan = config.plan(architecture=options.architecture, augmentation="instances", **choice)
        changes = {} if options.rare is None else {"rare": options.rare}
        tell(seed, run(data, dataclasses.replace(plan, seed=seed, **changes), workdir, options.weights), data)


def tell(seed: int, result: Result, data: Named) -> None:
    """The row of one seed."""
    labels = result.scores["per_label"]
    works, kinds = labels[:CONCEPTS], labels[CONCEPTS:]
    precision, half = (fmean(row[name] for row in works) for name in ("AP", "AP50"))
    tested = [row["AP50"] for row in kinds if row["AP50"] is not None]
    of_kinds = f"{fmean(tested):.3f}" if tested else "-"
    count = sum(PHOTOGRAPH in row["id"] for row in data["artworks"])
    took = f"{result.seconds / 60:.1f}"
    print(f"| {seed} | {count} | {result.steps} | {took} | {precision:.3f} | {half:.3f} | {of_kinds} |", flush=True)


def museum(source: Path, folder: Path, photographs: int, seed: int, beside: int = 0) -> Named:
    """A manifest: the paintings as they are to train on, photographs of them to test on; others with kinds `beside`."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = list(read_iconart(source))
    paintings = {name_of(row): Path(row["file"]) for row in rows}
    chosen = random.Random(seed).sample(sorted(paintings), ARTWORKS)
    artworks = []
    for number, name in enumerate(chosen, start=1):
        pixels = cv2.imread(str(paintings[name]))
        assert pixels is not None, paintings[name]
        height, width = pixels.shape[:2]
        label = number if number <= CONCEPTS else None
        artworks.append(entry(paintings[name], "train", label, (0.0, 0.0, float(width), float(height)), width, height))
        for copy, (picture, box) in enumerate(photographed(pixels.astype(np.uint8), photographs, seed * 1000 + number)):
            file = folder / f"{PHOTOGRAPH}{number:02d}_{copy}.jpg"
            cv2.imwrite(str(file), picture, [cv2.IMWRITE_JPEG_QUALITY, 70])
            artworks.append(entry(file, "test", label, box, picture.shape[1], picture.shape[0]))
    works = [{"id": number, "name": f"work {number}"} for number in range(1, CONCEPTS + 1)]
    kinds = company([row for row in rows if name_of(row) not in chosen], beside, seed)
    return {
        "version": manifest.VERSION,
        "dataset": {"id": "few_shot", "name": "few shot"},
        "seed": seed,
        "suggestions": "ignored",
        "labels": works + kinds["labels"],
        "artworks": artworks + kinds["artworks"],
    }


def company(rows: list[Named], count: int, seed: int) -> Named:
    """Labels and artworks of the kinds: `count` of `rows` to train on, half as many to test on."""
    random.Random(seed).shuffle(rows)
    parts = {"train": count, "test": count // 2}
    kept = [row for part, most in parts.items() for row in [row for row in rows if row["split"] == part][:most]]
    named = most_frequent("beside", kept, KINDS if count else 0)
    for label in named["labels"]:
        label["id"] += CONCEPTS
    for row in named["artworks"]:
        row["boxes"] = [{**box, "label": box["label"] + CONCEPTS} for box in row["boxes"]]
    return named


def name_of(row: Named) -> str:
    """The painting that a file shows."""
    return Path(row["file"]).name.split("_jpg.rf.")[0]


def entry(
    file: Path, split: str, label: int | None, box: tuple[float, float, float, float], width: int, height: int
) -> Named:
    """A manifest entry; without a label nothing is on it that is looked for."""
    boxes = [{"label": label, **dict(zip(("x", "y", "width", "height"), box, strict=True))}] if label else []
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    size = {"width": width, "height": height, "split": split, "nothing_to_mark": not boxes, "boxes": boxes}
    return {"id": f"{split}/{file.name}", "file": str(file.resolve()), "sha256": digest, **size}


def photographed(painting: Pixels, count: int, seed: int) -> Iterator[tuple[Pixels, tuple[float, float, float, float]]]:
    """Photographs of a painting (height × width × 3, BGR) with its box (x, y, width, height in pixels)."""
    dice = np.random.default_rng(seed)
    for _ in range(count):
        scene, corners = hung(painting, dice)
        left, top = np.clip(corners.min(0), 0, (scene.shape[1], scene.shape[0]))
        right, bottom = np.clip(corners.max(0), 0, (scene.shape[1], scene.shape[0]))
        scene = lit(scene, dice)
        scene = covered(scene, corners, dice)
        yield taken(scene, dice), (float(left), float(top), float(right - left), float(bottom - top))


def hung(painting: Pixels, dice: np.random.Generator) -> tuple[Pixels, npt.NDArray[np.float32]]:
    """The painting framed on a wall, 4:3 or 3:4, seen from the side: the scene and the painting's four corners."""
    width, height = (800, 600) if dice.random() < 0.5 else (600, 800)
    wall = np.full((height, width, 3), dice.integers(70, 235, 3), np.float32)
    wall += cv2.resize(dice.normal(0, 9, (height // 12, width // 12, 3)).astype(np.float32), (width, height))
    rows, columns = painting.shape[:2]
    border = int(dice.uniform(0.02, 0.09) * max(rows, columns))
    colour = [int(value) for value in dice.integers(15, 150, 3)]
    framed = cv2.copyMakeBorder(painting, border, border, border, border, cv2.BORDER_CONSTANT, value=colour)
    share = dice.uniform(0.4, 0.9) * min(width / framed.shape[1], height / framed.shape[0])
    half = np.array((framed.shape[1], framed.shape[0])) * share / 2
    margin = np.maximum(0, np.array((width, height)) / 2 - half)
    centre = np.array((width, height)) / 2 + dice.uniform(-1, 1, 2) * margin
    outline = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half
    seen = (outline * (1 + dice.uniform(-0.16, 0.16, (4, 2))) + centre).astype(np.float32)
    size = np.array((framed.shape[1], framed.shape[0]))
    flat = np.array([(0, 0), (size[0], 0), tuple(size), (0, size[1])], np.float32)
    view = cv2.getPerspectiveTransform(flat, seen)
    warped = cv2.warpPerspective(framed, view, (width, height), flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.ones(framed.shape[:2], np.float32), view, (width, height))[..., None]
    inner = np.array(
        [
            (border, border),
            (size[0] - border, border),
            (size[0] - border, size[1] - border),
            (border, size[1] - border),
        ],
        np.float32,
    )
    corners = cv2.perspectiveTransform(inner[None], view)[0].astype(np.float32)
    return np.clip(wall * (1 - mask) + warped * mask, 0, 255).astype(np.uint8), corners


def lit(scene: Pixels, dice: np.random.Generator) -> Pixels:
    """Lamps of another colour, light that falls off to one side, and the reflection of one of them."""
    height, width = scene.shape[:2]
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = dice.uniform(0, 2 * np.pi)
    along = (np.cos(angle) * (across / width - 0.5) + np.sin(angle) * (down / height - 0.5))[..., None]
    light = dice.uniform(0.6, 1.2) * (1 + dice.uniform(0, 0.7) * along) * dice.uniform(0.85, 1.15, 3)
    place, size = dice.uniform(0, 1, 2) * (width, height), dice.uniform(0.05, 0.14) * width
    glare = np.exp(-((across - place[0]) ** 2 + (down - place[1]) ** 2) / (2 * size**2))[..., None]
    seen: Pixels = np.clip(scene * light + dice.uniform(20, 130) * glare, 0, 255).astype(np.uint8)
    return seen


def covered(scene: Pixels, corners: npt.NDArray[np.float32], dice: np.random.Generator) -> Pixels:
    """In half of the photographs somebody's head and shoulders are before the lower part of the painting."""
    if dice.random() < 0.5:
        return scene
    left, right, bottom = corners[:, 0].min(), corners[:, 0].max(), corners[:, 1].max()
    radius = int(0.13 * (right - left))
    centre = (int(dice.uniform(left, right)), int(bottom - dice.uniform(0, 1.2) * radius))
    colour = tuple(int(value) for value in dice.integers(10, 90, 3))
    painted = scene.copy()
    cv2.circle(painted, centre, radius, colour, -1, cv2.LINE_AA)
    below = (centre[0], centre[1] + 3 * radius)
    cv2.ellipse(painted, below, (int(2.1 * radius), int(1.9 * radius)), 0, 0, 360, colour, -1, cv2.LINE_AA)
    return painted


def taken(scene: Pixels, dice: np.random.Generator) -> Pixels:
    """Out of focus or shaken, and the noise of a small sensor."""
    if dice.random() < 0.5:
        scene = cv2.GaussianBlur(scene, (0, 0), dice.uniform(0.5, 2.5)).astype(np.uint8)
    else:
        length, angle = int(dice.integers(3, 12)), dice.uniform(0, 180)
        turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), angle, 1)
        line = np.zeros((length, length), np.float32)
        line[length // 2] = 1
        kernel = cv2.warpAffine(line, turn, (length, length))
        scene = cv2.filter2D(scene, -1, kernel / kernel.sum()).astype(np.uint8)
    noise = dice.normal(0, dice.uniform(2, 9), scene.shape)
    return np.clip(scene + noise, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
