"""Which artworks of the training part are learnt from, where these are not all.

Of more than a run has the time to look at, as many as it has, by chance, all concepts among them; and of those that
show nothing, only some for each that shows something.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from training.pipeline.manifest import Key, Manifest

# Artworks of each concept that come first, before chance decides alone: a rare one would often not be drawn at all.
_OF_EACH = 20


def few_empty(manifest: Manifest, share: float, seed: int) -> Manifest:
    """`manifest` with at most `share` times as many training artworks that show nothing as others that show something.

    Chance draws them, the same ones for the same seed. The test part stays whole.
    """
    train = list(manifest.part("train"))
    empty = [artwork.id for artwork in train if not artwork.boxes]
    most = math.ceil(share * (len(train) - len(empty)))
    random.Random(seed).shuffle(empty)  # noqa: S311  not for secrets
    return replace(_without(manifest, set(empty[most:])), empty_left_out=len(empty[most:]))


def drawn(manifest: Manifest, most: int, seed: int) -> Manifest:
    """`manifest` with at most `most` artworks in its training part; the same ones for the same seed.

    The test part stays whole.
    """
    train = list(manifest.part("train"))
    if len(train) <= most:
        return manifest
    random.Random(seed).shuffle(train)  # noqa: S311  not for secrets
    seen: Counter[Key] = Counter()
    ranks: dict[Key, int] = {}
    for artwork in train:
        concepts = {box.label for box in artwork.boxes}
        # The third artwork of its rarest concept so far comes after the second one of another.
        ranks[artwork.id] = min((_OF_EACH, *(seen[concept] for concept in concepts)))
        seen.update(concepts)
    left_out = {artwork.id for artwork in sorted(train, key=lambda artwork: ranks[artwork.id])[most:]}
    return replace(_without(manifest, left_out), left_out=len(left_out))


def _without(manifest: Manifest, left_out: Collection[Key]) -> Manifest:
    return replace(manifest, artworks=tuple(artwork for artwork in manifest.artworks if artwork.id not in left_out))
