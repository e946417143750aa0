"""The pyramid and head that a training begins with: written into the model, classes by their names."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.pipeline.architectures import ARCHITECTURES
from training.pipeline.config import plan
from training.pipeline.manifest import LabelEntry

# Ten times what it takes on two idle cores.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.filterwarnings("ignore")]


def _model(architecture: str, classes: int) -> Any:
    from training.pipeline import transfer

    config = plan(architecture=architecture, budget="quick", augmentation="none", seed=1)
    return transfer.blank(config, classes=classes)


def _bias(model: Any, concepts: int) -> np.ndarray[Any, Any]:
    """What the classifier adds for each anchor (rows) and class (columns, the background first)."""
    bias: np.ndarray[Any, Any] = model.head._classifier.get_weights()[2]
    return bias.reshape(-1, concepts + 1)


@pytest.mark.parametrize("architecture", [key for key, value in ARCHITECTURES.items() if value.head])
def test_every_architecture_with_a_head_takes_it(architecture: str) -> None:
    from training.pipeline import pretrained_head

    labels = [LabelEntry(3, "ANGEL"), LabelEntry(5, "a thing that it has never seen")]
    model = _model(architecture, 2)
    fresh, before = _bias(model, 2).copy(), [value.numpy() for value in model.decoder.weights]
    backbone = [value.numpy() for value in model.backbone.weights]
    pretrained_head.load_into(model, ARCHITECTURES[architecture].head, labels)
    after = [value.numpy() for value in model.decoder.weights]
    assert all(np.isfinite(value).all() for value in after)
    assert all(np.any(old != new) for old, new in zip(before, after, strict=True) if old.ndim == 4)
    found = _bias(model, 2)
    assert not np.allclose(found[:, 1], fresh[:, 1])  # known, in whatever case
    assert np.allclose(found[:, 2], fresh[:, 2])  # begins as it would without it
    for old, new in zip(backbone, model.backbone.weights, strict=True):
        assert np.array_equal(old, new.numpy())


def test_what_is_saved_is_what_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.pipeline import pretrained_head

    monkeypatch.setattr(pretrained_head, "_FOLDER", tmp_path)
    model = _model("retinanet_mobilenet_v2", 1)
    pretrained_head.save(model, ["circle"], tmp_path / "shapes.npz")
    other = _model("retinanet_mobilenet_v2", 2)
    pretrained_head.load_into(other, "shapes", [LabelEntry(1, "square"), LabelEntry(2, "circle")])
    for old, new in zip(model.decoder.weights, other.decoder.weights, strict=True):
        assert np.allclose(old, new, atol=1e-3)
    assert np.allclose(_bias(other, 2)[:, 2], _bias(model, 1)[:, 1], atol=1e-2)


def test_a_head_of_another_backbone_is_refused() -> None:
    from training.pipeline import pretrained_head

    with pytest.raises(pretrained_head.HeadDoesNotFit, match="icons"):
        pretrained_head.load_into(_model("retinanet_efficientnet_lite0", 1), "icons", [LabelEntry(1, "angel")])


def test_a_plan_begins_with_it_and_older_runs_without() -> None:
    config = plan(architecture="retinanet_mobilenet_v2", budget="quick", augmentation="none", seed=1)
    assert config.pretrained_head == "icons"
    older = {key: value for key, value in dataclasses.asdict(config).items() if key != "pretrained_head"}
    assert type(config)(**older).pretrained_head == ""
