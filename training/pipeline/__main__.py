"""`python -m training.pipeline WORKDIR`: train the detector that WORKDIR/manifest.json and WORKDIR/config.json
describe.

With `--supervised`, events are JSON lines on stdout, everything else goes to WORKDIR/trainer.log, whatever else wants
the cores has them first, and the end of stdin or a SIGTERM stops the run. Exit codes: 0 done, 1 failed (after an
`error` event), 3 stopped (run it again to go on; after an `error` event where nobody asked for it), 4 another process
is at work in the folder.

Where WEBNET_DISTRIBUTION is "multi_worker_mirrored" and TF_CONFIG says that this is not the first of several machines,
the process trains along with the first one, which it needs to reach and whose work folder it shares.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import traceback
from pathlib import Path

from training.pipeline import events, stages, supervision, weights
from training.pipeline.config import ConfigError
from training.pipeline.events import OnEvent
from training.pipeline.faults import explain, is_left_alone
from training.pipeline.manifest import ManifestError
from training.pipeline.pixels import UnreadableImage
from training.pipeline.supervision import Stop, Stopped
from training.pipeline.translation import Phrase, gettext_noop

# Faults that a person can understand and mend; everything else is ours.
_EXPECTED = (ManifestError, ConfigError, UnreadableImage, weights.WeightsError)

_LEFT_ALONE = gettext_noop(
    "A machine or graphics card that trains along has gone away. The training goes on from its last checkpoint when all"
    " are there."
)

# The work folder's lock is held, and nothing of a run is freed, until the process is gone: with TensorFlow that takes
# seconds, in which nobody may begin a second one in the folder.
_HELD = contextlib.ExitStack()
_KEPT: list[object] = []


def main() -> int:
    """Parse the command line, run the stages, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.pipeline", description="Train a detector in WORKDIR.")
    parser.add_argument("workdir", type=Path)
    parser.add_argument(
        "--from", dest="start_at", choices=list(stages.STAGES), help="run this stage and all after it again"
    )
    parser.add_argument("--supervised", action="store_true", help="JSON events on stdout; stop at the end of stdin")
    options = parser.parse_args()
    workdir = options.workdir.resolve()
    if not workdir.is_dir():
        parser.error(f"{workdir} is no folder")
    on_event = _channel(workdir, supervised=options.supervised)
    if options.supervised:
        supervision.give_way()
    stop = Stop()
    supervision.listen_for_stop(stop, lifeline=options.supervised)
    return run(workdir, on_event, stop, start_at=options.start_at)


def run(workdir: Path, on_event: OnEvent, stop: Stop, *, start_at: str | None = None) -> int:
    """Run the stages in `workdir` and return the exit code; a failure is told in an `error` event."""
    try:
        rank = _rank()
        _HELD.enter_context(supervision.only_one(workdir / ("lock" if rank == 0 else f"lock.{rank}")))
        opened = stages.open_run(workdir, weights.default_dir(), on_event, stop, start_at=start_at)
        _KEPT.append(opened)
        if rank:
            stages.assist(opened)
        else:
            stages.run_all(opened, start_at=start_at)
    except Stopped as stopped:
        _KEPT.append(stopped)
        return supervision.EXIT_STOPPED
    except supervision.Busy as error:
        print(error, file=sys.stderr)
        return supervision.EXIT_BUSY
    except _EXPECTED as error:
        on_event(events.error(error.args[0]))
        return supervision.EXIT_FAILED
    except Exception as error:
        return _ended_by(error, on_event, stop)
    return supervision.EXIT_DONE


def _ended_by(error: Exception, on_event: OnEvent, stop: Stop) -> int:
    """Tell of a fault that nobody foresaw in detail, and return the exit code that it deserves."""
    if left_alone := _is_shared() and is_left_alone(error):
        if stop.wanted():  # the others were stopped too, and were sooner gone
            return supervision.EXIT_STOPPED
        text: str = Phrase(_LEFT_ALONE)
    else:
        text = explain(error)
    detail = traceback.format_exc()
    # Told first: the log may be on the very disk that is full.
    on_event(events.error(text, detail))
    with contextlib.suppress(OSError):
        print(detail, file=sys.stderr, flush=True)
    return supervision.EXIT_STOPPED if left_alone else supervision.EXIT_FAILED


def _is_shared() -> bool:
    """Whether several devices train together."""
    return os.environ.get(stages.DISTRIBUTION, "off") not in ("", "off")


def _rank() -> int:
    """Which of the machines that train together this is, as TF_CONFIG says; the first one has the run."""
    if os.environ.get(stages.DISTRIBUTION) != "multi_worker_mirrored":
        return 0
    return int(json.loads(os.environ.get("TF_CONFIG") or "{}").get("task", {}).get("index", 0))


def _channel(workdir: Path, *, supervised: bool) -> OnEvent:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    return supervision.events_to_stdout(workdir / "trainer.log") if supervised else supervision.for_people(sys.stdout)


if __name__ == "__main__":
    supervision.leave(main())
