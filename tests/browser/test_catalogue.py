"""Fetching a detector on the Detectors page: refused, broken off, gone on with and used, with everything real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.installation import Server
from tests.training.test_fetching import saved_model
from tests.training.zoo import Zoo, running
from training.pipeline.catalogue import CATALOGUE

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

KEY = "efficientdet_d0"


@pytest.fixture
def zoo() -> Iterator[Zoo]:
    with running() as zoo:
        yield zoo


@pytest.fixture
def server(make_server: Callable[..., Server], zoo: Zoo) -> Server:
    """An installation with its workers, which fetches from a server on this machine."""
    return make_server(clusters=True, WEBNET_ZOO_URL=zoo.url)


def test_a_detector_is_fetched_in_three_tries(
    server: Server, zoo: Zoo, browser_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = browser_page()
    dataset = server.api("datasets/", {"name": "Paintings"})["id"]
    page.goto(f"/datasets/{dataset}/detectors/")
    card = page.locator(f"[data-key={KEY}]")
    note = card.locator(".offer-note")
    card.get_by_role("button", name="Fetch").click()
    note.filter(has_text="answer 404").wait_for(timeout=120_000)

    entry = CATALOGUE[KEY]
    content = zoo.files[entry.archive] = saved_model(tmp_path / "made")
    zoo.break_after = len(content) // 2
    card.get_by_role("button", name="Try again").click()
    note.filter(has_text="broke off").wait_for(timeout=60_000)
    page.reload()
    note.wait_for()

    zoo.break_after = None
    card.get_by_role("button", name="Try again").click()
    there = page.locator("[data-detector]").filter(has_text=entry.title)
    there.wait_for(timeout=200_000)
    card.wait_for(state="hidden")
    assert "can be used" in page.content()
    there.get_by_role("button", name="Use on this dataset").wait_for()
    assert zoo.asked[-1] == f"bytes={len(content) // 2}-"
