"""Somebody draws box after box while tab, network and server fail at random: what was acknowledged, what is there?"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.installation import Server

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Response

MISHAPS = ("tab", "network", "server")
# Boxes drawn between two mishaps: few enough that most strike while something is on its way.
SPREAD = (5, 40)


@dataclass
class Drawn:
    """What a round of drawing has led to; ids of boxes."""

    drawn: list[str] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    there: Counter[str] = field(default_factory=Counter)
    mishaps: Counter[str] = field(default_factory=Counter)

    @property
    def lost(self) -> set[str]:
        """Acknowledged, but not there."""
        return self.acknowledged - set(self.there)

    @property
    def doubled(self) -> list[str]:
        return [key for key, count in self.there.items() if count > 1]

    @property
    def missing(self) -> set[str]:
        """Drawn before the eyes of the person, acknowledged or not, and not there in the end."""
        return set(self.drawn) - set(self.there)


class Round:
    """One artwork drawn on through mishaps. The server must run its web process as `web`."""

    def __init__(self, server: Server, context: BrowserContext, path: str, seed: int) -> None:
        self.server, self.context, self.path = server, context, path
        self.dice = random.Random(seed)
        self.found = Drawn()
        self.page = self.open()

    def run(self, edits: int) -> Drawn:
        """Draw `edits` boxes; return what came of it."""
        until = self.dice.randint(*SPREAD)
        for number in range(edits):
            self.draw()
            if number == until and number < edits - 1:
                until += self.dice.randint(*SPREAD)
                self.strike(self.dice.choice(MISHAPS))
        self.page.wait_for_selector("#save-state[data-state=saved]", timeout=90_000)
        boxes = self.server.api(f"{self.path}boxes/")["boxes"]
        self.found.there = Counter(box["id"] for box in boxes)
        self.page.close(run_before_unload=False)
        return self.found

    def open(self) -> Page:
        page = self.context.new_page()
        page.on("response", self.hear)
        page.goto(f"/{self.path}")
        page.wait_for_selector("#picture[data-ready]")
        page.locator("#picture").focus()
        page.keyboard.press("b")
        return page

    def draw(self) -> None:
        self.page.keyboard.press("Enter")
        drawn: str = self.page.evaluate("() => document.querySelector('#boxes li.is-selected').dataset.box")
        self.found.drawn.append(drawn)

    def hear(self, response: Response) -> None:
        """Note what the server has acknowledged to the page."""
        if response.request.method == "POST" and response.url.endswith("/edits/") and response.status == 200:
            batch: Any = json.loads(response.request.post_data or "{}")
            self.found.acknowledged |= {edit["id"] for edit in batch["edits"]}

    def strike(self, mishap: str) -> None:
        self.found.mishaps[mishap] += 1
        if mishap == "tab":
            # No farewell: as when the browser is killed.
            self.page.close(run_before_unload=False)
            self.page = self.open()
        elif mishap == "network":
            self.context.set_offline(True)
            for _ in range(self.dice.randint(1, 5)):
                self.draw()
            self.context.set_offline(False)
        else:
            self.server.kill("web")
            for _ in range(self.dice.randint(1, 5)):
                self.draw()
            self.server.start_web()
