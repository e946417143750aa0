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
    told = client_of(owner).get(f"/api/datasets/{ready.pk}/training-options/").json()
    (reads,) = (row["reads"] for row in told["architectures"] if row["key"] == "retinanet_mobilenet_v2")
    assert reads == {"quick": 3, "standard": None, "thorough": None, "own": None}
