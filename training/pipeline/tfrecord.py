"""Stage 4, TFRecord: shards of encoded pictures with their boxes, as Model Garden's detection decoder reads them.

Pictures are stored shrunk to what the training can use, which makes reading them many times faster. Where copies of a
picture were made, it has been read and shrunk already: decoding is most of the work.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import tensorflow as tf
from PIL import Image

from training.pipeline.annotations import Coco, boxes_by_image
from training.pipeline.pixels import read_rgb, to_jpeg

IMAGES_PER_SHARD = 64

Row = tuple[dict[str, Any], list[dict[str, Any]]]


def folder(workdir: Path) -> Path:
    """Where the shards of a run are."""
    return workdir / "records"


def pattern(workdir: Path, split: str) -> str:
    """The glob of a part's shards. The trainer reads "train", the evaluator "test", and never the other's.

    Model Garden cuts it at commas. Whoever has one in the name of a folder knows nothing of that, so there any
    character may be in its place.
    """
    return str(folder(workdir)).replace(",", "?") + f"/{split}-*.tfrecord"


def write(
    workdir: Path, split: str, parts: Sequence[Coco], *, longest: int, seed: int, on_image: Callable[[], None]
) -> int:
    """Write the images of all `parts`, shuffled, as shards of `split`; return their number.

    Sides are at most `longest` pixels.

    `on_image` is called after each image and may raise to stop. Raises UnreadableImage for a picture that cannot be
    read.
    """
    rows = list(_rows(parts))
    random.Random(seed).shuffle(rows)  # noqa: S311  not for secrets
    folder(workdir).mkdir(parents=True, exist_ok=True)
    for old in folder(workdir).glob(f"{split}-*.tfrecord"):
        old.unlink()
    shards = max(1, -(-len(rows) // IMAGES_PER_SHARD))
    for shard in range(shards):
        path = folder(workdir) / f"{split}-{shard:05d}-of-{shards:05d}.tfrecord"
        # Reading and encoding pictures frees the interpreter's lock, so threads use all cores.
        with tf.io.TFRecordWriter(str(path)) as writer, ThreadPoolExecutor() as pool:
            for record in pool.map(
                lambda row: example(row[0], row[1], longest).SerializeToString(), rows[shard::shards]
            ):
                writer.write(record)
                on_image()
    return len(rows)


def example(image: dict[str, Any], boxes: Sequence[dict[str, Any]], longest: int) -> tf.train.Example:
    """One COCO image with its annotations as a tf.train.Example; box sides become fractions of the picture's.

    `image` may name its file as JPEG of the right size, "shrunk".
    """
    encoded, (width, height) = _encoded(image, longest)
    features = {
        "image/encoded": _bytes([encoded]),
        "image/source_id": _bytes([str(image["id"]).encode()]),
        "image/height": _ints([height]),
        "image/width": _ints([width]),
        "image/object/class/label": _ints([box["category_id"] for box in boxes]),
        "image/object/is_crowd": _ints([0 for _ in boxes]),
        **_sides(image, boxes),
    }
    return tf.train.Example(features=tf.train.Features(feature=features))


def _encoded(image: dict[str, Any], longest: int) -> tuple[bytes, tuple[int, int]]:
    """A picture as JPEG, and its size."""
    if "shrunk" in image:
        with Image.open(image["shrunk"]) as opened:
            size = opened.size
        return Path(image["shrunk"]).read_bytes(), size
    pixels = read_rgb(Path(image["file_name"]), longest)
    return to_jpeg(pixels), pixels.size


def _rows(parts: Sequence[Coco]) -> Iterator[Row]:
    """All images, with the files that `augment` has left of them, and their annotations."""
    copies = [image for coco in parts for image in coco["images"] if "copy_of" in image]
    shrunk = {copy["id"]: copy["file_name"] for copy in copies}
    shrunk |= {copy["copy_of"]: copy["unchanged"] for copy in copies}
    for coco in parts:
        boxes = boxes_by_image(coco)
        for image in coco["images"]:
            ready = {"shrunk": shrunk[image["id"]]} if image["id"] in shrunk else {}
            yield image | ready, boxes[image["id"]]


def _sides(image: dict[str, Any], boxes: Sequence[dict[str, Any]]) -> dict[str, tf.train.Feature]:
    width, height = image["width"], image["height"]
    left = [box["bbox"][0] / width for box in boxes]
    top = [box["bbox"][1] / height for box in boxes]
    right = [(box["bbox"][0] + box["bbox"][2]) / width for box in boxes]
    bottom = [(box["bbox"][1] + box["bbox"][3]) / height for box in boxes]
    names = {"xmin": left, "ymin": top, "xmax": right, "ymax": bottom}
    return {f"image/object/bbox/{name}": _floats(values) for name, values in names.items()}


def _bytes(values: list[bytes]) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def _ints(values: list[int]) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def _floats(values: list[float]) -> tf.train.Feature:
    return tf.train.Feature(float_list=tf.train.FloatList(value=[min(1.0, max(0.0, value)) for value in values]))
