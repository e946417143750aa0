"""What records hold, for tests of who reads which of them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from training.pipeline import annotations


def pictures(workdir: Path, split: str) -> list[tuple[int, bytes]]:
    """(image id, JPEG) of each record of a part, in the order of its shards."""
    import tensorflow as tf

    from training.pipeline import tfrecord

    rows = []
    for path in sorted(tfrecord.folder(workdir).glob(f"{split}-*.tfrecord")):
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            features = tf.train.Example.FromString(record).features.feature
            known = (features[f"image/{name}"].bytes_list.value[0] for name in ("source_id", "encoded"))
            rows.append((int(next(known)), next(known)))
    return rows


def artworks(workdir: Path, split: str, *cocos: str) -> list[int | str]:
    """Ids of the artworks in a part's records, as these COCO files number them; a copy counts as its artwork."""
    images = [image for name in cocos for image in annotations.load(annotations.coco_path(workdir, name))["images"]]
    numbered = {image["id"]: image["artwork"] for image in images}
    assert len(numbered) == len(images), "two pictures of one part have the same number"
    return sorted(numbered[number] for number, _jpeg in pictures(workdir, split))


def pictured(workdir: Path, split: str, files: dict[int, Path]) -> list[int]:
    """The same by looking: for each record, the artwork whose picture is most like it."""
    known = {artwork: _thumbnail(file.read_bytes()) for artwork, file in files.items()}

    def nearest(jpeg: bytes) -> int:
        seen = _thumbnail(jpeg)
        return min(known, key=lambda artwork: float(np.abs(known[artwork] - seen).mean()))

    return sorted(nearest(jpeg) for _number, jpeg in pictures(workdir, split))


def _thumbnail(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB").resize((48, 36)), np.float32)
