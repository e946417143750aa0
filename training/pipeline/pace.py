"""How far a training is and how long it will take: by the clock where a time was given, by steps where these were.

Whoever gives a training ten minutes wants it over after ten, on a fast machine and on a busy one. So the learning rate,
the release of the backbone and the evaluations follow the share of the time that is over, and not a number of steps
that somebody guessed before. What the first losses depend on is the same in every run of a seed: the rate only
begins to fall when a tenth of the way is done.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from training.pipeline.config import LEAST_TRAINING_SHARE, RunConfig

# How much of the step time the newest measurement makes up.
_NEWEST = 0.2
# Share of a training that evaluations on the way may take, and the first one, of which nobody knows yet how long it
# takes, by what is guessed.
_EVALUATIONS, _FIRST_EVALUATION = 0.12, 0.3
# Exporting and converting take so many times as long as the first step. Both build graphs, at the speed of the machine.
_EXPORT = 3.0
# A curve needs no more points; each is kept, and sent to everybody who opens a page of the run.
_MOST_REPORTS = 5000


def report_seconds(minutes: float, least: float) -> float:
    """How many seconds a training of `minutes` (0: unknown) lets pass from one report of its loss to the next."""
    return max(least, minutes * 60 / _MOST_REPORTS)


@dataclass
class Pace:
    """`seconds` to train and export in, or None where `config.steps` says how long; `spent`: earlier tries' among them.

    All times are in seconds; `evaluation_seconds` is a guess until the first evaluation, and so is `after`, how long
    scoring and exporting the finished detector will take.
    """

    config: RunConfig
    seconds: float | None
    step: int = 0
    spent: float = 0.0
    step_seconds: float = 0.0
    evaluation_seconds: float = 0.0
    after: float = 0.0

    def __post_init__(self) -> None:
        self._since = time.monotonic()
        self._evaluated = 0.0
        self._told: float | None = None

    @property
    def elapsed(self) -> float:
        """Seconds of training in all tries, evaluations among them."""
        return self.spent + time.monotonic() - self._since

    @property
    def progress(self) -> float:
        """How much of the way is done, 0 to 1. By the clock, but with no fewer than `config.min_steps` steps."""
        return self.own_progress if self._told is None else self._told

    def follow(self, progress: float) -> None:
        """Until told again so much of the way is done, whatever the clock says: all of a step has one answer."""
        self._told = progress

    @property
    def own_progress(self) -> float:
        """The progress by the clock of this machine."""
        if self.seconds is None:
            return min(1.0, self.step / self.config.steps)
        return min(1.0, self.elapsed / self.seconds, self.step / self.config.min_steps)

    @property
    def seconds_left(self) -> float:
        """An honest guess: what is left of the time, or the steps that are left at the pace of now."""
        missing = (self.config.steps if self.seconds is None else self.config.min_steps) - self.step
        by_steps = max(0, missing) * self.step_seconds
        if self.seconds is None:
            return by_steps + self._evaluations_left() * self.evaluation_seconds
        return max(by_steps, self.seconds - self.elapsed, 0.0)

    @property
    def total_steps(self) -> int:
        """How many steps there will have been in the end; a guess that gets better where the clock decides."""
        if self.seconds is None:
            return self.config.steps
        if self.progress >= 1 or not self.step_seconds:
            return max(self.step, self.config.min_steps)
        return max(self.config.min_steps, self.step + round(self.seconds_left / self.step_seconds))

    def learning_rate(self) -> float:
        """Of the next step: a linear warm-up, a plateau, and half a cosine down to nothing (arXiv 1608.03983)."""
        warm = min(1.0, (self.step + 1) / self.config.warmup_steps)
        fallen = max(0.0, self.progress - self.config.falls_from) / max(1 - self.config.falls_from, 1e-9)
        released = self.config.released_rate if self.progress >= self.config.release_at else 1.0
        return self.config.learning_rate * released * warm * 0.5 * (1 + math.cos(math.pi * fallen))

    def compiled(self, seconds: float) -> None:
        """The first step took so long: as the export will too, in proportion, some of the time is not for training."""
        self.after += _EXPORT * seconds
        if self.seconds is not None:
            least = LEAST_TRAINING_SHARE * 60 * self.config.minutes
            self.seconds = max(self.seconds - _EXPORT * seconds, min(least, self.seconds))

    def measured(self, steps: int, seconds: float) -> float:
        """Take a measurement over `steps` steps into the pace; return what one of them took."""
        newest = seconds / steps
        self.step_seconds = (
            newest if not self.step_seconds else self.step_seconds + _NEWEST * (newest - self.step_seconds)
        )
        return newest

    def evaluation_took(self, seconds: float) -> None:
        """Remember how long an evaluation takes, as the one at the end will."""
        self.after += seconds - self.evaluation_seconds
        self.evaluation_seconds = seconds
        self._evaluated += seconds

    def is_evaluation_due(self, before: float) -> bool:
        """Whether one lies between the progress `before` and now, and there is time for it.

        They are spread evenly, without one at the end: the evaluation stage scores the finished detector.
        """
        count = self.config.evaluations
        due = int(self.progress * count) > int(before * count) and self.progress < 1
        return due and self.may_evaluate

    @property
    def may_evaluate(self) -> bool:
        """Whether there is time for another evaluation, at the time that the last one took."""
        if self.seconds is None:
            return True
        share = _EVALUATIONS if self._evaluated else _FIRST_EVALUATION
        # Of this try's share of the time; what earlier ones scored came out of theirs.
        return self._evaluated + self.evaluation_seconds <= share * (self.seconds - self.spent)

    def _evaluations_left(self) -> int:
        return max(0, self.config.evaluations - 1 - int(self.progress * self.config.evaluations))
