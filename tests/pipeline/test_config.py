"""Plans, their files, and what they cost."""

import json
from pathlib import Path

import pytest

from training.pipeline import config
from training.pipeline.architectures import ARCHITECTURES
from training.pipeline.config import AUGMENTATIONS, BUDGETS, ConfigError, estimate_seconds, plan

# Every field that has no default, and neither steps nor minutes.
TIMELESS = json.dumps(
    {
        **dict.fromkeys(("architecture", "backbone", "weights", "budget", "augmentation"), "x"),
        **dict.fromkeys(("seed", "steps", "batch_size", "input_size", "copies", "flip", "evaluations"), 0),
    }
)


def _plan(**changes: object) -> config.RunConfig:
    options = {
        "architecture": "retinanet_mobilenet_v2",
        "budget": "quick",
        "augmentation": "none",
        "seed": 1,
    }
    return plan(**{**options, **changes})  # type: ignore[arg-type]


def test_a_saved_plan_comes_back_the_same(tmp_path: Path) -> None:
    made = _plan(augmentation="categories")
    made.save(tmp_path)
    assert config.load(tmp_path) == made


@pytest.mark.parametrize("change", [{"architecture": "x"}, {"budget": "x"}, {"augmentation": "x"}])
def test_it_refuses_an_unknown_choice_and_names_the_known_ones(change: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="Choose one of"):
        _plan(**change)


@pytest.mark.parametrize("minutes", [None, 0, 1.9, -5, 1441, float("nan"), float("inf")])
def test_it_refuses_an_impossible_time_of_ones_own(minutes: float | None) -> None:
    with pytest.raises(ConfigError, match="from 2 to 1440 minutes"):
        _plan(budget="own", minutes=minutes)


def test_a_time_of_ones_own_is_kept_and_others_have_their_own() -> None:
    assert _plan(budget="own", minutes=17).minutes == 17
    assert _plan(budget="quick", minutes=17).minutes == BUDGETS["quick"].minutes


@pytest.mark.parametrize(
    ("options", "rate"),
    [({}, 5e-3), ({"augmentation": "instances"}, 5e-3), ({"budget": "thorough"}, 5e-3), ({"start": "x"}, 1e-3)],
    ids=["new-head-alone", "backbone-released-early", "backbone-released-late", "goes-on"],
)
def test_only_a_new_head_alone_learns_at_a_high_rate(options: dict[str, str], rate: float) -> None:
    """With it throughout, few_shot had an AP50 of .875 instead of 1.0."""
    made = _plan(**options)
    assert made.learning_rate == rate
    assert made.learning_rate * made.released_rate == pytest.approx(1e-3)


def test_a_backbone_learns_more_slowly_where_there_is_one_picture_of_each_thing() -> None:
    made = {key: _plan(augmentation=key) for key in AUGMENTATIONS}
    rates = {key: plan.learning_rate * plan.released_rate * plan.backbone_rate for key, plan in made.items()}
    assert rates.pop("instances") == pytest.approx(3e-4)
    assert list(rates.values()) == pytest.approx([1e-3] * len(rates))


@pytest.mark.parametrize(
    ("options", "side"),
    [
        ({"smallest": None}, 256),
        ({"smallest": 0.1}, 256),
        ({"smallest": 0.06}, 384),
        ({"smallest": 0.06, "budget": "quick"}, 256),
        ({"smallest": 0.01, "architecture": "retinanet_efficientnet_lite0"}, 384),
        ({"smallest": 0.01, "architecture": "retinanet_mobile_spinenet49"}, 384),
        ({"smallest": 0.01, "architecture": "retinanet_resnet50_fpn"}, 640),
        ({"smallest": 0.1, "start": "x", "start_size": 384, "budget": "quick"}, 384),
        ({"smallest": 0.06, "start": "x", "start_size": 256}, 256),
    ],
    ids=["unknown", "large", "small", "no-time", "efficientnet", "sees-enough", "gpu", "as-before", "as-before-too"],
)
def test_small_things_are_seen_larger_where_there_is_time(options: dict[str, object], side: int) -> None:
    assert _plan(**{"budget": "standard", **options}).input_size == side


def test_copies_never_take_more_than_a_small_part_of_the_time() -> None:
    made = _plan(augmentation="instances")
    assert made.copies == AUGMENTATIONS["instances"].copies
    assert made.most_copies * 0.05 <= 0.15 * made.minutes * 60 + 1e-6


@pytest.mark.parametrize("content", ["", "{", "[]", '{"steps": 3}', TIMELESS, None])
def test_it_refuses_a_file_that_is_no_plan(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(ConfigError, match=r"config\.json"):
        config.load(tmp_path)


def test_it_refuses_a_plan_with_an_unknown_field(tmp_path: Path) -> None:
    path = _plan().save(tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "stepz": 3}))
    with pytest.raises(ConfigError, match="stepz"):
        config.load(tmp_path)


def test_longer_budgets_and_more_pictures_take_longer() -> None:
    for architecture in ARCHITECTURES:
        seconds = [estimate_seconds(architecture, minutes, 60) for minutes in (2, 10, 30)]
        assert seconds == sorted(seconds)
        # The fewest steps that are worth it take longer than ten minutes where a step takes many seconds.
        slow = config.RunConfig.min_steps * ARCHITECTURES[architecture].step_seconds > 360
        assert (seconds[1:] == [600, 1800]) != slow
        assert estimate_seconds(architecture, 3, 20_000) > estimate_seconds(architecture, 3, 60)


def test_ten_thousand_artworks_take_a_quick_training_less_than_twice_as_long() -> None:
    """Of those to learn from, only as many are read as it has time for; all of the test part is, and is scored."""
    quick = BUDGETS["quick"].minutes
    assert estimate_seconds("retinanet_mobilenet_v2", quick, 10_000) < 2 * quick * 60
    assert _plan(budget="quick").most_records == 1800


def test_a_slow_architecture_reads_no_more_than_its_steps_look_at() -> None:
    slow = ARCHITECTURES["retinanet_resnet50_fpn"]
    made = _plan(architecture=slow.key, budget="thorough")
    assert made.most_records == pytest.approx(30 * 60 / slow.step_seconds * slow.batch_size, abs=1)
    least = _plan(architecture=slow.key, budget="quick").most_records
    assert least == config.RunConfig.min_steps * slow.batch_size


def test_what_is_seen_larger_costs_more_so_less_is_read() -> None:
    usual, larger = (_plan(budget="standard", smallest=smallest) for smallest in (None, 0.01))
    assert (usual.enlarged, larger.enlarged) == (1, 2.25)
    assert larger.most_records == int(usual.most_records / 2.25)
    seconds = [estimate_seconds("retinanet_mobilenet_v2", 10, 30_000, side) for side in (None, 384)]
    assert seconds[1] > seconds[0]


def test_the_quick_budget_stays_below_six_minutes_for_the_demo() -> None:
    assert estimate_seconds("retinanet_mobilenet_v2", BUDGETS["quick"].minutes, 80) < 360


def test_every_choice_says_what_it_is() -> None:
    for options in (ARCHITECTURES, BUDGETS, AUGMENTATIONS):
        for key, option in options.items():
            assert option.key == key and option.title and option.description


def test_one_particular_thing_is_never_mirrored() -> None:
    assert not AUGMENTATIONS["instances"].flip
    assert AUGMENTATIONS["categories"].flip


@pytest.mark.parametrize("budget", ["quick", "standard", "thorough"])
def test_a_pretrained_backbone_is_frozen_first_and_then_learns_along(budget: str) -> None:
    made = _plan(budget=budget)
    assert made.freeze_backbone and 0 < made.release_at < 0.5


@pytest.mark.parametrize("architecture", [key for key, entry in ARCHITECTURES.items() if not entry.weights])
def test_a_backbone_that_knows_nothing_learns_from_the_first_step(architecture: str) -> None:
    fresh = _plan(architecture=architecture, budget="thorough")
    assert (fresh.weights, fresh.pretrained_head, fresh.freeze_backbone, fresh.release_at) == ("", "", False, 1.0)


@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
def test_what_an_earlier_training_has_taught_a_backbone_is_frozen_first_and_then_learns_along(
    architecture: str,
) -> None:
    made = _plan(architecture=architecture, budget="thorough", start="/detectors/7")
    assert made.freeze_backbone and 0 < made.release_at < 0.5
    assert 0 < made.backbone_rate * made.learning_rate * made.released_rate <= 1e-3 + 1e-9


def test_changed_copies_are_for_few_artworks_that_are_looked_at_often() -> None:
    """Ten minutes look at 2857 batches of eight: fifty times at 457 pictures. Of one thing copies are always made."""
    assert _plan(budget="standard", augmentation="categories").most_varied == 457
    assert _plan(budget="quick", augmentation="gentle").most_varied == 137
    assert _plan(budget="quick", augmentation="instances").most_varied > 100_000
