"""Look once at a grey picture with a detector, before anybody relies on it. `python -m training.pipeline.trial FOLDER`.

In a process of its own: loading a model takes gigabytes, and a file from outside may bring its process down.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from training.pipeline import catalogue, events, supervision
from training.pipeline.detectors import NOT_SHARES, Detector, DetectorError, are_pixels, describe
from training.pipeline.supervision import EXIT_DONE, EXIT_FAILED, Stop
from training.pipeline.translation import Phrase, gettext_noop

# Not square: a model that mixes up width and height should fail here and not on an artwork.
_SHAPE = (3, 4)


def trial(folder: Path) -> None:
    """Load the detector in `folder`, look at a grey picture. Raises DetectorError where the answer makes no sense.

    What only the model knows is added to its detector.json. A checkpoint of the Model Garden becomes a detector first.
    """
    if describe(folder).format == catalogue.GARDEN_FORMAT:
        # Here, for it costs TensorFlow, which others do without.
        from training.pipeline.adopt import adopt

        adopt(folder)
    detector = Detector(folder)
    size = detector.description.input_size
    grey = Image.new("RGB", (size, round(size * _SHAPE[0] / _SHAPE[1])), (128, 128, 128))
    boxes, classes, scores = detector.look(grey)
    if boxes.shape != (len(scores), 4) or len(classes) != len(scores):
        raise _refused(
            gettext_noop("The detector cannot be used: it gives differing numbers of boxes, classes and scores.")
        )
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        raise _refused(gettext_noop("The detector cannot be used: it gives boxes or scores that are no numbers."))
    if are_pixels(boxes):
        raise _refused(NOT_SHARES)
    if len(scores) and not (scores.min() >= 0 and scores.max() <= 1):
        raise _refused(gettext_noop("The detector cannot be used: its scores do not lie between 0 and 1."))

    names = len(detector.description.labels)
    if len(classes) and classes.max() >= names:
        text = gettext_noop(
            "The detector cannot be used: it gives classes beyond its labels, of which there are %(count)d."
        )
        raise DetectorError(Phrase(text, count=names))
    _complete(folder, detector.network)


def _complete(folder: Path, network: Any) -> None:
    """Write into detector.json what only the model itself knows: the size that it sees, the order of its outputs."""
    path = folder / "detector.json"
    description = json.loads(path.read_text(encoding="utf-8"))
    sides = [side for side in getattr(network, "size", ()) if side]
    if sides:
        description["input_size"] = max(sides)
    if getattr(network, "outputs", ()):
        description["outputs"] = network.outputs
    path.write_text(json.dumps(description, indent=1), encoding="utf-8")


def _refused(text: str) -> DetectorError:
    return DetectorError(Phrase(text))


def main() -> int:
    """Parse the command line, make the trial, return the exit code (as `python -m training.pipeline`)."""
    parser = argparse.ArgumentParser(prog="python -m training.pipeline.trial", description="Try a detector once.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--supervised", action="store_true", help="JSON events on stdout; stop at the end of stdin")
    options = parser.parse_args()
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")  # Model Garden's layers are of that Keras
    supervised = options.supervised
    on_event = supervision.events_to_stdout(options.folder / "trial.log") if supervised else print
    supervision.listen_for_stop(Stop(), lifeline=supervised)
    try:
        trial(options.folder)
    except DetectorError as error:
        on_event(events.error(error.args[0]))
        return EXIT_FAILED
    except Exception as error:  # whatever a foreign model raises is a reason to refuse it
        reason = str(error).strip().partition("\n")[0]
        on_event(
            events.error(
                Phrase(gettext_noop("The detector cannot be used: it fails on a picture (%(reason)s)."), reason=reason)
            )
        )
        return EXIT_FAILED
    return EXIT_DONE


if __name__ == "__main__":
    supervision.leave(main())
