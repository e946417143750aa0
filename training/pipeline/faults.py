"""What people are told of faults that no part of the pipeline foresaw."""

from __future__ import annotations

import errno

from training.pipeline.translation import Phrase, gettext_noop

# How the C library, TensorFlow and SQLite call a full disk.
_NO_SPACE = ("No space left on device", "database or disk is full")

# TensorFlow has waited in vain for machines that were to train together.
_NOT_ALL_CAME = gettext_noop(
    "Not all machines that train together came in time. Start “manage.py assist” on each of the others, then resume the"
    " training."
)


def is_disk_full(error: BaseException) -> bool:
    """Whether there was no room on the disk, whoever noticed it."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return True
    return any(words in str(error) for words in _NO_SPACE)


def is_left_alone(error: BaseException) -> bool:
    """Whether one of the machines or graphics cards that train together has gone; the others can only begin again.

    A machine that died or is out of reach is UnavailableError, ten seconds later; one that came back meanwhile is
    AbortedError; what waited for it may be CancelledError.
    """
    # By name, as in `explain`.
    names = {"UnavailableError", "AbortedError", "CancelledError"}
    return type(error).__name__ in names and not is_disk_full(error)


def explain(error: Exception) -> Phrase:
    """A sentence for people about a fault that the pipeline did not foresee in detail."""
    # By name: importing TensorFlow for its classes would cost every start ten seconds. What it calls exhausted may be
    # the disk.
    if is_disk_full(error):
        return Phrase(gettext_noop("The disk is full. Make room, then resume the training."))
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return Phrase(gettext_noop("The machine ran out of memory. Close other programs or choose a smaller detector."))
    if type(error).__name__ == "DeadlineExceededError":
        return Phrase(_NOT_ALL_CAME)
    if error.args and isinstance(error.args[0], Phrase):
        return error.args[0]
    return Phrase(gettext_noop("The training stopped because of an unexpected fault: %(fault)s"), fault=str(error))
