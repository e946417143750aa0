"""What can be chosen for a training, what it costs, and the frozen configuration of one run."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from training.pipeline.translation import gettext_noop

FILE_NAME = "config.json"

Option = TypeVar("Option")


class ConfigError(ValueError):
    """A configuration that cannot be run; the message says which value is wrong."""


@dataclass(frozen=True)
class Architecture:
    """A detector that can be trained.

    `input_size`: side in pixels of the square it sees; `weights`: folder of its starting weights below the weights
    directory; `step_seconds`: one step of `batch_size` images on two cores.
    """

    key: str
    title: str
    description: str
    input_size: int
    backbone: str
    weights: str
    batch_size: int
    step_seconds: float


@dataclass(frozen=True)
class Budget:
    """How long to train: steps for a dataset of ordinary size, and how often the test part is evaluated on the way."""

    key: str
    title: str
    description: str
    steps: int
    evaluations: int


@dataclass(frozen=True)
class Augmentation:
    """How training pictures are varied: `copies` changed copies of each on disk; `flip`: mirror them while training."""

    key: str
    title: str
    description: str
    copies: int
    flip: bool


ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        "retinanet_mobilenet_v2": Architecture(
            key="retinanet_mobilenet_v2",
            title=gettext_noop("RetinaNet · MobileNetV2"),
            description=gettext_noop(
                "Knows photographs of people, animals and things already. The best choice on a laptop."
            ),
            input_size=256,
            backbone="mobilenet_v2",
            weights="openimages_ssd",
            batch_size=8,
            step_seconds=0.21,
        ),
        "retinanet_mobilenet_v2_384": Architecture(
            key="retinanet_mobilenet_v2_384",
            title=gettext_noop("RetinaNet · MobileNetV2, finer"),
            description=gettext_noop("The same, looking more closely: finds small details, and takes twice as long."),
            input_size=384,
            backbone="mobilenet_v2",
            weights="openimages_ssd",
            batch_size=8,
            step_seconds=0.47,
        ),
        "retinanet_efficientnet_lite0": Architecture(
            key="retinanet_efficientnet_lite0",
            title=gettext_noop("RetinaNet · EfficientNet-Lite0"),
            description=gettext_noop("Starts from a classifier of a thousand kinds of things. Worth comparing."),
            input_size=256,
            backbone="efficientnet_lite0",
            weights="efficientnet_lite0",
            batch_size=8,
            step_seconds=0.26,
        ),
    }
)

BUDGETS: Mapping[str, Budget] = MappingProxyType(
    {
        "quick": Budget(
            "quick", gettext_noop("Quick"), gettext_noop("A first look at what the detector can learn."), 300, 3
        ),
        "standard": Budget(
            "standard", gettext_noop("Standard"), gettext_noop("The usual choice for a detector to work with."), 1500, 6
        ),
        "thorough": Budget(
            "thorough", gettext_noop("Thorough"), gettext_noop("For the last few percent, over lunch."), 5000, 10
        ),
    }
)

AUGMENTATIONS: Mapping[str, Augmentation] = MappingProxyType(
    {
        "none": Augmentation(
            "none", gettext_noop("None"), gettext_noop("Pictures are only zoomed in and out a little."), 0, False
        ),
        "gentle": Augmentation(
            "gentle",
            gettext_noop("Gentle"),
            gettext_noop("Slight changes of light, colour and size. Nothing is mirrored."),
            1,
            False,
        ),
        "categories": Augmentation(
            "categories",
            gettext_noop("Kinds of things"),
            gettext_noop("Mirrored, turned a little and relit: for concepts such as “angel” or “book”."),
            2,
            True,
        ),
        "instances": Augmentation(
            "instances",
            gettext_noop("One particular thing"),
            gettext_noop(
                "Seen from an angle, in other light, blurred or cut off, never mirrored: to find one particular work"
                " again in visitors' photographs."
            ),
            3,
            False,
        ),
    }
)

# Seconds on two cores, measured: loading TensorFlow, building the model and its backbone, exporting and converting.
_FIXED_SECONDS = 75.0
_SECONDS_PER_COPY = 0.05
_SECONDS_PER_EVALUATED_IMAGE = 0.03
TEST_SHARE = 0.2


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides a run, so that it can be repeated. Sizes are in pixels, `step` counts batches."""

    architecture: str
    backbone: str
    weights: str
    budget: str
    augmentation: str
    seed: int
    steps: int
    batch_size: int
    input_size: int
    copies: int
    flip: bool
    evaluations: int
    learning_rate: float = 1e-3
    warmup_steps: int = 50
    clip_norm: float = 10.0
    weight_decay: float = 4e-5
    freeze_backbone: bool = True
    scale_min: float = 0.7
    scale_max: float = 1.4
    max_boxes: int = 100
    checkpoint_seconds: float = 20.0

    def save(self, workdir: Path | str) -> Path:
        """Write WORKDIR/config.json and return its path."""
        path = Path(workdir) / FILE_NAME
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n", encoding="utf-8")
        return path


def load(workdir: Path | str) -> RunConfig:
    """Read WORKDIR/config.json. Raises ConfigError when it is missing, no JSON, or has other fields than RunConfig."""
    path = Path(workdir) / FILE_NAME
    try:
        return RunConfig(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{path} cannot be used as a configuration: {error}") from None


def plan(*, architecture: str, budget: str, augmentation: str, seed: int, images: int) -> RunConfig:
    """The configuration of a run on `images` artworks. Raises ConfigError for an unknown key, naming the known ones."""
    chosen = _choose(ARCHITECTURES, "architecture", architecture)
    length = _choose(BUDGETS, "budget", budget)
    variety = _choose(AUGMENTATIONS, "augmentation", augmentation)
    return RunConfig(
        architecture=chosen.key,
        backbone=chosen.backbone,
        weights=chosen.weights,
        budget=length.key,
        augmentation=variety.key,
        seed=seed,
        steps=_steps(length, images),
        batch_size=chosen.batch_size,
        input_size=chosen.input_size,
        copies=variety.copies,
        flip=variety.flip,
        evaluations=length.evaluations,
    )


def estimate_seconds(architecture: str, budget: str, images: int) -> int:
    """Seconds that a run on `images` artworks will take on two cores, from start to registered detector."""
    chosen = _choose(ARCHITECTURES, "architecture", architecture)
    length = _choose(BUDGETS, "budget", budget)
    copies = max(variety.copies for variety in AUGMENTATIONS.values())
    evaluated = images * TEST_SHARE * (length.evaluations + 1)
    seconds = _FIXED_SECONDS + _steps(length, images) * chosen.step_seconds
    return round(seconds + images * copies * _SECONDS_PER_COPY + evaluated * _SECONDS_PER_EVALUATED_IMAGE)


def _steps(budget: Budget, images: int) -> int:
    """More pictures need more steps; beyond four times the ordinary 250 pictures the budget is the limit."""
    factor = min(2.0, max(1.0, math.sqrt(images / 250)))
    return round(budget.steps * factor)


def _choose(options: Mapping[str, Option], what: str, key: str) -> Option:
    if key not in options:
        raise ConfigError(f"Unknown {what} “{key}”. Choose one of: {', '.join(options)}.")
    return options[key]
