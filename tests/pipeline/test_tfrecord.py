"""Records hold every picture once, with boxes as fractions of it, whatever size its file has."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.pipeline import records

pytestmark = pytest.mark.filterwarnings("ignore")


def _coco(folder: Path, count: int) -> dict[str, Any]:
    """Files of 400 × 300 pixels for artworks that have 4000 × 3000."""
    images = []
    for number in range(1, count + 1):
        Image.new("RGB", (400, 300), (number, 90, 90)).save(folder / f"{number}.jpg")
        file = str(folder / f"{number}.jpg")
        images.append({"id": number, "artwork": number, "file_name": file, "width": 4000, "height": 3000})
    box = {"id": 1, "image_id": 1, "category_id": 2, "bbox": [1000, 600, 2000, 1200], "area": 1.0, "iscrowd": 0}
    return {"images": images, "annotations": [box], "categories": []}


def test_boxes_become_fractions_of_the_artwork(tmp_path: Path) -> None:
    from training.pipeline import tfrecord

    coco = _coco(tmp_path, 1)
    features = tfrecord.example(coco["images"][0], coco["annotations"], 200).features.feature
    sides = [features[f"image/object/bbox/{name}"].float_list.value[0] for name in ("xmin", "ymin", "xmax", "ymax")]
    assert sides == pytest.approx([0.25, 0.2, 0.75, 0.6])
    assert [features[f"image/{name}"].int64_list.value[0] for name in ("width", "height")] == [200, 150]
    assert list(features["image/object/class/label"].int64_list.value) == [2]


def test_every_picture_is_in_exactly_one_shard_and_old_shards_go(tmp_path: Path) -> None:
    from training.pipeline import tfrecord

    coco, counted = _coco(tmp_path, 70), []
    for parts in ([coco, coco], [coco]):
        counted.clear()
        written = tfrecord.write(tmp_path, "train", parts, longest=64, seed=1, on_image=lambda: counted.append(1))
    assert written == 70 and len(counted) == 70
    assert len(list((tmp_path / "records").glob("train-*.tfrecord"))) == 2
    ids = [number for number, _jpeg in records.pictures(tmp_path, "train")]
    assert sorted(ids) == list(range(1, 71)) and ids != sorted(ids)


def test_a_part_without_pictures_still_has_a_file(tmp_path: Path) -> None:
    from training.pipeline import tfrecord

    empty = {"images": [], "annotations": [], "categories": []}
    assert tfrecord.write(tmp_path, "test", [empty], longest=64, seed=1, on_image=lambda: None) == 0
    assert records.pictures(tmp_path, "test") == []
