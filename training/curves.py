"""How trainings learnt: loss and AP50 over their steps or minutes, out of the events that they left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from datasets.models import Dataset
from training.models import Event, TrainingRun

# More points of a training's curve than this nobody sees.
MOST_POINTS = 400
# As many as the palette has colours and dashes that can be told apart (static/css/tokens.css).
MOST_RUNS = 8
# How many are drawn where nobody has chosen yet.
FIRST_RUNS = 3
# No number of a row is longer, and SQLite refuses longer ones.
_MOST_DIGITS = 18
_KINDS = ("metrics", "evaluation")

Curve = dict[str, Any]
Points = list[list[float]]
Said = tuple[Mapping[str, Any], datetime]


def with_curves(dataset: Dataset) -> QuerySet[TrainingRun]:
    """The trainings of a dataset, however they ended, that have reported a loss or a score; the newest first."""
    reports = Event.objects.filter(run=OuterRef("pk"), kind__in=_KINDS)
    return TrainingRun.objects.filter(Exists(reports), dataset=dataset).select_related("created_by", "detector")


def chosen(runs: QuerySet[TrainingRun], wanted: Sequence[str]) -> list[TrainingRun]:
    """Those of `runs` whose numbers are wanted, at most one more than can be drawn; what is no number chooses none."""
    numbers = {int(text) for text in wanted if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS}
    return list(runs.filter(pk__in=numbers)[: MOST_RUNS + 1]) if numbers else []


def curves_of(names: Mapping[int, str], begun: Mapping[int, datetime] | None = None) -> list[Curve]:
    """The curves of these runs, by id, in the order of `names`: `name`, `loss` and `AP50`, lists of [x, value].

    Where some concepts were tested on simulated photographs alone, `simulated` is how many (`n`) of how many (`of`).
    x is the step, or the minutes since `begun` where that is given. One query, however many runs there are.
    """
    told: dict[int, list[tuple[str, Mapping[str, Any], datetime]]] = defaultdict(list)
    events = Event.objects.filter(run__in=names, kind__in=_KINDS).order_by("run", "seq")
    for run, *event in events.values_list("run", "kind", "payload", "time"):
        told[run].append(tuple(event))
    return [_curve(name, told[run], begun[run] if begun else None) for run, name in names.items()]


def _curve(name: str, told: Sequence[tuple[str, Mapping[str, Any], datetime]], begun: datetime | None) -> Curve:
    kept, lines = _last_words(told), {}
    for kind, value in (("metrics", "loss"), ("evaluation", "AP50")):
        rows = kept[kind]
        lines[value] = [[_place(row, time, begun), row[value]] for row, time in rows if row.get(value) is not None]
    every = -(-len(lines["loss"]) // MOST_POINTS) or 1
    curve: Curve = {"name": name, **lines, "loss": lines["loss"][::-every][::-1]}  # never without the last one
    last = kept["evaluation"][-1][0] if kept["evaluation"] else {}
    if count := last.get("simulated_concepts"):
        curve["simulated"] = {"n": count, "of": len(last["per_label"])}
    return curve


def _last_words(told: Iterable[tuple[str, Mapping[str, Any], datetime]]) -> dict[str, list[Said]]:
    """By kind and step, in order: a training that went on from a checkpoint takes back what it had said of later steps.

    static/js/losscurve.js does the same for the one that is watched.
    """
    kept: dict[str, list[Said]] = {kind: [] for kind in _KINDS}
    for kind, row, time in told:
        if "step" not in row:
            continue
        _take_back(kept[kind], row["step"])
        if kind == "metrics":
            _take_back(kept["evaluation"], row["step"] + 1)  # scores are told after the loss of the same step
        kept[kind].append((row, time))
    return kept


def _take_back(rows: list[Said], step: int) -> None:
    """Drop those at the end that are about `step` or later."""
    while rows and rows[-1][0]["step"] >= step:
        rows.pop()


def _place(row: Mapping[str, Any], time: datetime, begun: datetime | None) -> float:
    return row["step"] if begun is None else round((time - begun).total_seconds() / 60, 3)


def endings(curves: Iterable[Curve]) -> list[dict[str, Any]]:
    """What each curve comes to: the last `loss`, and in percent the last `AP50` and the `best`; None for none.

    With `simulated` of those that have it.
    """
    rows: list[dict[str, Any]] = []
    for curve in curves:
        loss, scores = curve["loss"], [round(100 * value) for _, value in curve["AP50"]]
        last = {"loss": loss[-1][1] if loss else None, "AP50": scores[-1] if scores else None}
        marks = {"simulated": curve["simulated"]} if "simulated" in curve else {}
        rows.append({**last, "best": max(scores, default=None), **marks})
    return rows
