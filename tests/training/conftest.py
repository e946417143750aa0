"""Datasets that can be trained on, and detectors."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django_q.brokers import Broker, get_broker

from annotations.models import Label
from tests.training.starting import draw
from tests.training.zoo import Zoo, running
from training import services
from training.models import Detector


@pytest.fixture
def queue(db: None) -> Iterator[Broker]:
    """The queue of trainings, empty: Redis rolls nothing back when a test ends."""
    broker = get_broker("training")
    broker.purge_queue()
    yield broker
    broker.purge_queue()


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


@pytest.fixture
def pretrained(offline_weights: Path, monkeypatch: pytest.MonkeyPatch) -> Detector:
    monkeypatch.setattr(settings, "WEIGHTS_DIR", offline_weights)
    return services.register_pretrained(offline_weights / "openimages_ssd")


@pytest.fixture
def no_folders_of_earlier_runs() -> None:
    """Test databases number runs from 1 again; in an installation no run ever has another's number."""
    shutil.rmtree(settings.RUNS_DIR)
    Path(settings.RUNS_DIR).mkdir()


@pytest.fixture
def zoo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Zoo]:
    """Where the catalogue's archives are, on this machine; what is fetched goes to `tmp_path`."""
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    with running() as server:
        monkeypatch.setattr(settings, "ZOO_URL", server.url)
        yield server
