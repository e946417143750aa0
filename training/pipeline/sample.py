"""Of more pictures than a run has the time to look at, as many as it has, by chance, all concepts among them."""

from __future__ import annotations

import random
from collections import Counter

from training.pipeline.annotations import Coco, boxes_by_image

# Pictures of each concept that come first, before chance decides alone: a rare one would often not be drawn at all.
_OF_EACH = 20


def drawn(coco: Coco, most: int, seed: int) -> Coco:
    """`coco` with at most `most` of its images, in their order; the same ones for the same seed."""
    if len(coco["images"]) <= most:
        return coco
    boxes = boxes_by_image(coco)
    images = [image["id"] for image in coco["images"]]
    random.Random(seed).shuffle(images)  # noqa: S311  not for secrets
    seen: Counter[int] = Counter()
    ranks: dict[int, int] = {}
    for image in images:
        concepts = {box["category_id"] for box in boxes[image]}
        # The third picture of its rarest concept so far comes after the second one of another.
        ranks[image] = min((_OF_EACH, *(seen[concept] for concept in concepts)))
        seen.update(concepts)
    kept = set(sorted(images, key=ranks.__getitem__)[:most])
    return {
        **coco,
        "images": [image for image in coco["images"] if image["id"] in kept],
        "annotations": [box for box in coco["annotations"] if box["image_id"] in kept],
    }
