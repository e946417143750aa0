"""Whatever fails while somebody draws, nothing is lost and nothing is there twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.mishaps import Round
from tests.installation import Server

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


def test_tab_network_and_server_fail_while_somebody_draws(
    contexts: Callable[[str], BrowserContext], server: Server, dataset: dict[str, Any], fresh: Iterator[int]
) -> None:
    path = f"datasets/{dataset['dataset']}/artworks/{next(fresh)}/"
    before = {box["id"] for box in server.api(f"{path}boxes/")["boxes"]}
    drawing = Round(server, contexts("olga"), path, seed=3)
    for mishap in ("tab", "network", "server"):
        drawing.draw()
        drawing.strike(mishap)
    found = drawing.run(90)
    assert not found.lost and not found.doubled
    assert not found.missing
    assert set(found.there) == before | set(found.drawn)
    assert len(found.acknowledged) >= 80
