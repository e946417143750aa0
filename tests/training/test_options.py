"""What the training page offers."""

from collections.abc import Callable
from dataclasses import replace
from statistics import median_low
from typing import Any

import pytest

from annotations.models import Box, Label
from datasets.models import Artwork
from tests.training.starting import draw, start
from training import options
from training.models import Snapshot
from training.pipeline import config

pytestmark = [pytest.mark.django_db, pytest.mark.services]


def test_a_time_too_short_for_all_artworks_says_how_many_it_learns_from(
    ready: Any, owner: Any, client_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six artworks, five of them to learn from; three minutes are for three, ten are enough."""
    monkeypatch.setattr(config, "_SECONDS_PER_RECORD", 10)
    told = _told(client_of(owner), ready)
    assert told["reads"] == {"quick": 3, "standard": None, "thorough": None, "own": None}


def test_ones_own_time_says_how_many_it_learns_from_and_how_long_it_takes_really(
    ready: Any, owner: Any, client_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two minutes have room for two artworks of ten seconds each, and for more than two minutes' work."""
    monkeypatch.setattr(config, "_SECONDS_PER_RECORD", 10)
    client = client_of(owner)
    told = _told(client, ready, "?minutes=2")
    assert told["reads"]["own"] == 2
    assert told["seconds"]["own"] > 120
    assert told["seconds"]["standard"] == 600
    assert _told(client, ready)["seconds"]["own"] == config.OWN_MINUTES * 60


def test_the_time_decides_which_variations_change_copies(
    ready: Any, owner: Any, client_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five artworks to learn from: room for more, until each picture is to be looked at two thousand times."""
    kinds, all_of_them = ["instances"], ["gentle", "categories", "instances"]
    assert _told(client_of(owner), ready)["varied"]["quick"] == all_of_them
    few = {key: replace(choice, looks=2000 * bool(choice.looks)) for key, choice in config.AUGMENTATIONS.items()}
    monkeypatch.setattr(options, "AUGMENTATIONS", few)
    told = _told(client_of(owner), ready)["varied"]
    assert told["quick"] == kinds and told["thorough"] == all_of_them


def test_artworks_that_show_nothing_count_as_far_as_they_are_learnt_from(
    ready: Any, owner: Any, client_of: Callable[..., Any], make_artwork: Any
) -> None:
    """Six artworks with a box and twenty without one: of the training part, five show something and two nothing."""
    address = f"/api/datasets/{ready.pk}/training-options/"
    client = client_of(owner)
    assert client.get(address).json()["empty_left_out"] == 0
    for seed in range(20, 40):
        make_artwork(ready, seed, nothing_to_mark=True, state="nothing")
    told = client.get(address).json()
    assert told["counts"]["artworks"] == 26 and told["empty_left_out"] == 21 - 7
    kinds, things = config.AUGMENTATIONS["gentle"], config.AUGMENTATIONS["instances"]
    crowd = options.Crowd(images=420, boxed=20)
    assert (crowd.train(kinds), crowd.train(things)) == (16 + 4, 16 + 16)
    costs = options._costs("retinanet_mobilenet_v2", {"quick": 3.0}, crowd, {"quick": 256})
    assert "gentle" in costs["varied"]["quick"] and costs["reads"]["quick"] is None


def test_small_things_are_seen_larger_where_there_is_time_and_that_takes_longer(
    ready: Any, label: Label, owner: Any, client_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six large boxes are there; of twenty small ones more, the middle one is small."""
    client = client_of(owner)
    assert set(_told(client, ready)["sizes"].values()) == {256}
    artwork = Artwork.objects.first()
    for _number in range(20):
        draw(artwork, label, width=10, height=10)
    told = _told(client, ready)
    assert told["sizes"] == {"quick": 256, "standard": 384, "thorough": 384, "own": 384}
    monkeypatch.setattr(config, "_SECONDS_PER_RECORD", 150)
    larger = _told(client, ready)["seconds"]
    Box.objects.all().update(width=90, height=90)
    usual = _told(client, ready)["seconds"]
    assert larger["standard"] > usual["standard"] == 600
    assert larger["quick"] == usual["quick"]


def test_one_picture_is_enough_to_find_one_particular_thing_again(
    ready: Any, owner: Any, client_of: Callable[..., Any], make_artwork: Any
) -> None:
    """The seventh artwork alone shows a second concept."""
    single = Label.objects.create(dataset=ready, name="Our Vermeer", colour="#004488")
    draw(make_artwork(ready, 7), single)
    client = client_of(owner)
    told = client.get(f"/api/datasets/{ready.pk}/training-options/").json()
    assert {row["key"]: row["ready"] for row in told["augmentations"]} == {
        "none": False, "gentle": False, "categories": False, "instances": True,
    }  # fmt: skip
    assert told["lonely"] == 1 and not told["ready"] and "“One particular thing”" in told["problems"][0]["message"]
    choice = {"architecture": "retinanet_mobilenet_v2", "budget": "quick"}
    address = f"/api/datasets/{ready.pk}/training-runs/"
    refused = client.post(address, choice | {"augmentation": "gentle"}, content_type="application/json")
    assert refused.status_code == 409 and not Snapshot.objects.exists()
    begun = client.post(address, choice | {"augmentation": "instances"}, content_type="application/json")
    assert begun.status_code == 201
    kept = Snapshot.objects.get().manifest
    assert kept["simulated_tests"]
    parts = {row["split"] for row in kept["artworks"] if {box["label"] for box in row["boxes"]} == {single.pk}}
    assert parts == {"train"}


def test_other_trainings_are_not_tested_on_simulated_photographs(ready: Any, owner: Any) -> None:
    assert not start(ready, owner).snapshot.manifest["simulated_tests"]


def test_a_concept_that_is_left_out_does_not_decide_how_closely_the_others_are_looked_at(
    ready: Any, label: Label, owner: Any, client_of: Callable[..., Any]
) -> None:
    small = Label.objects.create(dataset=ready, name="Button")
    for _number in range(20):
        draw(Artwork.objects.first(), small, width=10, height=10)
    client = client_of(owner)
    assert _told(client, ready)["sizes"]["standard"] == 384
    assert _told(client, ready, f"?labels={label.pk}")["sizes"]["standard"] == 256
    assert _told(client, ready, f"?minutes=10&labels={label.pk}&labels={small.pk}")["sizes"]["own"] == 384
    answer = client.get(f"/api/datasets/{ready.pk}/training-options/?labels=x")
    assert answer.status_code == 400


def test_artworks_with_suggestions_that_nobody_has_decided_on_are_told(
    ready: Any, owner: Any, client_of: Callable[..., Any]
) -> None:
    """Those without any box are not learnt from, so nothing on them is taken for background."""
    client = client_of(owner)
    address = f"/api/datasets/{ready.pk}/training-options/"
    assert client.get(address).json()["undecided"] == 0
    first, second = Artwork.objects.order_by("pk")[:2]
    Artwork.objects.filter(pk=first.pk).update(suggested=3)
    Artwork.objects.filter(pk=second.pk).update(suggested=3, confirmed=0)
    assert client.get(address).json()["undecided"] == 1
    assert "wait for a decision" in client.get(f"/datasets/{ready.pk}/training/").content.decode()


@pytest.mark.parametrize("sides", [[2, 3, 60], [60, 2, 3, 2], [5] * 3])
def test_the_middle_of_a_concepts_boxes_tells_how_large_it_is(
    dataset: Any, label: Label, make_artwork: Any, sides: list[int]
) -> None:
    artwork = make_artwork(dataset, 0)  # 200 × 150
    other = Label.objects.create(dataset=dataset, name="Rare")
    draw(artwork, other, width=1, height=1)
    for side in sides:
        draw(artwork, label, width=side, height=side)
    assert Box.objects.median_sides(3) == {label.pk: pytest.approx(median_low(sides) / 200)}
    assert set(Box.objects.median_sides(1)) == {label.pk, other.pk}
    assert Box.objects.none().median_sides(1) == {}


@pytest.mark.parametrize("minutes", ["0", "-3", "1e9", "soon", "nan"])
def test_an_impossible_time_is_refused(ready: Any, owner: Any, client_of: Callable[..., Any], minutes: str) -> None:
    answer = client_of(owner).get(f"/api/datasets/{ready.pk}/training-options/?minutes={minutes}")
    assert answer.status_code == 400
    assert "minutes" in answer.json()["errors"]


def _told(client: Any, dataset: Any, query: str = "") -> Any:
    told = client.get(f"/api/datasets/{dataset.pk}/training-options/{query}").json()
    return next(row for row in told["architectures"] if row["key"] == "retinanet_mobilenet_v2")
