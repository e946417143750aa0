"""Evaluations of the detectors that were trained here, read from their folders, and two of them side by side."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from datasets.models import Artwork
from training.files import detector_folder
from training.models import Detector
from training.pipeline.architectures import ONNX
from training.pipeline.coco_metrics import WORDS

FILE_NAME = "evaluation.json"
# What a page can show and a person take in; the table of concepts and the API have all of them.
MOST_CONCEPTS = 24
MOST_CURVES = 8

Evaluation = dict[str, Any]


def evaluation_of(detector: Detector) -> Evaluation | None:
    """What `training.pipeline.report` made of a training; None where there is none that says so much."""
    if detector.kind != Detector.Kind.TRAINED:
        return None
    try:
        text = (detector_folder(detector) / FILE_NAME).read_text(encoding="utf-8")
        found = json.loads(text)
    except (OSError, ValueError):
        return None
    # Earlier versions wrote the scores alone.
    return found if isinstance(found, dict) and "at_best" in found else None


def checks(detector: Detector) -> list[dict[str, Any]]:
    """How the files of a detector compare with the network that was trained: a row each, AP in percent.

    `passed` and both AP are None where the test artworks that they looked at show no box, or are gone (no `pictures`).
    Empty for those of earlier versions, which did not compare them.
    """
    try:
        folder = detector_folder(detector)
        made = json.loads((folder / "detector.json").read_text(encoding="utf-8")).get("checks", {})
    except (OSError, ValueError):
        return []
    return [
        {"name": name, "pictures": row["pictures"], "passed": row["passed"]}
        | {key: None if row[key] is None else 100 * row[key] for key in ("AP", "trained_AP")}
        for name, row in made.items()
        # The process that makes it may have been killed after it was told of.
        if name != ONNX or (folder / ONNX).is_file()
    ]


def why_none(detector: Detector) -> str:
    """Why a detector has no evaluation, and what to do about it."""
    if detector.kind != Detector.Kind.TRAINED:
        return _("This detector was not trained here, so there are no artworks of yours that it was tested on.")
    return _(
        "There is no evaluation of this detector: it was trained by an earlier version, or its files are gone. "
        "Train it again to see how good it is."
    )


def percent(part: float | None, whole: float = 1) -> int | None:
    """A share in whole percent; None where there is no whole."""
    return None if part is None or not whole else round(100 * part / whole)


def headline(evaluation: Evaluation) -> dict[str, int | None]:
    """How many of 100 boxes of a person it finds, how many of 100 of its own are right, and on how many that rests."""
    counts = evaluation["at_best"]
    known = counts["found"] + counts["swapped"]
    boxes, drawn = known + counts["missed"], known + counts["invented"]
    return {"boxes": boxes, "found": percent(counts["found"], boxes), "right": percent(counts["found"], drawn)}


def concepts(evaluation: Evaluation) -> list[dict[str, Any]]:
    """A row per concept, its shares in percent."""
    shares = ("AP", "AP50", "threshold", "precision", "recall")
    return [
        {
            **{name: row.get(name) for name in ("name", "boxes", "simulated")},
            **{name: percent(row[name]) for name in shares},
        }
        for row in evaluation["per_label"]
    ]


def simulated_concepts(evaluation: Evaluation) -> dict[str, int]:
    """How many concepts (`n`) of how many (`of`) were tested on simulated photographs alone."""
    rows = evaluation["per_label"]
    return {"n": sum(bool(row.get("simulated")) for row in rows), "of": len(rows)}


def coco(evaluation: Evaluation) -> list[dict[str, Any]]:
    """All COCO metrics: `name`, `percent` (None where there is no box of the kind) and `words`.

    Empty for detectors of earlier versions, which kept three of them.
    """
    told = evaluation.get("coco") or {}
    known = [name for name in WORDS if name in told]
    return [{"name": name.replace("_", " "), "percent": percent(told[name]), "words": _(WORDS[name])} for name in known]


def confusion(evaluation: Evaluation) -> dict[str, Any]:
    """The confusion matrix of the concepts with the most boxes, in the order of the evaluation.

    `names` of its concepts; `rows`, each with its concept's name (None: nothing was there) and its cells: the number,
    the depth of its colour (0 to 4) and whether it is right. Where concepts are left out, a column before the last
    one counts what was taken for them (`others`).
    """
    labels = evaluation["per_label"]
    shown = sorted(_by_boxes(labels)[:MOST_CONCEPTS])
    left_out = sorted(set(range(len(labels))) - set(shown))
    rows = []
    for i in [*shown, len(labels)]:
        counts = evaluation["confusion"][i]
        others = [sum(counts[j] for j in left_out)] if left_out else []
        nothing = i == len(labels)
        # What is neither there nor drawn cannot be counted.
        cells = [*(counts[j] for j in shown), *others, *([] if nothing else counts[-1:])]
        most = max(1, sum(cells))
        told = [{"n": n, "depth": -(-4 * n // most), "right": shown[j : j + 1] == [i]} for j, n in enumerate(cells)]
        rows.append({"name": None if nothing else labels[i]["name"], "cells": told})
    return {"names": [labels[i]["name"] for i in shown], "others": len(left_out), "rows": rows}


def curves(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The concepts whose curves are drawn: those with the most boxes among those that have one."""
    labels = [row for row in evaluation["per_label"] if row["curve"]]
    return [labels[i] for i in _by_boxes(labels)[:MOST_CURVES]]


def _by_boxes(labels: Sequence[Mapping[str, Any]]) -> list[int]:
    return sorted(range(len(labels)), key=lambda i: -labels[i]["boxes"])


def pictures(rows: Sequence[dict[str, Any]], detector: Detector, evaluation: Evaluation) -> list[dict[str, Any]]:
    """Test artworks with their row of the database (None where it was deleted) and the concepts' names; one query."""
    names = {row["label"]: row["name"] for row in evaluation["per_label"]}
    ids = [row["artwork"] for row in rows]
    present = Artwork.objects.present().filter(dataset=detector.dataset_id, pk__in=ids).in_bulk()

    def named(boxes: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        sides = ("x", "y", "width", "height")
        return [
            {
                **dict(zip(sides, box["bbox"], strict=True)),
                "outcome": box["outcome"],
                "name": names.get(box["label"], ""),
                "percent": percent(box.get("score")),
            }
            for box in boxes
        ]

    return [
        {
            **row,
            "row": present.get(row["artwork"]),
            "boxes": named(row["boxes"]),
            # Earlier versions wrote those below the threshold, too.
            "detections": named(box for box in row["detections"] if box["outcome"] != "unsure"),
            "mistakes": [(*what, n) for what, n in _mistakes(row, names).items()],
        }
        for row in rows
    ]


def _mistakes(artwork: Mapping[str, Any], names: Mapping[Any, str]) -> Counter[tuple[str, str]]:
    """What went wrong on an artwork: (outcome, concept as it was missed or drawn) → how often."""
    missed = [box for box in artwork["boxes"] if box["outcome"] == "missed"]
    wrong = [box for box in artwork["detections"] if box["outcome"] in ("swapped", "invented")]
    return Counter((box["outcome"], names.get(box["label"], "")) for box in [*missed, *wrong])


def comparable(detector: Detector) -> list[Detector]:
    """The other detectors that were trained on the same dataset and have an evaluation."""
    if detector.dataset_id is None:
        return []
    others = Detector.objects.present().filter(dataset=detector.dataset_id, kind=Detector.Kind.TRAINED)
    return [other for other in others.exclude(pk=detector.pk) if (detector_folder(other) / FILE_NAME).is_file()]


def side_by_side(one: Evaluation, other: Evaluation) -> list[dict[str, Any]]:
    """Rows of two evaluations in percent: all concepts together, then each that one of them knows."""
    rows = [_pair(None, one, other)]
    known = [{row["label"]: row for row in each["per_label"]} for each in (one, other)]
    for label in dict.fromkeys([*known[0], *known[1]]):
        mine, theirs = (rows_of.get(label) for rows_of in known)
        rows.append(_pair((mine or theirs or {})["name"], mine or {}, theirs or {}))
    return rows


def _pair(name: str | None, one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    scores = []
    for score in ("AP50", "AP"):
        mine, theirs = percent(one.get(score)), percent(other.get(score))
        more = None if mine is None or theirs is None else theirs - mine
        scores.append({"one": mine, "other": theirs, "more": more})
    return {"name": name, "scores": scores}


def differing_tests(one: Evaluation, other: Evaluation) -> dict[str, int]:
    """How far the test parts differ: artworks in `both`, in one `only`, and how many of both have other boxes.

    `simulated`: the simulated photographs of both, which are each detector's own.
    """
    mine, theirs = ({row["artwork"]: _truth(row) for row in each["artworks"]} for each in (one, other))
    both = mine.keys() & theirs.keys()
    changed = sum(mine[artwork] != theirs[artwork] for artwork in both)
    simulated = sum(each.get("simulated", 0) for each in (one, other))
    alone = {"only": len(mine) - len(both), "only_other": len(theirs) - len(both)}
    return {"both": len(both), **alone, "changed": changed, "simulated": simulated}


def in_common(one: Evaluation, other: Evaluation) -> dict[str, list[Any]]:
    """What two detectors can be compared on: `labels` that both know, {"label", "name"} each, and `artworks`.

    These, by id, are the test artworks of both on which the boxes of those labels are the same.
    """
    known = {row["label"] for row in other["per_label"]}
    labels = [{"label": row["label"], "name": row["name"]} for row in one["per_label"] if row["label"] in known]
    mine, theirs = (_only(each, labels) for each in (one, other))
    both = [artwork for artwork in mine if artwork in theirs and _truth(mine[artwork]) == _truth(theirs[artwork])]
    return {"labels": labels, "artworks": both}


def on_both(one: Evaluation, other: Evaluation, common: Mapping[str, list[Any]]) -> dict[str, Any]:
    """How two detectors do on what they have `in_common`, in numbers.

    `artworks`: how many there are; `one` and `other`: as `headline`.
    """
    told = {"one": _only(one, common["labels"]), "other": _only(other, common["labels"])}
    return {"artworks": len(common["artworks"])} | {
        name: headline({"at_best": _counts([rows[artwork] for artwork in common["artworks"]])})
        for name, rows in told.items()
    }


def _only(evaluation: Evaluation, labels: Iterable[Mapping[str, Any]]) -> dict[int, dict[str, Any]]:
    """By artwork, what became of the boxes and detections of some concepts alone."""
    known = {row["label"] for row in labels}
    return {row["artwork"]: _of(row, known) for row in evaluation["artworks"]}


def _of(artwork: Mapping[str, Any], labels: set[Any]) -> dict[str, Any]:
    """What became of an artwork's boxes and detections of some concepts alone."""
    return {key: [row for row in artwork[key] if row["label"] in labels] for key in ("boxes", "detections")}


def _counts(artworks: Iterable[Mapping[str, Any]]) -> Counter[str]:
    counts: Counter[str] = Counter(found=0, swapped=0, missed=0, invented=0)
    for artwork in artworks:
        outcomes = Counter(box["outcome"] for box in artwork["boxes"])
        # Whatever else it drew is wrong, also what it took a thing of a concept that is left out here for.
        drawn = sum(row["outcome"] != "unsure" for row in artwork["detections"])
        counts += outcomes
        counts["invented"] += max(0, drawn - outcomes["found"] - outcomes["swapped"])
    return counts


def _truth(artwork: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    return sorted((box["label"], *box["bbox"]) for box in artwork["boxes"])
