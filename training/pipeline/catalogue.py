"""Pretrained detectors that can be fetched on demand: five of the TensorFlow 2 Detection Zoo.

They know the 80 kinds of things of COCO. Accuracies are the Zoo's own, on COCO 2017's validation part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from training.pipeline.translation import gettext_noop

# The folder of the archives; the setting WEBNET_ZOO_URL names another one, such as a copy inside an institution.
ZOO_URL = "https://storage.googleapis.com/download.tensorflow.org/models/object_detection/tf2/20200711/"
FORMAT = "saved_model"
THRESHOLD = 0.4


@dataclass(frozen=True)
class CatalogueDetector:
    """A detector that can be fetched.

    `archive`: its file below the base address; `coco_ap`: COCO AP in percent; `input_size`: side in pixels of the
    square that it sees; `suited`: for whom; `sha256`: of the archive, "" where nobody has vouched for one.
    """

    key: str
    title: str
    archive: str
    coco_ap: float
    input_size: int
    suited: str
    license: str = "Apache-2.0"
    sha256: str = ""


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
                gettext_noop("Almost as good as the best of these at a fraction of its size: the one to try first."),
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
                gettext_noop("The best of these on photographs: for those who can wait, or have a GPU."),
            ),
            CatalogueDetector(
                "faster_rcnn_resnet50_v1_640",
                "Faster R-CNN ResNet-50 640",
                "faster_rcnn_resnet50_v1_640x640_coco17_tpu-8.tar.gz",
                29.3,
                640,
                gettext_noop("The classic in two steps, slow without a GPU: for comparing with older work."),
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
        "architecture": entry.key,
        "format": FORMAT,
        "input_size": entry.input_size,
        "labels": [{"id": number, "name": name} for number, name in COCO_LABELS],
        "threshold": THRESHOLD,
        "source": f"{source}, {entry.license}",
        "sha256": sha256,
    }
