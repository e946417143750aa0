"""Look at one work folder after the other with a detector that stays loaded: `python -m training.pipeline.resident`.

The first folder is the argument, each line of stdin is one more; they are what `infer` takes. Events go to stdout,
after each folder one of the kind "end" with the exit code that `infer` would have had. The detector is kept for the
next folder that asks for it. The process ends where nobody wants anything of it for IDLE_SECONDS, at the end of stdin,
on SIGTERM, and after a failure, with what that may have left behind.
"""

from __future__ import annotations

import argparse
import queue
import time
from pathlib import Path

from training.pipeline import events, infer, supervision
from training.pipeline.supervision import Stop

# A SavedModel needs a gigabyte of memory, which a training may want.
IDLE_SECONDS = 120.0
_LOOK_SECONDS = 0.2


class Kept:
    """Loads detectors, and keeps the last one."""

    def __init__(self) -> None:
        self._loaded: infer.Loaded | None = None
        self._key: tuple[Path, int] | None = None
        self._count = 0

    def __call__(self, folder: Path, count: int) -> infer.Loaded:
        """As `infer.Loaded`, which is made where another detector, or one for other threads, was the last."""
        key = folder.resolve(), _age(folder)
        if self._loaded and self._key == key and (self._loaded.can_be_shared or self._count == count):
            return self._loaded
        self._loaded, self._key = None, None  # two at a time may be too many for the memory
        self._loaded = infer.Loaded(folder, count)
        self._key, self._count = key, count
        return self._loaded


def _age(folder: Path) -> int:
    """When its description was written: another detector in the same folder is another detector."""
    try:
        return (folder / "detector.json").stat().st_mtime_ns
    except OSError:
        return 0  # not there; loading will say so


def main() -> int:
    """Work until nobody wants anything any more; return the exit code of the last folder."""
    parser = argparse.ArgumentParser(prog="python -m training.pipeline.resident")
    parser.add_argument("workdir", type=Path)
    parser.add_argument("--supervised", action="store_true", required=True, help="as its only use is")
    options = parser.parse_args()
    on_event = supervision.events_to_stdout(options.workdir / "trainer.log")
    stop, folders, load = Stop(), queue.SimpleQueue[Path](), Kept()
    folders.put(options.workdir)
    supervision.listen_for_stop(stop, lifeline=True, on_line=lambda line: folders.put(Path(line)))
    code = supervision.EXIT_DONE
    while folder := _next(folders, stop):
        supervision.write_to_log(folder / "trainer.log")
        code = infer.run(folder, on_event, stop, load)
        on_event(events.end(code))
        if code not in (supervision.EXIT_DONE, supervision.EXIT_BUSY):
            break
    return code


def _next(folders: queue.SimpleQueue[Path], stop: Stop) -> Path | None:
    """The next folder, None where there is none in time or somebody wants a stop."""
    until = time.monotonic() + IDLE_SECONDS
    while time.monotonic() < until and not stop.wanted():
        try:
            return folders.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            continue
    return None


if __name__ == "__main__":
    supervision.leave(main())
