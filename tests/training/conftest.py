"""Datasets that can be trained on, and detectors."""

from typing import Any

import pytest

from annotations.models import Label
from tests.training.starting import draw
from training.models import Detector


@pytest.fixture
def ready(dataset: Any, label: Label, make_artwork: Any) -> Any:
    """A dataset on which a training may start: six annotated artworks."""
    for seed in range(6):
        draw(make_artwork(dataset, seed), label)
    return dataset


@pytest.fixture
def detector(dataset: Any) -> Detector:
    return Detector.objects.create(
        name="Pretrained",
        kind="pretrained",
        architecture="x",
        input_size=300,
        labels=[{"id": 1, "name": "Person"}],
        folder="x",
    )
