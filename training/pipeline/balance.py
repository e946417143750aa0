"""How often each training picture is seen, so that what is rare among them is learnt too.

Repeat factor sampling: A. Gupta, P. Dollár, R. Girshick, "LVIS", arXiv 1908.03195, section 5.3. A concept that a share
f of the pictures show has the factor max(1, √(t / f)), a picture that of its rarest concept. Theirs repeats pictures;
here more changed copies are made of those with the larger factors, which also differ from each other.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from training.pipeline.annotations import Coco, boxes_by_image


def repeat_factors(train: Coco, threshold: float) -> list[float]:
    """The factor, 1 or more, of each image of `train`; `threshold`: the share t below which a concept is rare."""
    boxes = boxes_by_image(train)
    shown = [{box["category_id"] for box in boxes[image["id"]]} for image in train["images"]]
    images = Counter(category for categories in shown for category in categories)
    factors = {category: max(1.0, math.sqrt(threshold * len(shown) / count)) for category, count in images.items()}
    return [max((factors[category] for category in categories), default=1.0) for categories in shown]


def shared_out(total: int, factors: Sequence[float]) -> list[int]:
    """`total` copies in whole numbers, to each as its factor has of all; the largest remainders are rounded up."""
    exact = [total * factor / sum(factors) for factor in factors]
    counts = [math.floor(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda place: counts[place] - exact[place])
    for place in by_remainder[: total - sum(counts)]:
        counts[place] += 1
    return counts
