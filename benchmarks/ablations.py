"""`python -m benchmarks.ablations`: what does each part of a training bring, left out on its own?

Trains as WebNet plans it, and again with one part left out or another choice in its place, for the same minutes, with
the same seeds and on the same image sets as `benchmarks.accuracy`. Prints AP and AP50 as means over the seeds, and by
how much the AP of each seed differs from that of the training as planned. The rate falls when the backbone is released,
so whatever changes the one changes the other.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from types import MappingProxyType
from typing import Any

from benchmarks.accuracy import Result, introduce, ours, run
from benchmarks.image_sets import READERS, read
from training.pipeline import manifest

PLANNED, NO_HEAD = "as planned", "head that knows nothing"
# Other values of the plan's fields.
VARIANTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        PLANNED: {},
        "backbone frozen to the end at its first rate": {"release_at": 1.0},
        "backbone released at six tenths": {"release_at": 0.6},
        "backbone released from the start at the low rate": {"release_at": 0.0},
        "rate kept when the backbone is released": {"released_rate": 1.0},
        "more of the backbone released": {"release_channels": 32},
        "backbone at a third of the rate of the head": {"backbone_rate": 0.3},
        "low rate from the start": {"learning_rate": 1e-3, "released_rate": 1.0},
        "rate that never falls by itself": {"falls_from": 1.0},
        "no warm-up": {"warmup_steps": 1},
        "small things seen in the usual square": {"input_size": 256},
        "features used once": {"feature_uses": 1},
        "no changed copies": {"copies": 0},
        "changed copies however many artworks there are": {"most_varied": 1_000_000},
        "as many, and more of what is rare": {"most_varied": 1_000_000, "rare": 1.0},
        "nothing mirrored": {"flip": False},
        "nothing zoomed": {"scale_min": 1.0, "scale_max": 1.0},
        NO_HEAD: {"pretrained_head": ""},
        "such a head, and no warm-up": {"pretrained_head": "", "warmup_steps": 1},
        "pictures with nothing to mark left out": {"empty": 0.0},
        "all pictures with nothing to mark": {"empty": 1_000_000.0},
    }
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--weights", type=Path, default=Path("var/weights"))
    parser.add_argument("--workdir", type=Path, default=Path("var/benchmarks/ablations"))
    parser.add_argument("--sets", nargs="+", choices=list(READERS), default=["iconart_cc", "bccd"])
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--concepts", type=int, default=10)
    parser.add_argument("--after", type=int, default=0, help="so many of the most frequent concepts are passed over")
    options = parser.parse_args()
    options.architecture, options.augmentation, options.start = "retinanet_mobilenet_v2", "categories", ""
    for name in options.sets:
        compare(name, options)


def compare(name: str, options: argparse.Namespace) -> None:
    """The table of one image set."""
    data = read(name, options.data, options.concepts, options.after)
    introduce(name, data, "| variant | steps | AP | AP50 | AP of each seed beside the planned one |")
    usual = ours(options, options.minutes, manifest.parse(data, Path()).smallest)
    planned: list[Result] = []
    # byzart is where the head comes from, which is never used on it.
    left_out = {PLANNED, NO_HEAD} if name == "byzart" else {PLANNED}
    for variant in (PLANNED, *(variant for variant in options.variants if variant not in left_out)):
        changes = VARIANTS[variant]
        if variant != PLANNED and dataclasses.replace(usual, **changes) == usual:
            print(f"| {variant} | that is what is planned here |", flush=True)
            continue
        results = []
        for seed in options.seeds:
            plan = dataclasses.replace(usual, seed=seed, **changes)
            if name == "byzart":
                plan = dataclasses.replace(plan, pretrained_head="")
            workdir = options.workdir / name / f"{variant.replace(' ', '_')}_{seed}"
            results.append(run({**data, "seed": seed}, plan, workdir, options.weights))
        planned = planned or results
        tell(variant, results, planned)


def tell(variant: str, results: list[Result], planned: list[Result]) -> None:
    """The row of one variant."""
    precision, half = (fmean(result.scores[key] for result in results) for key in ("AP", "AP50"))
    pairs = zip(results, planned, strict=True)
    beside = ", ".join(f"{own.scores['AP'] - other.scores['AP']:+.3f}" for own, other in pairs)
    steps = round(fmean(result.steps for result in results))
    print(f"| {variant} | {steps} | {precision:.3f} | {half:.3f} | {beside} |", flush=True)


if __name__ == "__main__":
    main()
