"""Stage 9, infer: draw boxes on many pictures with one detector. `python -m training.pipeline.infer WORKDIR`.

WORKDIR/request.json: {"detector": folder, "threshold": 0…1, "closely": bool (optional: in tiles too, see `tiles`),
"images": [{"id", "file", "width", "height"}]}. Emits a `found` event per image as soon as it is known, in pixels of its
width × height, and `progress`. TensorFlow is needed for a SavedModel only. One worker per core decodes and detects, so
that decoding one picture overlaps with looking at another.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from training.pipeline import events, supervision, tiles
from training.pipeline.detectors import Detector, DetectorError, Found, Key
from training.pipeline.events import Event, OnEvent
from training.pipeline.pixels import UnreadableImage, cores, read_rgb
from training.pipeline.supervision import Stop, Stopped
from training.pipeline.translation import Phrase, gettext_noop

PROGRESS_SECONDS = 0.5


class RequestError(ValueError):
    """request.json cannot be worked on; the message says why."""


@dataclass(frozen=True)
class Picture:
    """One image to look at: its file, and the artwork's size in pixels, which the boxes refer to."""

    id: Key
    file: Path
    width: int
    height: int


@dataclass(frozen=True)
class Request:
    """What to look at, with what."""

    detector: Path
    threshold: float
    closely: bool
    images: tuple[Picture, ...]


def load_request(workdir: Path) -> Request:
    """Read WORKDIR/request.json; relative paths are resolved against `workdir`. Raises RequestError."""
    try:
        data = json.loads((workdir / "request.json").read_text(encoding="utf-8"))
        images = tuple(_picture(row, workdir) for row in data["images"])
        request = Request(workdir / data["detector"], float(data["threshold"]), bool(data.get("closely")), images)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RequestError(f"request.json cannot be used: {error}") from None
    if not (math.isfinite(request.threshold) and 0 <= request.threshold <= 1):
        raise RequestError(f"The threshold must lie between 0 and 1, not {request.threshold}.")
    return request


class Loaded:
    """The detector of a folder, for `count` threads.

    An interpreter cannot be shared by two threads, as a SavedModel can, so each thread has its own.
    """

    def __init__(self, folder: Path, count: int) -> None:
        """Raises DetectorError."""
        # A single picture may have all cores; many pictures get one core each, which is faster in all.
        threads = cores() if count == 1 else 1
        first = Detector(folder, threads=threads)
        self.can_be_shared = first.can_be_shared
        self.detectors = [first]
        while len(self.detectors) < count:
            self.detectors.append(first if first.can_be_shared else Detector(folder, threads=threads))


Load: TypeAlias = Callable[[Path, int], Loaded]


def infer(request: Request, *, on_event: OnEvent, stop: Stop, load: Load = Loaded) -> None:
    """Look at every image of `request`. Raises DetectorError, or Stopped between two images."""
    started, told = time.monotonic(), 0.0
    for done, event in enumerate(_all(request, stop, load), start=1):
        on_event(event)
        now = time.monotonic()
        if done == len(request.images) or now - told > PROGRESS_SECONDS:
            told = now
            on_event(events.progress(done, len(request.images), done / max(1e-6, now - started)))


def _all(request: Request, stop: Stop, load: Load) -> Iterator[Event]:
    """`found` events in order of completion; only a few pictures are in memory at a time."""
    count = max(1, min(cores(), len(request.images)))
    workers = _Workers(request, load(request.detector, count))
    waiting = iter(request.images)
    with ThreadPoolExecutor(count) as pool:
        running: set[Future[Event]] = set()
        running |= {pool.submit(workers.look, picture) for picture in _take(waiting, count * 2)}
        while running:
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            if stop.wanted():
                pool.shutdown(wait=False, cancel_futures=True)
                raise Stopped
            running |= {pool.submit(workers.look, picture) for picture in _take(waiting, len(finished))}
            for future in finished:
                yield future.result()


class _Workers:
    """What each thread does with its detector; all of it frees the interpreter's lock."""

    def __init__(self, request: Request, loaded: Loaded) -> None:
        self._request = request
        self._own = threading.local()
        self._shared = loaded.detectors[0] if loaded.can_be_shared else None
        self._ready = list(loaded.detectors)

    def look(self, picture: Picture) -> Event:
        """Look at one picture; a file that cannot be read becomes an event that says so."""
        detector = self._detector()
        try:
            # Pixels beyond what the network sees are not decoded.
            longest = detector.longest(picture.width, picture.height)
            pixels = read_rgb(picture.file, tiles.longest(longest) if self._request.closely else longest)
        except UnreadableImage as error:
            return events.found(picture.id, [], error.args[0])
        detect = partial(tiles.detect_closely, detector) if self._request.closely else detector.detect
        boxes = detect(pixels, picture.width, picture.height, self._request.threshold)
        return events.found(picture.id, [_rounded(box) for box in boxes])

    def _detector(self) -> Detector:
        if self._shared:  # by more threads, too, than it was loaded for
            return self._shared
        if not hasattr(self._own, "detector"):
            self._own.detector = self._ready.pop()
        detector: Detector = self._own.detector
        return detector


def _rounded(box: Found) -> dict[str, Any]:
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(box).items()}


def _take(pictures: Iterator[Picture], count: int) -> Sequence[Picture]:
    return list(itertools.islice(pictures, count))


def _picture(row: dict[str, Any], workdir: Path) -> Picture:
    width, height = int(row["width"]), int(row["height"])
    if width <= 0 or height <= 0:
        raise ValueError(f"image {row['id']} has the size {width} × {height}")
    return Picture(row["id"], workdir / row["file"], width, height)


def main() -> int:
    """Parse the command line, look at the pictures, return the exit code (as `python -m training.pipeline`)."""
    parser = argparse.ArgumentParser(prog="python -m training.pipeline.infer", description="Find boxes on pictures.")
    parser.add_argument("workdir", type=Path)
    parser.add_argument("--supervised", action="store_true", help="JSON events on stdout; stop at the end of stdin")
    options = parser.parse_args()
    workdir = options.workdir.resolve()
    if not workdir.is_dir():
        parser.error(f"{workdir} is no folder")
    if options.supervised:
        on_event = supervision.events_to_stdout(workdir / "trainer.log")
    else:
        on_event = supervision.for_people(sys.stdout)
    stop = Stop()
    supervision.listen_for_stop(stop, lifeline=options.supervised)
    return run(workdir, on_event, stop)


def run(workdir: Path, on_event: OnEvent, stop: Stop, load: Load = Loaded) -> int:
    """Work on WORKDIR/request.json and return the exit code; a failure is told in an `error` event."""
    try:
        with supervision.only_one(workdir / "lock"):
            infer(load_request(workdir), on_event=on_event, stop=stop, load=load)
    except Stopped:
        return supervision.EXIT_STOPPED
    except supervision.Busy as error:
        print(error, file=sys.stderr)
        return supervision.EXIT_BUSY
    except (RequestError, DetectorError) as error:
        on_event(events.error(error.args[0]))
        return supervision.EXIT_FAILED
    except Exception as error:
        detail = traceback.format_exc()
        text = gettext_noop("The detection stopped because of an unexpected fault: %(fault)s")
        on_event(events.error(Phrase(text, fault=str(error)), detail))
        return supervision.EXIT_FAILED
    return supervision.EXIT_DONE


if __name__ == "__main__":
    supervision.leave(main())
