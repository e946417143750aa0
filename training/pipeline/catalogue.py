"""Pretrained detectors to fetch on demand: five of the TensorFlow 2 Detection Zoo, three of the Model Garden.

They know the 80 kinds of things of COCO. Accuracies are their makers' own, on COCO 2017's validation part. Those of the
Model Garden are checkpoints of architectures that can be trained here, so that a training can go on from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from training.pipeline.translation import gettext_noop

# The folders of the archives; the setting WEBNET_ZOO_URL names another one, such as a copy inside an institution.
ZOO_URL = "https://storage.googleapis.com/download.tensorflow.org/models/object_detection/tf2/20200711/"
GARDEN_URL = "https://storage.googleapis.com/tf_model_garden/vision/"
FORMAT = "saved_model"
# Of a folder that holds a Model Garden checkpoint, until `adopt` has made a detector of it.
GARDEN_FORMAT = "garden_checkpoint"
THRESHOLD = 0.4


@dataclass(frozen=True)
class CatalogueDetector:
    """A detector that can be fetched.

    `archive`: its file below the base address; `coco_ap`: COCO AP in percent; `input_size`: side in pixels of the
    square that it sees; `suited`: for whom; `sha256`: of the archive, "" where nobody has vouched for one;
    `architecture`: where it is a checkpoint of the Model Garden, the key of what it is a checkpoint of.
    """

    key: str
    title: str
    archive: str
    coco_ap: float
    input_size: int
    suited: str
    license: str = "Apache-2.0"
    sha256: str = ""
    architecture: str = ""

    def address(self, copy: str = "") -> str:
        """Where its archive is: with its makers, or in the folder `copy` that holds all archives side by side."""
        if copy:
            return f"{copy.rstrip('/')}/{self.archive.rpartition('/')[2]}"
        return (GARDEN_URL if self.architecture else ZOO_URL) + self.archive


CATALOGUE: Mapping[str, CatalogueDetector] = MappingProxyType(
    {
        entry.key: entry
        for entry in (
            CatalogueDetector(
                "ssd_mobilenet_v2_fpnlite_320",
                "SSD MobileNetV2 FPNLite 320",
                "ssd_mobilenet_v2_fpnlite_320x320_coco17_tpu-8.tar.gz",
                22.2,
                320,
                gettext_noop("The smallest and quickest of these: for a laptop."),
            ),
            CatalogueDetector(
                "efficientdet_d0",
                "EfficientDet D0",
                "efficientdet_d0_coco17_tpu-32.tar.gz",
                33.6,
                512,
                gettext_noop("Nearly as good as detectors many times its size: the one to try first."),
            ),
            CatalogueDetector(
                "centernet_resnet50_v1_fpn_512",
                "CenterNet ResNet-50 FPN 512",
                "centernet_resnet50_v1_fpn_512x512_coco17_tpu-8.tar.gz",
                31.2,
                512,
                gettext_noop("Finds things by their centres, which helps where many stand close together."),
            ),
            CatalogueDetector(
                "ssd_resnet50_v1_fpn_640",
                "SSD ResNet-50 FPN 640 (RetinaNet)",
                "ssd_resnet50_v1_fpn_640x640_coco17_tpu-8.tar.gz",
                34.3,
                640,
                gettext_noop("Good on photographs of all kinds: for those who can wait, or have a GPU."),
            ),
            CatalogueDetector(
                "faster_rcnn_resnet50_v1_640",
                "Faster R-CNN ResNet-50 640",
                "faster_rcnn_resnet50_v1_640x640_coco17_tpu-8.tar.gz",
                29.3,
                640,
                gettext_noop("The classic in two steps, slow without a GPU: for comparing with older work."),
            ),
            CatalogueDetector(
                "garden_mobile_spinenet49",
                "RetinaNet Mobile SpineNet-49 384",
                "retinanet/spinenet49mobile.tar.gz",
                28.1,
                384,
                gettext_noop("Quick as a phone needs it. Your own trainings of this detector can begin with it."),
                architecture="retinanet_mobile_spinenet49",
            ),
            CatalogueDetector(
                "garden_resnet50_fpn",
                "RetinaNet ResNet-50 FPN 640",
                "retinanet/retinanet-resnet50fpn.tar.gz",
                36.8,
                640,
                gettext_noop("The classic that others compare with. Your own trainings of it can begin here."),
                architecture="retinanet_resnet50_fpn",
            ),
            CatalogueDetector(
                "garden_spinenet49",
                "RetinaNet SpineNet-49 640",
                "spinenet/spinenet-49-i640.tar.gz",
                44.2,
                640,
                gettext_noop("The most accurate of all. Your own trainings of it can begin here; better with a GPU."),
                architecture="retinanet_spinenet49",
            ),
        )
    }
)

# COCO's numbers have gaps: ten of its first 91 kinds were never drawn.
_COCO = """
1 person|2 bicycle|3 car|4 motorcycle|5 airplane|6 bus|7 train|8 truck|9 boat|10 traffic light|11 fire hydrant|
13 stop sign|14 parking meter|15 bench|16 bird|17 cat|18 dog|19 horse|20 sheep|21 cow|22 elephant|23 bear|24 zebra|
25 giraffe|27 backpack|28 umbrella|31 handbag|32 tie|33 suitcase|34 frisbee|35 skis|36 snowboard|37 sports ball|38 kite|
39 baseball bat|40 baseball glove|41 skateboard|42 surfboard|43 tennis racket|44 bottle|46 wine glass|47 cup|48 fork|
49 knife|50 spoon|51 bowl|52 banana|53 apple|54 sandwich|55 orange|56 broccoli|57 carrot|58 hot dog|59 pizza|60 donut|
61 cake|62 chair|63 couch|64 potted plant|65 bed|67 dining table|70 toilet|72 tv|73 laptop|74 mouse|75 remote|
76 keyboard|77 cell phone|78 microwave|79 oven|80 toaster|81 sink|82 refrigerator|84 book|85 clock|86 vase|87 scissors|
88 teddy bear|89 hair drier|90 toothbrush
"""
COCO_LABELS: tuple[tuple[int, str], ...] = tuple(
    (int(number), name) for number, _space, name in (row.strip().partition(" ") for row in _COCO.split("|"))
)


def description(entry: CatalogueDetector, sha256: str, source: str) -> dict[str, Any]:
    """The detector.json of a fetched `entry`; `sha256` of the archive that came from the address `source`."""
    return {
        "name": entry.title,
        "architecture": entry.architecture or entry.key,
        "format": GARDEN_FORMAT if entry.architecture else FORMAT,
        "input_size": entry.input_size,
        "labels": [{"id": number, "name": name} for number, name in COCO_LABELS],
        "threshold": THRESHOLD,
        "source": f"{source}, {entry.license}",
        "sha256": sha256,
    }
