"""What a detector of ours has learnt of art before: the pyramid and the head that a new one begins with.

A pretrained backbone knows what things look like, but with a fresh pyramid and head nothing is found in the first
hundred steps, which is much of a short training. `icons.npz` holds those of a detector of ten concepts on
ByzArt2K's training part (Byzantine icons and frescoes, MIT), made by `python -m benchmarks.pretrained_head`. Classes
follow their names; a concept that it has not seen begins as it would without it. See docs/decisions/training.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.pipeline import transfer
from training.pipeline.manifest import LabelEntry

_FOLDER = Path(__file__).parent / "heads"
_LABELS = "labels"


class HeadDoesNotFit(ValueError):
    """The file holds another pyramid or head than the model has."""


def save(model: Any, labels: Sequence[str], file: Path) -> None:
    """Write pyramid and head of `model`, which detects `labels` in this order, to `file` (npz, float16)."""
    arrays: dict[str, Any] = {
        f"{number:03d}": value.numpy().astype(np.float16) for number, value in enumerate(_shared(model))
    }
    last = enumerate(model.head._classifier.get_weights())
    arrays |= {f"classifier_{number}": value.astype(np.float16) for number, value in last}
    arrays[_LABELS] = np.array(list(labels))
    np.savez_compressed(file, allow_pickle=False, **arrays)


def load_into(model: Any, name: str, labels: Sequence[LabelEntry]) -> None:
    """Give `model`, which detects `labels` in this order, the pyramid and head called `name`. Raises HeadDoesNotFit."""
    with np.load(_FOLDER / f"{name}.npz", allow_pickle=False) as file:
        arrays: dict[str, npt.NDArray[Any]] = {key: file[key] for key in file.files}
    names = [str(label).casefold() for label in arrays.pop(_LABELS)]
    before = [arrays.pop(f"classifier_{number}").astype(np.float32) for number in range(3)]
    shared = _shared(model)
    if [value.shape for value in arrays.values()] != [tuple(variable.shape) for variable in shared]:
        raise HeadDoesNotFit(f"“{name}” holds another pyramid or head than this model has.")
    for variable, value in zip(shared, arrays.values(), strict=True):
        variable.assign(value.astype(np.float32))
    found = [label.name.casefold() for label in labels]
    sources = [names.index(label) + 1 if label in names else None for label in found]
    classifier = model.head._classifier
    classifier.set_weights(transfer.by_class(before, classifier.get_weights(), len(names), sources))


def _shared(model: Any) -> list[Any]:
    """The variables of pyramid and head that do not depend on the concepts, in the order in which they were made."""
    classifier = {id(variable) for variable in model.head._classifier.weights}
    return [value for value in [*model.decoder.weights, *model.head.weights] if id(value) not in classifier]
