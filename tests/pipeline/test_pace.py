"""How far a training is, by the clock and by its steps."""

import dataclasses

import pytest

from training.pipeline import pace as pace_module
from training.pipeline.config import RunConfig, plan
from training.pipeline.pace import Pace


class Clock:
    """Stands in for the time, which the tests set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(pace_module, "time", made)
    return made


def _config(**changes: object) -> RunConfig:
    made = plan(architecture="retinanet_mobilenet_v2", budget="standard", augmentation="none", seed=1)
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def _go(pace: Pace, clock: Clock, steps: int, seconds: float) -> None:
    """Steps of `seconds` each."""
    for _ in range(steps):
        clock.now += seconds
        pace.step += 1
        pace.measured(1, seconds)


def test_a_training_by_the_clock_ends_when_its_time_is_over(clock: Clock) -> None:
    pace = Pace(_config(), seconds=100)
    _go(pace, clock, 400, 0.2)
    assert pace.progress == pytest.approx(0.8)
    assert pace.seconds_left == pytest.approx(20)
    assert pace.total_steps == 500
    _go(pace, clock, 100, 0.2)
    assert pace.progress == 1 and pace.seconds_left == 0


@pytest.mark.parametrize(("compiling", "left"), [(10, 70), (100, 40)])
def test_what_the_export_will_need_is_not_for_training(clock: Clock, compiling: float, left: float) -> None:
    """Which takes as much longer as the first step on a slow machine; but most of the time is for training always."""
    pace = Pace(_config(minutes=100 / 60), seconds=100)
    pace.compiled(compiling)
    assert pace.seconds_left == pytest.approx(left)
    without = Pace(_config(steps=40), seconds=None)
    without.compiled(compiling)
    assert without.total_steps == 40


def test_what_comes_after_the_last_step_is_known_as_well_as_it_can_be(clock: Clock) -> None:
    """Scoring by a guess and then by the last score on the way, exporting by the first step."""
    pace = Pace(_config(), seconds=100, evaluation_seconds=3, after=3)
    pace.compiled(10)
    assert pace.after == pytest.approx(33)
    for seconds in (8, 5):
        pace.evaluation_took(seconds)
    assert pace.after == pytest.approx(35)


def test_a_slow_machine_gets_the_fewest_steps_that_are_worth_it(clock: Clock) -> None:
    pace = Pace(_config(min_steps=50), seconds=100)
    _go(pace, clock, 25, 10)
    assert pace.progress == pytest.approx(0.5), "two and a half times the time is over, but half of the steps"
    assert pace.seconds_left == pytest.approx(250)
    assert pace.total_steps == 50


def test_a_training_by_steps_does_not_look_at_the_clock(clock: Clock) -> None:
    pace = Pace(_config(steps=40, evaluations=4), seconds=None)
    _go(pace, clock, 10, 3)
    assert pace.progress == 0.25 and pace.total_steps == 40
    pace.evaluation_took(5)
    assert pace.seconds_left == pytest.approx(30 * 3 + 2 * 5)


def test_it_goes_on_where_an_earlier_try_stopped(clock: Clock) -> None:
    pace = Pace(_config(), seconds=100, step=200, spent=60)
    assert pace.progress == pytest.approx(0.6)
    clock.now += 10
    assert pace.elapsed == pytest.approx(70)


def test_the_rate_warms_up_holds_and_falls_to_nothing(clock: Clock) -> None:
    config = _config(steps=1000, learning_rate=1e-3, warmup_steps=50, released_rate=1.0)
    rates = [Pace(config, None, step=step).learning_rate() for step in (0, 24, 49, 99, 550, 999)]
    assert rates[0] == pytest.approx(2e-5)
    assert rates[1] == pytest.approx(5e-4)
    assert rates[2] == rates[3] == 1e-3
    assert rates[4] == pytest.approx(5e-4)
    assert 0 < rates[5] < 1e-8


def test_the_rate_is_lower_from_the_release_on(clock: Clock) -> None:
    config = _config(steps=1000, learning_rate=1e-3, warmup_steps=1, release_at=0.5, released_rate=0.2)
    frozen, released = (Pace(config, None, step=step).learning_rate() for step in (499, 500))
    assert released == pytest.approx(0.2 * frozen, rel=0.01)


def test_the_first_rates_do_not_depend_on_the_clock(clock: Clock) -> None:
    slow, fast = (Pace(_config(), seconds=1000) for _ in range(2))
    for _ in range(30):
        slow.step += 1
        fast.step += 1
        fast_rate = fast.learning_rate()
        clock.now += 0.7
        assert slow.learning_rate() == fast_rate


def test_evaluations_are_spread_evenly_and_none_is_at_the_end(clock: Clock) -> None:
    pace, due = Pace(_config(steps=60, evaluations=6), None), []
    while (before := pace.progress) < 1:
        _go(pace, clock, 1, 1)
        due += [pace.step] if pace.is_evaluation_due(before) else []
    assert due == [10, 20, 30, 40, 50]


def test_an_evaluation_that_is_known_to_take_too_long_is_not_even_tried(clock: Clock) -> None:
    due = []
    for guess in (29.0, 31.0):
        pace = Pace(_config(evaluations=10), seconds=100, evaluation_seconds=guess)
        before = pace.progress
        pace.step, clock.now = 1000, clock.now + 15
        due.append(pace.is_evaluation_due(before))
    assert due == [True, False]


def test_a_resumed_training_has_its_own_share_for_evaluations(clock: Clock) -> None:
    pace = Pace(_config(evaluations=10), seconds=100, spent=50)
    pace.evaluation_took(4)
    before = pace.progress
    pace.step, clock.now = 1000, clock.now + 15
    assert not pace.is_evaluation_due(before), "8 seconds are more than 12 % of the 50 that are left"


def test_evaluations_that_take_too_long_are_left_out(clock: Clock) -> None:
    pace, count = Pace(_config(evaluations=10), seconds=100), 0
    while (before := pace.progress) < 1:
        _go(pace, clock, 1, 0.25)
        if pace.is_evaluation_due(before):
            count += 1
            pace.evaluation_took(5)
    assert count == 2


def test_a_long_training_reports_no_oftener_than_a_curve_needs() -> None:
    assert pace_module.report_seconds(0, 1.0) == pace_module.report_seconds(20, 1.0) == 1.0
    day = 24 * 60
    assert day * 60 / pace_module.report_seconds(day, 1.0) <= 5000
