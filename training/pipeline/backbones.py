"""Put weights made elsewhere into Model Garden's backbones.

Two sources: the OpenImages SSD detector, a TFLite file whose batch normalisation is folded into its convolutions, and
EfficientNet-Lite0, a torch file. Both become a list of layers in order of execution, are made to accept Model
Garden's input normalisation, and are written into the backbone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tf_keras
from official.vision.modeling.backbones import mobilenet
from official.vision.modeling.layers import nn_blocks

from training.pipeline.torch_file import read_state_dict

Array = npt.NDArray[np.float32]

# Model Garden's input is (x / 255 - MEAN) / STD per channel.
MEAN = np.array((0.485, 0.456, 0.406), np.float32)
STD = np.array((0.229, 0.224, 0.225), np.float32)
EPSILON = 1e-3


class WeightsDoNotFit(ValueError):
    """The weights are not those of this backbone."""


@dataclass(frozen=True)
class ConvNorm:
    """A convolution (height, width, in, out; depthwise: height, width, channels, 1) and its batch normalisation."""

    kernel: Array
    gamma: Array
    beta: Array
    mean: Array
    variance: Array


def load_into(backbone: Any, weights: str, folder: Path) -> None:
    """Load the weights called `weights`, whose files are in `folder`, into `backbone`. Raises WeightsDoNotFit."""
    if weights == "openimages_ssd":
        # SSD saw x / 127.5 - 1, which is 2 · (x / 255) - 1.
        layers = with_input(read_ssd(folder / "model.tflite"), scale=2.0, shift=-1.0)
    elif weights == "efficientnet_lite0":
        # EfficientNet-Lite saw (x - 127) / 128.
        layers = with_input(read_lite0(folder / "model.pth"), scale=255 / 128, shift=-127 / 128)
    else:
        raise WeightsDoNotFit(f"Unknown weights “{weights}”.")
    assign(backbone, layers)


def keep_normalisation(backbone: Any) -> None:
    """Never train the backbone's batch normalisation: folded weights came without the statistics that this needs, and
    those of COCO or of an earlier training are better than what a few small batches tell."""
    for layer in backbone.submodules:
        if hasattr(layer, "moving_variance"):
            layer.trainable = False


def release(backbone: Any, channels: int) -> None:
    """Let the late stages of a frozen backbone learn: from the first block on that gives at least `channels` channels.

    The early ones see edges and textures, which are the same everywhere, and cost most (arXiv 1411.1792); the batch
    normalisation stays as it is. Of a backbone without inverted bottlenecks (ResNet, SpineNet) all stages learn: they
    are for machines that can.
    """
    backbone.trainable = True
    late = not any(map(_is_inverted, backbone.layers))
    for layer in backbone.layers:
        late = late or (_is_inverted(layer) and layer._out_filters >= channels)
        layer.trainable = late
    keep_normalisation(backbone)


def _is_inverted(layer: Any) -> bool:
    return isinstance(layer, nn_blocks.InvertedBottleneckBlock)


def pairs(backbone: Any) -> list[tuple[Any, Any]]:
    """The backbone's (convolution, batch normalisation) layers in order of execution."""
    return list(_pairs(backbone.layers))


def _pairs(layers: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    convolution = None
    for layer in layers:
        if isinstance(layer, nn_blocks.InvertedBottleneckBlock):
            if layer._expand_ratio > 1:
                yield layer._conv0, layer._norm0
            yield layer._conv1, layer._norm1
            yield layer._conv2, layer._norm2
        elif isinstance(layer, mobilenet.Conv2DBNBlock):
            yield layer._conv0, layer._norm0
        elif isinstance(layer, tf_keras.layers.Conv2D):
            convolution = layer
        elif isinstance(layer, tf_keras.layers.BatchNormalization):
            yield convolution, layer


def assign(backbone: Any, layers: list[ConvNorm]) -> None:
    """Write `layers` into the backbone. Raises WeightsDoNotFit when their number or a shape differs."""
    targets = pairs(backbone)
    if len(targets) != len(layers):
        raise WeightsDoNotFit(f"The weights have {len(layers)} layers, the backbone {len(targets)}.")
    for (convolution, norm), source in zip(targets, layers, strict=True):
        shape = convolution.get_weights()[0].shape
        if shape != source.kernel.shape:
            raise WeightsDoNotFit(f"{convolution.name} is {shape}, the weights are {source.kernel.shape}.")
        convolution.set_weights([source.kernel])
        norm.set_weights([source.gamma, source.beta, source.mean, source.variance])


def with_input(layers: list[ConvNorm], *, scale: float, shift: float) -> list[ConvNorm]:
    """Make layers that were trained on x01 · scale + shift (x01 in 0…1) take Model Garden's (x01 - MEAN) / STD instead.

    Exact inside the picture; at the padded border a zero now stands for another colour.
    """
    first = layers[0]
    kernel = first.kernel * (STD * scale)[None, None, :, None]
    offset = (first.kernel * (MEAN * scale + shift)[None, None, :, None]).sum((0, 1, 2))
    return [replace(first, kernel=kernel, mean=first.mean - offset), *layers[1:]]


def read_ssd(path: Path) -> list[ConvNorm]:
    """The MobileNetV2 of the OpenImages SSD file; its folded normalisation becomes an identity with a bias."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_path=str(path),
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    interpreter.invoke()  # float16 constants are widened by operations of the graph
    names = {tensor["index"]: tensor["name"] for tensor in interpreter.get_tensor_details()}
    layers = []
    for operation in interpreter._get_ops_details():
        name = names[operation["outputs"][0]].split(";")[0]
        is_convolution = operation["op_name"] in ("CONV_2D", "DEPTHWISE_CONV_2D")
        if is_convolution and name.startswith("FeatureExtractor/MobilenetV2/") and "layer_19" not in name:
            kernel, bias = (interpreter.get_tensor(operation["inputs"][i]).astype(np.float32) for i in (1, 2))
            layers.append(_folded(kernel.transpose(1, 2, 3, 0), bias))
    return layers


def _folded(kernel: Array, bias: Array) -> ConvNorm:
    ones, zeros = np.ones_like(bias), np.zeros_like(bias)
    return ConvNorm(kernel, gamma=ones, beta=bias, mean=zeros, variance=np.full_like(bias, 1 - EPSILON))


def read_lite0(path: Path) -> list[ConvNorm]:
    """The layers of EfficientNet-Lite0's torch file, without its classifier."""
    state = read_state_dict(path)

    def layer(convolution: str, norm: str) -> ConvNorm:
        kernel = state[f"{convolution}.weight"]  # out, in, height, width; depthwise: channels, 1, height, width
        axes = (2, 3, 0, 1) if "depthwise" in convolution else (2, 3, 1, 0)
        values = [state[f"{norm}.{name}"] for name in ("weight", "bias", "running_mean", "running_var")]
        return ConvNorm(kernel.transpose(axes), *values)

    layers = [layer("_conv_stem", "_bn0")]
    for block in range(16):
        prefix = f"_blocks.{block}."
        if f"{prefix}_expand_conv.weight" in state:
            layers.append(layer(f"{prefix}_expand_conv", f"{prefix}_bn0"))
        layers.append(layer(f"{prefix}_depthwise_conv", f"{prefix}_bn1"))
        layers.append(layer(f"{prefix}_project_conv", f"{prefix}_bn2"))
    return [*layers, layer("_conv_head", "_bn1")]
