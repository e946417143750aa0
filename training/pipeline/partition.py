"""Split artworks into a train and a test part, and say whether there is enough to train on.

The split is by artwork and comes before any augmentation, so that no changed copy of a test picture is ever trained on.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from training.pipeline.manifest import Manifest
from training.pipeline.translation import Phrase, gettext_noop

TEST_FRACTION = 0.2
MINIMUM_BOXED_ARTWORKS = 4
MINIMUM_ARTWORKS_PER_LABEL = 2


@dataclass(frozen=True)
class Readiness:
    """Whether a training can start; if not, why, with the numbers.

    `lonely`: of the problems those of concepts on too few artworks to be tested, which is none where they are tested on
    simulated photographs (see `simulated`).
    """

    problems: tuple[Phrase, ...]
    counts: Mapping[str, int]
    lonely: tuple[Phrase, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether nothing is in the way of any training."""
        return not self.problems

    def in_the_way(self, *, simulated: bool) -> tuple[Phrase, ...]:
        """The problems of a training whose concepts are, or are not, tested on simulated photographs."""
        return tuple(problem for problem in self.problems if not (simulated and problem in self.lonely))


@dataclass(frozen=True)
class LabelCount:
    """How often a label occurs: on `artworks` artworks, in `boxes` confirmed boxes."""

    name: str
    artworks: int
    boxes: int


@dataclass
class _Group:
    """Artworks that must stay in one part: the same picture."""

    key: str
    ids: list[Hashable] = field(default_factory=list)
    labels: set[Hashable] = field(default_factory=set)


# Artworks without boxes are stratified like a concept of their own.
_NOTHING = object()


def assign_splits(
    artworks: Sequence[Mapping[str, Any]],
    *,
    seed: int,
    test_fraction: float = TEST_FRACTION,
    known: Mapping[str, str] = MappingProxyType({}),
    simulated: bool = False,
) -> dict[Any, str]:
    """Give every artwork id "train" or "test", the same for the same input in any order.

    `artworks`: mappings with `id`, `sha256` and `boxes` (each with `label`). Equal files stay together. Every label
    gets about `test_fraction` of its artworks into test; a label on at least two groups appears in both parts where
    the labels beside it allow that. With two or more groups neither part is empty. `known`: the parts that files (by
    their sha256) were in before; they stay there, so that a detector is never tested on what it once learnt, even where
    that leaves a part empty. `simulated`: what no test artwork shows is tested on simulated photographs, so that a
    label's last artwork stays in train even where that leaves test empty.
    Raises ValueError for a fraction outside (0, 1).
    """
    if not 0 < test_fraction < 1:
        raise ValueError(f"The test fraction must lie between 0 and 1, not {test_fraction}.")
    groups = sorted(_groups(artworks), key=lambda group: _shuffle_key(seed, group.key))
    parts = {f"file:{sha256}": part for sha256, part in known.items()}
    chosen = _choose_test(groups, test_fraction, parts)
    new = [group.key for group in groups if group.key not in parts]
    if not chosen and new and len(groups) > 1 and not simulated:
        chosen.add(new[-1])
    return {key: "test" if group.key in chosen else "train" for group in groups for key in group.ids}


def _groups(artworks: Sequence[Mapping[str, Any]]) -> list[_Group]:
    groups: dict[str, _Group] = {}
    for artwork in artworks:
        key = f"file:{artwork['sha256'] or artwork['id']}"
        group = groups.setdefault(key, _Group(key))
        group.ids.append(artwork["id"])
        group.labels.update(box["label"] for box in artwork["boxes"])
    for group in groups.values():
        group.labels = group.labels or {_NOTHING}
    return list(groups.values())


def _shuffle_key(seed: int, key: str) -> str:
    return hashlib.sha256(f"{seed}:{key}".encode()).hexdigest()


def _choose_test(groups: Sequence[_Group], fraction: float, known: Mapping[str, str]) -> set[str]:
    """Rarest label first, take its groups until it has its share in test; a label's last group stays in train."""
    holders: dict[Hashable, list[_Group]] = {}
    for group in groups:
        for label in group.labels:
            holders.setdefault(label, []).append(group)
    left = Counter({label: len(rows) for label, rows in holders.items()})
    taken: Counter[Hashable] = Counter()
    chosen: set[str] = set()
    for group in groups:
        if known.get(group.key) == "test":
            chosen.add(group.key)
            taken.update(group.labels)
            left.subtract(group.labels)
    # `holders` keeps the shuffled order of first appearance, so equally rare labels are in a fixed order too.
    order = sorted(holders, key=lambda label: (len(holders[label]), [group.key for group in holders[label]]))
    wanted = {label: _share(len(holders[label]), fraction) for label in order}
    for label in order:
        # First those that do not push other labels over their share. The sort is stable, so the shuffle decides ties.
        rows = sorted(holders[label], key=lambda group: sum(taken[other] >= wanted[other] for other in group.labels))
        for group in rows:
            if taken[label] >= wanted[label]:
                break
            if group.key not in chosen and group.key not in known and all(left[other] > 1 for other in group.labels):
                chosen.add(group.key)
                taken.update(group.labels)
                left.subtract(group.labels)
    return chosen


def _share(count: int, fraction: float) -> int:
    return max(1, round(fraction * count)) if count > 1 else 0


def readiness_of_counts(labels: Sequence[LabelCount], *, artworks: int, boxed: int, nothing_to_mark: int) -> Readiness:
    """Judge whether there is enough to train `labels` on: artworks in all, with boxes of these, and marked as empty."""
    without = [_without_boxes(label) for label in labels if not label.boxes]
    lonely = [_lonely(label) for label in labels if 0 < label.artworks < MINIMUM_ARTWORKS_PER_LABEL]
    counts = {
        "artworks": artworks,
        "boxed": boxed,
        "nothing_to_mark": nothing_to_mark,
        "labels": len(labels),
        "boxes": sum(label.boxes for label in labels),
    }
    return Readiness((*_dataset_problems(labels, boxed), *without, *lonely), counts, tuple(lonely))


def _dataset_problems(labels: Sequence[LabelCount], boxed: int) -> list[Phrase]:
    problems = []
    if not labels:
        problems.append(Phrase(gettext_noop("There is no concept to train. Add at least one concept first.")))
    if boxed < MINIMUM_BOXED_ARTWORKS:
        text = gettext_noop(
            "Artworks with confirmed boxes: %(found)d. Training needs at least %(needed)d; draw boxes on %(missing)d"
            " more."
        )
        missing = MINIMUM_BOXED_ARTWORKS - boxed
        problems.append(Phrase(text, found=boxed, needed=MINIMUM_BOXED_ARTWORKS, missing=missing))
    return problems


def _without_boxes(label: LabelCount) -> Phrase:
    text = gettext_noop("The concept “%(label)s” has no confirmed boxes. Draw some, or train without this concept.")
    return Phrase(text, label=label.name)


def _lonely(label: LabelCount) -> Phrase:
    text = gettext_noop(
        "The concept “%(label)s” is on %(found)d artwork only. It needs at least %(needed)d: one to learn from and"
        " one to test on. Draw it on another artwork, or train without this concept. If it is one particular work or"
        " thing, choose “One particular thing” below: then one picture will do to begin with."
    )
    return Phrase(text, label=label.name, found=label.artworks, needed=MINIMUM_ARTWORKS_PER_LABEL)


def write_lists(manifest: Manifest, workdir: Path) -> dict[str, Path]:
    """Write the train and the test list, one image file per line, to webnet_splitted_dataset/<dataset>/."""
    folder = workdir / "webnet_splitted_dataset" / manifest.dataset.folder
    folder.mkdir(parents=True, exist_ok=True)
    lists = {}
    for split in ("train", "test"):
        lists[split] = folder / f"{split}.txt"
        lines = [str(artwork.file) for artwork in manifest.part(split)]
        lists[split].write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return lists
