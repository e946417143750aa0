"""Going on from an earlier detector: all that it has learnt, also where concepts have come, gone or changed places.

A detector's folder keeps the weights as a TensorFlow checkpoint beside the files that are used, which are rounded
(float16) or frozen (SavedModel).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.pipeline import configure, networks
from training.pipeline.config import CHECKPOINT, ConfigError, RunConfig
from training.pipeline.manifest import Key, LabelEntry
from training.pipeline.translation import Phrase, gettext_noop

Array = npt.NDArray[np.float32]


def keep(model: Any, folder: Path) -> None:
    """Write the weights of `model` into a detector's `folder`."""
    (folder / CHECKPOINT).parent.mkdir()
    tf.train.Checkpoint(model=model).write(str(folder / CHECKPOINT))


def go_on_from(folder: Path, model: Any, config: RunConfig, labels: Sequence[LabelEntry]) -> None:
    """Give `model`, which detects `labels` in this order, the weights of the detector in `folder`.

    What it knows of a concept goes to the concept of the same id or, in a detector of another dataset or from
    elsewhere, of the same name; new concepts begin as they would without it.

    Raises ConfigError where the folder has no weights or those of another architecture.
    """
    text = gettext_noop("The detector to go on from is not there any more, or has another architecture.")
    try:
        description = json.loads((folder / "detector.json").read_text(encoding="utf-8"))
        known = description["labels"]
        earlier = blank(config, classes=len(known))
        tf.train.Checkpoint(model=earlier).read(str(folder / CHECKPOINT)).assert_existing_objects_matched()
        # One from elsewhere numbers its concepts by itself.
        ids = [None if "source" in description else row["id"] for row in known]
        names = [row["name"].casefold() for row in known]
        sources = [_source(label, ids, names) for label in labels]
    except (OSError, ValueError, LookupError, TypeError, AssertionError, tf.errors.OpError) as error:
        raise ConfigError(Phrase(text)) from error
    copy(earlier, model, len(known), sources)


def blank(config: RunConfig, *, classes: int) -> Any:
    """A model of so many concepts that has learnt nothing."""
    return networks.build(configure.build(config, classes=classes, workdir=Path()))[1]


def copy(earlier: Any, model: Any, known: int, sources: Sequence[int | None]) -> None:
    """Give `model` what `earlier`, of the same architecture, knows; `known` and `sources` as in `by_class`."""
    layers = networks.by_concept(model)
    classes = [
        by_class(before.get_weights(), layer.get_weights(), known, sources, together)
        for (layer, together), (before, _) in zip(layers, networks.by_concept(earlier), strict=True)
    ]
    for target, source in zip(model.weights, earlier.weights, strict=True):
        if target.shape == source.shape:
            target.assign(source)
    for (layer, _), values in zip(layers, classes, strict=True):
        layer.set_weights(values)


def _source(label: LabelEntry, ids: Sequence[Key | None], names: Sequence[str]) -> int | None:
    """The class number of a label in the earlier detector, where 0 is the background; None if it is new to it."""
    if label.id in ids:
        return ids.index(label.id) + 1
    name = label.name.casefold()
    return names.index(name) + 1 if name in names else None


def by_class(
    before: list[Array], fresh: list[Array], known: int, sources: Sequence[int | None], together: int = 1
) -> list[Array]:
    """Weights of a classifier: each class as it was in `before` under the number in `sources`, new ones as in `fresh`.

    The last axis of what differs by class holds, for each anchor, `together` numbers of the background and then of each
    of the concepts, of which `before` has `known`.
    """
    joined = []
    for old, new in zip(before, fresh, strict=True):
        if old.shape[-1] % ((known + 1) * together):  # not by class
            joined.append(old)
            continue
        earlier = old.reshape(*old.shape[:-1], -1, known + 1, together)
        classes = new.reshape(*new.shape[:-1], -1, len(sources) + 1, together).copy()
        for number, source in enumerate([0, *sources]):
            if source is not None:
                classes[..., number, :] = earlier[..., source, :]
        joined.append(classes.reshape(new.shape))
    return joined
