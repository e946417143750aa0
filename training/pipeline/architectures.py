"""The catalogue of detectors that can be trained: networks of the TensorFlow Model Garden, and what is known of each.

Parameters are counted with ten concepts. Accuracies are the Model Garden's own, for its RetinaNet with that backbone
trained on COCO at the size that is named; ours have a smaller pyramid and head on the small backbones. Steps were timed
on two cores without a GPU.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from training.pipeline.translation import gettext_noop

LAPTOP, GPU = "laptop", "gpu"
# What the TFLite files of detectors trained here are called in their descriptions, by `Architecture.looks`.
FORMATS = MappingProxyType({1: "retinanet_tflite", 2: "faster_rcnn_tflite"})
# The file that is made of one when somebody asks for it (`onnx_file`).
ONNX = "model.onnx"


@dataclass(frozen=True)
class Architecture:
    """A detector that can be trained.

    `experiment`: the Model Garden experiment that it is made from; `input_size`: side in pixels of the square it sees;
    `parameters`: in millions; `coco_ap`: COCO AP in percent that Model Garden publishes for it at `coco_size` pixels,
    None where it publishes none; `suited`: the least machine that trains it in reasonable time, LAPTOP or GPU.
    `weights`: folder of its starting weights below the weights directory, "" where none come with the installation: it
    then begins from nothing, or from a detector fetched out of the catalogue; `head`: the pyramid and head that it
    begins with (`pretrained_head`), if any. `step_seconds`: one step of `batch_size` images on two cores, a first guess
    until a run has measured it. `looks`: 2 for a detector that proposes places before it looks at each, else 1.
    """

    key: str
    title: str
    description: str
    experiment: str
    backbone: str
    input_size: int
    parameters: float
    coco_ap: float | None
    coco_size: int
    suited: str
    batch_size: int
    step_seconds: float
    learning_rate: float = 1e-3
    weights: str = ""
    head: str = ""
    looks: int = 1
    license: str = "Apache-2.0"


ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        entry.key: entry
        for entry in (
            Architecture(
                key="retinanet_mobilenet_v2",
                title=gettext_noop("RetinaNet · MobileNetV2"),
                description=gettext_noop(
                    "Knows photographs of people, animals and things already. The best choice on a laptop. Looks more"
                    " closely where things are small and there are ten minutes or more."
                ),
                experiment="retinanet_resnetfpn_coco",
                backbone="mobilenet_v2",
                input_size=256,
                parameters=2.4,
                coco_ap=23.5,
                coco_size=256,
                suited=LAPTOP,
                weights="openimages_ssd",
                batch_size=8,
                step_seconds=0.21,
                learning_rate=5e-3,
                head="icons",
            ),
            Architecture(
                key="retinanet_mobilenet_v2_384",
                title=gettext_noop("RetinaNet · MobileNetV2, finer"),
                description=gettext_noop(
                    "The same, looking more closely at everything and in every training: takes twice as long."
                ),
                experiment="retinanet_resnetfpn_coco",
                backbone="mobilenet_v2",
                input_size=384,
                parameters=2.4,
                coco_ap=None,
                coco_size=384,
                suited=LAPTOP,
                weights="openimages_ssd",
                batch_size=8,
                step_seconds=0.47,
                learning_rate=5e-3,
                head="icons",
            ),
            Architecture(
                key="retinanet_efficientnet_lite0",
                title=gettext_noop("RetinaNet · EfficientNet-Lite0"),
                description=gettext_noop("Starts from a classifier of a thousand kinds of things. Worth comparing."),
                experiment="retinanet_resnetfpn_coco",
                backbone="efficientnet_lite0",
                input_size=256,
                parameters=3.6,
                coco_ap=None,
                coco_size=256,
                suited=LAPTOP,
                weights="efficientnet_lite0",
                batch_size=8,
                step_seconds=0.26,
            ),
            Architecture(
                key="retinanet_mobile_spinenet49",
                title=gettext_noop("RetinaNet · Mobile SpineNet-49"),
                description=gettext_noop("Made for phones, and stronger on them than MobileNetV2; learns slowly here."),
                experiment="retinanet_mobile_coco",
                backbone="mobile_spinenet49",
                input_size=384,
                parameters=2.3,
                coco_ap=28.1,
                coco_size=384,
                suited=LAPTOP,
                batch_size=8,
                step_seconds=3.0,
            ),
            Architecture(
                key="retinanet_resnet50_fpn",
                title=gettext_noop("RetinaNet · ResNet-50 FPN"),
                description=gettext_noop("The classic that others compare with. Large pictures, many parameters."),
                experiment="retinanet_resnetfpn_coco",
                backbone="resnet50",
                input_size=640,
                parameters=32.5,
                coco_ap=36.8,
                coco_size=640,
                suited=GPU,
                batch_size=4,
                step_seconds=6.0,
                learning_rate=3e-4,
            ),
            Architecture(
                key="faster_rcnn_resnet50_fpn",
                title=gettext_noop("Faster R-CNN · ResNet-50 FPN"),
                description=gettext_noop(
                    "Looks for places that may hold something, then at each again. Slow; for comparing with papers."
                ),
                experiment="fasterrcnn_resnetfpn_coco",
                backbone="resnet50",
                input_size=640,
                parameters=43.4,
                coco_ap=None,
                coco_size=640,
                suited=GPU,
                batch_size=4,
                step_seconds=6.5,
                learning_rate=3e-4,
                looks=2,
            ),
            Architecture(
                key="retinanet_spinenet49",
                title=gettext_noop("RetinaNet · SpineNet-49"),
                description=gettext_noop("The most accurate of these, where there is a GPU and a night."),
                experiment="retinanet_spinenet_coco",
                backbone="spinenet49",
                input_size=640,
                parameters=27.0,
                coco_ap=44.2,
                coco_size=640,
                suited=GPU,
                batch_size=4,
                step_seconds=6.0,
                learning_rate=3e-4,
            ),
        )
    }
)
