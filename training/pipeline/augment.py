"""Stage 3, augment: changed copies of the training pictures, with their boxes, as JPEG files that can be looked at.

Only the training part is read, after the split: no copy of a test picture can get into the training. Mirroring is
not done here but while training, where it costs nothing. Pictures of which copies are made are left behind unchanged
too, as small as the copies: the next stage needs them so, and has not to read the large files again.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network for a newer version

import albumentations as A
import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from training.pipeline.annotations import Coco, boxes_by_image
from training.pipeline.pixels import cores, read_rgb, to_jpeg

Pixels = npt.NDArray[np.uint8]
# A box that is left on a changed picture: (x, y, width, height) in its pixels, and the category.
Kept = tuple[tuple[float, float, float, float], int]
# A picture, its boxes as corners in its pixels, and their categories.
Source = tuple[Pixels, list[list[float]], list[int]]

# A box of whose thing less is left to see is no longer that thing.
MIN_VISIBILITY = 0.4
# Points across and down each box that are followed through all changes: the share that is left is to be seen.
_POINTS = 8
MIN_SIDE = 3.0
# What a turned picture shows outside itself: the colour that the network sees as zero.
FILL = (124, 116, 104)
_ATTEMPTS = 4
_QUALITY = 92
# Copies for each core: a process needs about a second to start, in which it would make a hundred.
_LEAST_FOR_PROCESSES = 400


@dataclass(frozen=True)
class Job:
    """One copy to make of one picture: its COCO image and annotations, the preset, the copy's seed and file."""

    image: Mapping[str, Any]
    boxes: Sequence[Mapping[str, Any]]
    preset: str
    seed: int
    longest: int
    target: Path


@dataclass(frozen=True)
class Copy:
    """A changed picture: its file, its size in pixels, and its boxes."""

    file: Path
    width: int
    height: int
    boxes: tuple[Kept, ...]


def folder(workdir: Path, dataset: str) -> Path:
    """Where the copies are."""
    return workdir / "webnet_augmented_dataset" / dataset


def augment(
    train: Coco,
    target: Path,
    *,
    preset: str,
    copies: Sequence[int],
    most: int,
    longest: int,
    seed: int,
    on_copy: Callable[[], None],
) -> Coco:
    """Make so many changed copies of each image of `train` in `target`, on all cores; return them as COCO.

    Of more than `most` copies in all, as many are made, of images taken by chance.
    Copies are at most `longest` pixels wide and high; image ids go on after those of `train`. "copy_of" is the id of
    the picture that was changed, "unchanged" its shrunk file. `on_copy` is called after each copy and may raise to
    stop. A picture that no attempt leaves worth showing gets no copy.
    """
    unchanged(target, 0).parent.mkdir(parents=True, exist_ok=True)
    jobs = sorted(_jobs(train, target, preset, copies, longest, seed), key=lambda job: job.seed)[:most]
    jobs.sort(key=lambda job: job.target)
    pictures = [tuple(same) for _, same in groupby(jobs, key=lambda job: job.image["id"])]
    made: list[tuple[Job, Copy]] = []
    with _pool(len(jobs)) as pool:
        try:
            results = chain.from_iterable(pool.map(make_copies, pictures, chunksize=2))
            for job, copy in zip(jobs, results, strict=True):
                made += [(job, copy)] if copy else []
                on_copy()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return _coco(train, made)


def _pool(copies: int) -> Executor:
    """Workers for all cores: processes where there is so much to do that they are worth their start, else threads.

    Most of the work frees the interpreter's lock, but not all.
    """
    if copies < _LEAST_FOR_PROCESSES * cores():
        return ThreadPoolExecutor(cores())
    # Not fork: the parent has threads. Each worker imports only what this module needs.
    return ProcessPoolExecutor(cores(), mp_context=get_context("spawn"))


def unchanged(folder: Path, image: int) -> Path:
    """The file of an image that is as it was, among the copies in `folder`."""
    return folder / "unchanged" / f"{image:06d}.jpg"


def make_copies(jobs: Sequence[Job]) -> list[Copy | None]:
    """Make copies of one picture, which is read once, and leave it unchanged beside them."""
    first, source = jobs[0], read(jobs[0])
    unchanged(first.target.parent, first.image["id"]).write_bytes(to_jpeg(Image.fromarray(source[0])))
    return [make_copy(job, source) for job in jobs]


def make_copy(job: Job, source: Source) -> Copy | None:
    """Make one copy of a picture; None when every attempt loses all boxes or leaves it blank."""
    changed = change(job, source)
    if changed is None:
        return None
    pixels, kept = changed
    Image.fromarray(pixels).save(job.target, quality=_QUALITY)
    return Copy(job.target, pixels.shape[1], pixels.shape[0], tuple(kept))


def change(job: Job, source: Source) -> tuple[Pixels, list[Kept]] | None:
    """The picture of a job (`source`, as `read` gives it), changed by its preset, and the boxes that are left.

    None when every attempt loses all boxes or leaves a blank picture.
    """
    pixels, boxes, categories = source
    for attempt in range(_ATTEMPTS):
        changed, kept = apply(job.preset, pixels, boxes, categories, seed=job.seed + attempt)
        if (kept or not boxes) and not is_blank(changed):
            return changed, kept
    return None


def read(job: Job) -> Source:
    """The picture of a job, unchanged, with its boxes as corners in pixels of it, and their categories.

    Raises UnreadableImage.
    """
    source = np.asarray(read_rgb(Path(job.image["file_name"]), job.longest))
    return source, *_scaled(job, source)


def apply(
    preset: str, pixels: Pixels, boxes: Sequence[Sequence[float]], categories: Sequence[int], *, seed: int
) -> tuple[Pixels, list[Kept]]:
    """Change one picture (height × width × 3, uint8) by a preset; return it with the boxes that are left of `boxes`.

    Boxes are [left, top, right, bottom] in pixels when given and (x, y, width, height) when returned.
    """
    # Albumentations' own `min_visibility` is no help: it compares a box with what the step before has left of it, and
    # keeps one that five steps have each cut in half.
    of_boxes = A.BboxParams(
        format="pascal_voc", label_fields=["numbers"], clip=True, min_width=MIN_SIDE, min_height=MIN_SIDE
    )
    of_points = A.KeypointParams(format="xy", label_fields=["owners"], remove_invisible=True)
    height, width = pixels.shape[:2]
    steps = PRESETS[preset](height, width, random.Random(seed))  # noqa: S311  not for secrets
    compose = A.Compose(steps, bbox_params=of_boxes, keypoint_params=of_points)
    # One source of chance for all steps. Compose's own `seed` starts each step with it: all would draw the same
    # numbers, a copy in ten would be left as it is, and one in three would get every change at once.
    compose.set_random_state(np.random.default_rng(seed), random.Random(seed))  # noqa: S311  not for secrets
    corners, numbers = np.asarray(boxes, np.float32).reshape(-1, 4), np.arange(len(boxes))
    points = _points(corners)
    owners = numbers.repeat(_POINTS**2)
    result = compose(image=pixels, bboxes=corners, numbers=numbers, keypoints=points, owners=owners)
    left_to_see = Counter(int(owner) for owner in result["owners"])
    kept = []
    for (left, top, right, bottom), number in zip(result["bboxes"], result["numbers"], strict=True):
        if left_to_see[int(number)] >= MIN_VISIBILITY * _POINTS**2:
            place = (float(left), float(top), float(right - left), float(bottom - top))
            kept.append((place, int(categories[int(number)])))
    return result["image"], kept


def _points(corners: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Points spread evenly over each box of `corners` (n × 4), as rows of x and y, box after box."""
    across = (np.arange(_POINTS, dtype=np.float32) + 0.5) / _POINTS
    shares = np.stack(np.meshgrid(across, across), axis=-1).reshape(1, -1, 2)
    first, last = corners[:, None, :2], corners[:, None, 2:]
    return (first + shares * (last - first)).reshape(-1, 2)


def is_blank(pixels: Pixels) -> bool:
    """Whether a picture shows nothing: one colour, or all but black. Nobody can learn from it."""
    some = pixels[::4, ::4]  # a sixteenth of the pixels tells as much
    return float(some.std()) < 2.0 or float(some.mean()) < 4.0


def _gentle(height: int, width: int, dice: random.Random) -> list[Any]:
    return [
        A.RandomBrightnessContrast(brightness_limit=0.15, contrast_limit=0.15, p=0.9),
        A.HueSaturationValue(hue_shift_limit=5, sat_shift_limit=15, val_shift_limit=8, p=0.7),
        A.ImageCompression(quality_range=(60, 95), p=0.3),
        A.Affine(scale=(0.95, 1.05), border_mode=cv2.BORDER_CONSTANT, fill=FILL, p=0.5),
    ]


def _categories(height: int, width: int, dice: random.Random) -> list[Any]:
    return [
        A.BBoxSafeRandomCrop(erosion_rate=0.2, p=0.4),
        A.Affine(rotate=(-8, 8), scale=(0.85, 1.15), shear=(-4, 4), border_mode=cv2.BORDER_CONSTANT, fill=FILL, p=0.7),
        A.ColorJitter(brightness=(0.75, 1.25), contrast=(0.75, 1.25), saturation=(0.6, 1.4), hue=(-0.03, 0.03), p=0.8),
        A.ToGray(p=0.08),
        A.GaussNoise(std_range=(0.01, 0.05), p=0.2),
    ]


def _instances(height: int, width: int, dice: random.Random) -> list[Any]:
    """As visitors take them: in a frame or without, filling the picture or hanging smaller on a wall of some colour,
    from the side, under lamps of another colour, partly hidden, shaken."""
    grey = dice.randrange(70, 191)
    wall = tuple(grey + dice.randrange(-25, 26) for _channel in range(3))
    frame = tuple(dice.randrange(20, 150) for _channel in range(3))
    outside: dict[str, Any] = {"border_mode": cv2.BORDER_CONSTANT, "fill": wall}
    return [
        A.RandomSizedCrop(
            min_max_height=(max(1, int(height * 0.6)), height), size=(height, width), w2h_ratio=width / height, p=0.25
        ),
        A.CropAndPad(percent=[0.01, 0.08], sample_independently=False, fill=frame, p=0.5),
        A.Affine(scale=(0.3, 0.8), translate_percent=(-0.3, 0.3), **outside, p=0.9),
        A.Perspective(scale=(0.03, 0.12), fit_output=False, **outside, p=0.8),
        A.Affine(rotate=(-10, 10), **outside, p=0.4),
        # Lamps make all of it darker or brighter, and some colours more than others.
        A.MultiplicativeNoise(multiplier=(0.65, 1.15), p=0.7),
        A.MultiplicativeNoise(multiplier=(0.88, 1.12), per_channel=True, p=0.6),
        A.OneOf(
            [A.RandomBrightnessContrast(brightness_limit=0, contrast_limit=0.25), A.RandomGamma(gamma_limit=(80, 125))],
            p=0.6,
        ),
        A.Illumination(mode=dice.choice(("linear", "corner", "gaussian")), intensity_range=(0.05, 0.15), p=0.5),
        A.CoarseDropout(
            num_holes_range=(1, 2), hole_height_range=(0.08, 0.25), hole_width_range=(0.08, 0.25),
            fill="random_uniform", p=0.4,
        ),
        A.OneOf([A.GaussianBlur(blur_limit=(3, 7)), A.MotionBlur(blur_limit=(3, 9))], p=0.5),
        A.GaussNoise(std_range=(0.01, 0.04), p=0.3),
        A.ImageCompression(quality_range=(40, 90), p=0.4),
    ]  # fmt: skip


PRESETS: Mapping[str, Callable[[int, int, random.Random], list[Any]]] = {
    "gentle": _gentle,
    "categories": _categories,
    "instances": _instances,
}


def _jobs(train: Coco, target: Path, preset: str, copies: Sequence[int], longest: int, seed: int) -> Iterator[Job]:
    boxes = boxes_by_image(train)
    for image, count in zip(train["images"], copies, strict=True):
        for copy in range(count):
            digest = hashlib.sha256(f"{seed}:{image['id']}:{copy}".encode()).digest()
            own = int.from_bytes(digest[:4], "big") // 2
            yield Job(image, boxes[image["id"]], preset, own, longest, target / f"{image['id']:06d}_{copy}.jpg")


def _scaled(job: Job, pixels: Pixels) -> tuple[list[list[float]], list[int]]:
    """Boxes from pixels of the artwork to pixels of the picture that was read, as corners."""
    across, down = pixels.shape[1] / job.image["width"], pixels.shape[0] / job.image["height"]
    corners = []
    for box in job.boxes:
        x, y, width, height = box["bbox"]
        corners.append([x * across, y * down, (x + width) * across, (y + height) * down])
    return corners, [box["category_id"] for box in job.boxes]


def _coco(train: Coco, made: Sequence[tuple[Job, Copy]]) -> Coco:
    first = max((image["id"] for image in train["images"]), default=0) + 1
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (job, copy) in enumerate(made, start=first):
        size = {"width": copy.width, "height": copy.height}
        original = job.image["id"]
        origin = {"copy_of": original, "unchanged": str(unchanged(copy.file.parent, original))}
        images.append({"id": number, "artwork": job.image["artwork"], "file_name": str(copy.file), **size, **origin})
        for bbox, category in copy.boxes:
            box = {"image_id": number, "category_id": category, "bbox": list(bbox), "area": bbox[2] * bbox[3]}
            annotations.append({"id": len(annotations) + 1, **box, "iscrowd": 0})
    return {**train, "images": images, "annotations": annotations}
