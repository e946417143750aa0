"""Going on from an earlier detector when concepts have come, gone or changed places."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.pipeline.config import ConfigError, RunConfig, plan
from training.pipeline.manifest import LabelEntry

# Ten times what it takes on two idle cores.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

KNOWN = [LabelEntry(7, "circle"), LabelEntry(9, "square")]


@pytest.fixture(scope="module")
def config() -> RunConfig:
    return plan(architecture="retinanet_mobilenet_v2", budget="quick", augmentation="none", seed=1)


def _model(config: RunConfig, classes: int) -> Any:
    from official.vision.tasks.retinanet import RetinaNetTask

    from training.pipeline import configure

    return RetinaNetTask(configure.build(config, classes=classes, workdir=Path("/nowhere")).task).build_model()


@pytest.fixture(scope="module")
def earlier(config: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The folder of a detector of KNOWN whose classifier has weights that say what they are for, and its model."""
    from training.pipeline import transfer

    folder = tmp_path_factory.mktemp("detector")
    model = _model(config, len(KNOWN))
    classifier = model.head._classifier
    classifier.set_weights(
        [np.arange(value.size, dtype=np.float32).reshape(value.shape) for value in classifier.get_weights()]
    )
    transfer.keep(model, folder)
    labels = [{"id": label.id, "name": label.name} for label in KNOWN]
    (folder / "detector.json").write_text(json.dumps({"labels": labels}))
    return folder, model


def _by_class(model: Any, classes: int) -> list[np.ndarray[Any, Any]]:
    """The pointwise kernel and the bias of the classifier, with the class as their last axis."""
    _, kernel, bias = model.head._classifier.get_weights()
    return [kernel.reshape(*kernel.shape[:-1], -1, classes + 1), bias.reshape(-1, classes + 1)]


@pytest.mark.filterwarnings("ignore")
def test_concepts_keep_what_was_learnt_of_them_and_new_ones_begin_anew(
    config: RunConfig, earlier: tuple[Path, Any]
) -> None:
    from training.pipeline import transfer

    folder, before = earlier
    labels = [LabelEntry(9, "square"), LabelEntry(11, "star"), LabelEntry(3, "Circle")]
    model = _model(config, 3)
    fresh = _by_class(model, 3)
    transfer.go_on_from(folder, model, config, labels)
    for old, new, begun in zip(_by_class(before, 2), _by_class(model, 3), fresh, strict=True):
        np.testing.assert_array_equal(new[..., 0], old[..., 0], "the background")
        np.testing.assert_array_equal(new[..., 1], old[..., 2], "the same concept in another place")
        np.testing.assert_array_equal(new[..., 2], begun[..., 2], "a new concept")
        np.testing.assert_array_equal(new[..., 3], old[..., 1], "a concept of another dataset with the same name")


@pytest.mark.filterwarnings("ignore")
def test_all_else_is_as_it_was(config: RunConfig, earlier: tuple[Path, Any]) -> None:
    from training.pipeline import transfer

    folder, before = earlier
    model = _model(config, 1)
    transfer.go_on_from(folder, model, config, KNOWN[:1])
    classifier = {id(weight) for weight in model.head._classifier.weights}
    pairs = [pair for pair in zip(model.weights, before.weights, strict=True) if id(pair[0]) not in classifier]
    assert len(pairs) > 200
    for now, then in pairs:
        np.testing.assert_array_equal(now.numpy(), then.numpy())


@pytest.fixture(scope="module")
def untouched(config: RunConfig) -> Any:
    return _model(config, 2)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("damage", ["no description", "half the weights", "another detector"])
def test_what_cannot_be_gone_on_from_is_refused_and_nothing_is_changed(
    config: RunConfig, earlier: tuple[Path, Any], untouched: Any, tmp_path: Path, damage: str
) -> None:
    import shutil

    from training.pipeline import transfer

    folder = tmp_path / "detector"
    shutil.copytree(earlier[0], folder)
    if damage == "no description":
        (folder / "detector.json").unlink()
    elif damage == "half the weights":
        (data,) = (folder / "checkpoint").glob("*.data*")
        data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])
    else:
        (folder / "detector.json").write_text(json.dumps({"labels": [{"id": n, "name": str(n)} for n in range(5)]}))
    before = [weight.numpy() for weight in untouched.weights]
    with pytest.raises(ConfigError, match="go on from"):
        transfer.go_on_from(folder, untouched, config, KNOWN)
    for weight, value in zip(untouched.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)
