"""Weights made elsewhere compute in Model Garden's backbones what they computed where they come from."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def _backbone(architecture: str, size: int) -> Any:
    import tf_keras
    from official.vision.modeling.backbones import factory

    from training.pipeline import config, configure

    plan = config.plan(architecture=architecture, budget="quick", augmentation="none", seed=1)
    model = configure.build(plan, classes=2, workdir=Path("/nowhere")).task.model
    picture = tf_keras.layers.InputSpec(shape=[None, size, size, 3])
    return factory.build_backbone(picture, model.backbone, model.norm_activation)


def _picture(size: int) -> Any:
    grain = np.random.default_rng(3).random((1, 8, 8, 3), np.float32)
    side = -(-size // 8)
    return np.kron(grain, np.ones((1, side, side, 1), np.float32))[:, :size, :size]


def _normalised(picture: Any) -> Any:
    from training.pipeline.backbones import MEAN, STD

    return (picture - MEAN) / STD


def _ssd_features(path: Path, picture: Any, name: str) -> Any:
    """What the packaged detector's own layer `name` computes, run by LiteRT."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_path=str(path),
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture * 2 - 1)
    interpreter.invoke()
    details = [row for row in interpreter.get_tensor_details() if row["name"].split(";")[0].startswith(name)]
    return interpreter.get_tensor(details[-1]["index"])


def test_the_openimages_backbone_sees_what_the_detector_saw(offline_weights: Path) -> None:
    from training.pipeline import backbones

    folder = offline_weights / "openimages_ssd"
    backbone = _backbone("retinanet_mobilenet_v2", 300)
    backbones.load_into(backbone, "openimages_ssd", folder)
    picture = _picture(300)
    ours = backbone(_normalised(picture), training=False)
    theirs = _ssd_features(folder / "model.tflite", picture, "FeatureExtractor/MobilenetV2/expanded_conv_5/add")
    level = ours["3"].numpy()
    assert level.shape == theirs.shape
    # Zero padding stands for another colour in Model Garden, so only the inside is the same.
    inside = (slice(None), slice(12, -12), slice(12, -12))
    assert np.abs(level[inside] - theirs[inside]).max() < 1e-3 * np.abs(theirs).max()


def test_a_pretrained_normalisation_is_never_trained(offline_weights: Path) -> None:
    from training.pipeline import backbones

    backbone = _backbone("retinanet_mobilenet_v2", 256)
    backbones.load_into(backbone, "openimages_ssd", offline_weights / "openimages_ssd")
    backbones.keep_normalisation(backbone)
    picture = _normalised(_picture(256))
    still, learning = (backbone(picture, training=training)["5"].numpy() for training in (False, True))
    assert np.allclose(still, learning, atol=1e-5)


def test_lite0_tells_pictures_apart_and_fits(offline_weights: Path) -> None:
    from training.pipeline import backbones

    backbone = _backbone("retinanet_efficientnet_lite0", 256)
    backbones.load_into(backbone, "efficientnet_lite0", offline_weights / "efficientnet_lite0")
    features = backbone(_normalised(_picture(256)), training=False)["5"].numpy()
    assert np.isfinite(features).all() and 0.01 < features.std() < 100


def test_weights_of_another_backbone_are_refused(offline_weights: Path) -> None:
    from training.pipeline import backbones

    layers = backbones.read_lite0(offline_weights / "efficientnet_lite0" / "model.pth")
    with pytest.raises(backbones.WeightsDoNotFit):
        backbones.assign(_backbone("retinanet_mobilenet_v2", 256), layers)
