"""What the training page offers."""

from collections.abc import Callable
from typing import Any

import pytest

from training.pipeline import config

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize("minutes", ["0", "-3", "1e9", "soon", "nan"])
def test_an_impossible_time_is_refused(ready: Any, owner: Any, client_of: Callable[..., Any], minutes: str) -> None:
    answer = client_of(owner).get(f"/api/datasets/{ready.pk}/training-options/?minutes={minutes}")
    assert answer.status_code == 400
    assert "minutes" in answer.json()["errors"]


def _told(client: Any, dataset: Any, query: str = "") -> Any:
    told = client.get(f"/api/datasets/{dataset.pk}/training-options/{query}").json()
    return next(row for row in told["architectures"] if row["key"] == "retinanet_mobilenet_v2")
