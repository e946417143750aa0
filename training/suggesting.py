"""What becomes of the boxes that a detector finds: suggestions, and word of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from annotations.geometry import Rect, iou
from annotations.services import Found, write_suggestions
from annotations.suggestions import SAME
from datasets.models import Artwork
from training import live
from training.models import Event, InferenceRun
from training.pipeline import events as pipeline_events
from training.pipeline.translation import Phrase, gettext_noop
from training.supervision import PipelineEvent

# Beside an artwork in seen.txt.
_UNREADABLE = "unreadable"


def seen_before(workdir: Path) -> dict[int, bool]:
    """The artworks that an earlier try is done with, and whether it could read them."""
    path = workdir / "seen.txt"
    text = path.read_text(errors="replace") if path.exists() else ""
    # A full disk or a power cut may have left a part of a line.
    lines = re.findall(rf"^(\d+)( {_UNREADABLE})?\n", text, re.MULTILINE)
    return {int(artwork): not unreadable for artwork, unreadable in lines}


class SuggestionWriter:
    """Turns what the detector found into suggestions, and tells the pages about each artwork that changed."""

    def __init__(self, run: InferenceRun, workdir: Path, total: int, beat: Callable[[], None]) -> None:
        assert run.detector_id is not None, "an inference is prepared with its detector"
        self.run, self.total, self.detector_id, self.beat = run, total, run.detector_id, beat
        self.mapping = {int(key): label_id for key, label_id in run.mapping.items()}
        self.needed = run.needed()
        seen = seen_before(workdir)
        self.before, self.unreadable = len(seen), list(seen.values()).count(False)
        self._left: list[PipelineEvent] = []
        self._told = live.Outbox(run.pk)
        self.seen = (workdir / "seen.txt").open("a")
        self.seen.write(" -\n")  # makes no line of a part of one, which may name another artwork
        # What earlier tries found counts as well.
        found = [event.payload["boxes"] for event in Event.objects.filter(run=run, kind="artwork")]
        self.boxes, self.artworks = sum(found), sum(map(bool, found))

    def take(self, events: list[PipelineEvent]) -> None:
        """Write suggestions first, tell afterwards. Raises what `beat` raises.

        What could not be written while the database was away comes first in the next call.
        """
        self._left += events
        told: list[tuple[str, dict[str, Any]]] = []
        try:
            while self._left:
                self.beat()  # a detector may be quicker than the database
                told += self._lines(self._left[0])
                del self._left[0]
        finally:
            self.seen.flush()
            self._told.send(told)

    def summary(self) -> Phrase:
        """What came of it, for the run's last line."""
        self.seen.close()
        text = gettext_noop("%(boxes)d suggestions on %(artworks)d of %(total)d artworks.")
        if self.unreadable:
            text = gettext_noop(
                "%(boxes)d suggestions on %(artworks)d of %(total)d artworks. %(unreadable)d images could not be read."
            )
        values = {"boxes": self.boxes, "artworks": self.artworks, "total": self.total, "unreadable": self.unreadable}
        return Phrase(text, **values)

    def _lines(self, event: PipelineEvent) -> list[tuple[str, dict[str, Any]]]:
        kind, payload = event["kind"], event["payload"]
        if kind == "progress":
            payload = {**payload, "done": payload["done"] + self.before, "total": self.total}
        if kind != "found":
            return [(kind, payload)]
        return self._write(payload)

    def _write(self, found: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        artwork_id = int(found["id"])
        lines: list[tuple[str, dict[str, Any]]] = []
        unreadable = found.get("error")
        if unreadable:
            text = gettext_noop("The image of “%(title)s” cannot be read: %(reason)s")
            title = str(Artwork.objects.get(pk=artwork_id))
            self.unreadable += 1
            line = pipeline_events.log(Phrase(text, title=title, reason=unreadable))
            lines.append((line["kind"], line["payload"]))
        else:
            revision, count = write_suggestions(
                artwork_id=artwork_id,
                detector_id=self.detector_id,
                detector_name=self.run.detector_title,
                found=self._mapped(found["boxes"]),
            )
            self.boxes += count
            self.artworks += bool(count)
            lines.append(("artwork", {"artwork": artwork_id, "revision": revision, "boxes": count}))
        self.seen.write(f"{artwork_id} {_UNREADABLE}\n" if unreadable else f"{artwork_id}\n")
        return lines

    def _mapped(self, boxes: list[dict[str, Any]]) -> list[Found]:
        """What was found, under the dataset's labels.

        Where a boot and a shoe are both "shoe", of two boxes that mean the same thing the surer one is left: the
        detector itself has looked at each of its classes alone.
        """
        kept: list[tuple[Any, Found]] = []
        for box in sorted(boxes, key=lambda box: -float(box["score"])):
            if box["label"] not in self.mapping or box["score"] < self.needed[box["label"]]:
                continue
            place = (box["x"], box["y"], box["width"], box["height"])
            one = Found(self.mapping[box["label"]], *place, box["score"])
            rivals = (found for label, found in kept if label != box["label"] and found.label_id == one.label_id)
            if not any(iou(Rect(its.x, its.y, its.width, its.height), Rect(*place)) >= SAME for its in rivals):
                kept.append((box["label"], one))
        return [found for _label, found in kept]
