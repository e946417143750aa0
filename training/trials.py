"""Processes of their own that take a minute of somebody's patience: trying a detector, or making a file of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from training.pipeline.supervision import EXIT_STOPPED, Stopped
from training.pipeline.translation import Phrase, gettext_noop
from training.supervision import Child, supervise

# Loading TensorFlow and a model takes a minute on a slow disk; one that takes so long will not be of use.
SECONDS = 600


class Unusable(ValueError):
    """The detector does not work here; the message, a phrase, says why."""


class DoesNotRun(Unusable):
    """It was too much for this machine, as it is now; nothing is known against the detector itself."""


def make_trial(folder: Path, go_on: Callable[[], bool] = lambda: True) -> None:
    """Try the detector in `folder`, and complete its description; raises as `carry_out`."""
    try:
        carry_out("training.pipeline.trial", folder, go_on)
    finally:
        for log in ("process.log", "trial.log"):
            (folder / log).unlink(missing_ok=True)


def carry_out(module: str, folder: Path, go_on: Callable[[], bool]) -> None:
    """Run `python -m MODULE FOLDER` to its end.

    Raises Unusable (of which DoesNotRun is one), or Stopped where `go_on` says no.
    """
    deadline = time.monotonic() + SECONDS
    child = Child(module, folder)
    outcome = supervise(child, on_events=lambda events: None, go_on=lambda: go_on() and time.monotonic() < deadline)
    if outcome.code == 0:
        return
    # Asked to stop by us, or by a shutdown of everything; one that takes too long is of no use.
    if not go_on() or (outcome.code == EXIT_STOPPED and time.monotonic() < deadline):
        raise Stopped
    if outcome.error:
        raise Unusable(outcome.error)
    text = gettext_noop("The detector does not run here: it may need more memory than there is.")
    raise DoesNotRun(Phrase(text))
