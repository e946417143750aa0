"""Examples of an augmentation through the API: whose artworks, what is told where there are none, and what it costs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile

from annotations.models import Label
from datasets.services import add_artwork
from tests.annotations.factories import box_row
from training import previews

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(dataset: Any, curator: Any, client_of: Callable[..., Any]) -> Callable[..., Any]:
    """`ask(preset="gentle", seed=1)`: the response to a curator."""
    cache.clear()  # what other tests have asked for counts for the throttle
    url = f"/api/datasets/{dataset.pk}/augmentation-preview/"
    return lambda **query: client_of(curator).get(url, query)


@pytest.fixture
def boxed(dataset: Any, owner: Any, label: Label, picture: Callable[..., bytes]) -> Any:
    """An artwork with its files and a box, beside one without boxes."""
    artworks = [
        add_artwork(dataset=dataset, user=owner, upload=SimpleUploadedFile(f"{seed}.jpg", picture(seed=seed)))
        for seed in (1, 2)
    ]
    side = min(artworks[0].width, artworks[0].height) / 2
    box_row(artworks[0], label, (side / 2, side / 2, side, side))
    type(artworks[0]).objects.filter(pk=artworks[0].pk).update(confirmed=1)
    return artworks[0]


@pytest.mark.parametrize("preset", ["none", "categories"])
def test_artworks_with_boxes_are_shown_as_a_training_sees_them(
    ask: Callable[..., Any], boxed: Any, label: Label, preset: str
) -> None:
    answer = ask(preset=preset, seed=3).json()
    assert 1 <= len(answer["pictures"]) <= previews.PICTURES
    for shown in answer["pictures"]:
        assert (shown["artwork"], shown["title"]) == (boxed.pk, str(boxed))
        assert (shown["width"], shown["height"]) == (previews.SIDE, previews.SIDE)
        assert shown["image"].startswith("data:image/jpeg;base64,")
        assert {box["label"] for box in shown["boxes"]} <= {label.pk}
    # One artwork is shown in several variations.
    assert len({shown["image"] for shown in answer["pictures"]}) == len(answer["pictures"])
    assert answer["labels"] == [{"id": label.pk, "name": label.name, "colour": label.colour}]
    assert ask(preset=preset, seed=3).json() == answer


def test_without_changed_copies_they_are_as_with_no_variation_but_for_mirroring(
    ask: Callable[..., Any], boxed: Any
) -> None:
    pictures = {
        (preset, copies): [row["image"] for row in ask(preset=preset, seed=3, copies=copies).json()["pictures"]]
        for preset in ("none", "gentle", "categories")
        for copies in ("true", "false")
    }
    plain = pictures["none", "true"]
    assert pictures["gentle", "false"] == pictures["none", "false"] == plain != pictures["gentle", "true"]
    assert pictures["categories", "false"] not in (plain, pictures["categories", "true"])


def test_concepts_that_are_not_to_be_learnt_are_not_shown(ask: Callable[..., Any], boxed: Any, label: Label) -> None:
    other = Label.objects.create(dataset=label.dataset, name="Book")
    side = min(boxed.width, boxed.height) / 4
    box_row(boxed, other, (side, side, 2 * side, 2 * side))

    def shown(**query: Any) -> set[int]:
        rows = ask(preset="none", seed=3, **query).json()["pictures"]
        return {box["label"] for row in rows for box in row["boxes"]}

    assert shown() == {label.pk, other.pk}
    assert shown(labels=[other.pk]) == {other.pk}
    third = Label.objects.create(dataset=label.dataset, name="Lamb")
    assert ask(preset="none", labels=[third.pk]).json()["pictures"] == []


def test_a_dataset_without_boxes_gives_no_examples_and_starts_no_process(
    ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", None)
    assert ask(preset="gentle").json()["pictures"] == []


@pytest.mark.parametrize(
    "query", [{}, {"preset": "wild"}, {"preset": "gentle", "seed": -1}, {"preset": "gentle", "seed": "x"}]
)
def test_an_unknown_preset_or_seed_is_refused(ask: Callable[..., Any], query: dict[str, Any]) -> None:
    assert ask(**query).status_code == 400


@pytest.mark.parametrize(
    "fault", [subprocess.TimeoutExpired("preview", 30), subprocess.CalledProcessError(-9, "preview")]
)
def test_a_process_that_fails_is_told_in_a_sentence_and_the_next_one_works(
    ask: Callable[..., Any], boxed: Any, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fail(*_args: Any, **_options: Any) -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(previews.subprocess, "run", fail)
        response = ask(preset="none")
    assert response.status_code == 503 and response.json()["code"] == "no_preview"
    assert ask(preset="none").status_code == 200


def test_only_one_is_made_at_a_time(ask: Callable[..., Any], boxed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "SECONDS", 0.01)
    with previews._one:
        response = ask(preset="none")
    assert response.status_code == 409 and response.json()["code"] == "busy"


def test_too_many_are_refused_for_a_while(ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from training.api import PreviewThrottle

    monkeypatch.setattr(PreviewThrottle, "THROTTLE_RATES", {"preview": "2/min"})
    assert [ask(preset="none").status_code for _ in range(3)] == [200, 200, 429]
