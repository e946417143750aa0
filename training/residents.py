"""A process that keeps a detector loaded between the inferences of one worker.

Loading takes a second for a TFLite file and ten to sixty for a SavedModel with TensorFlow, which is long for somebody
who waits for boxes on one artwork. One such process belongs to each worker, and dies with it (see `pipeline.resident`).
"""

from __future__ import annotations

import atexit
from pathlib import Path

from training.pipeline.supervision import EXIT_BUSY, EXIT_DONE
from training.supervision import Child, PipelineEvent

_MODULE = "training.pipeline.resident"

# Of this worker, between two visits.
_waiting: list[Child] = []


class Visit:
    """One work folder that the process of this worker looks at; for `supervise`, as if it were a process of its own."""

    def __init__(self, workdir: Path) -> None:
        self._child = _with_next(workdir) or Child(_MODULE, workdir)
        self._code: int | None = None

    def waiting(self) -> list[PipelineEvent]:
        """What has been said since the last call, but for the word that this visit is over."""
        events = self._child.waiting()
        for event in events:
            if event["kind"] == "end":
                self._code = event["payload"]["code"]
        return [event for event in events if event["kind"] != "end"]

    def ended(self) -> bool:
        """Whether this visit is over, or the process."""
        return self._code is not None or self._child.ended()

    def ask_to_stop(self) -> None:
        """Ask the process to end."""
        self._child.ask_to_stop()

    def close(self) -> int:
        """Keep the process for the next visit where this one ended well, else end it; return the visit's exit code."""
        if self._code in (EXIT_DONE, EXIT_BUSY) and not self._child.ended():
            _waiting.append(self._child)
            return self._code
        code = self._child.close()
        if self._code is not None:
            return self._code
        # It had waited long enough just when it was asked again, and has not looked: somebody has to.
        return EXIT_BUSY if code == EXIT_DONE else code


def _with_next(workdir: Path) -> Child | None:
    """The process that waits, with `workdir` to look at next; None where there is none any more."""
    while _waiting:
        child = _waiting.pop()
        if child.tell(str(workdir)):
            return child
        child.close()
    return None


@atexit.register
def end() -> None:
    """End the process that waits, if there is one."""
    while _waiting:
        _waiting.pop().close()
