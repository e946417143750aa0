"""A real browser that has a run's page open through everything, and what that page has taken in."""

from __future__ import annotations

import re
from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tests.conftest import log_in
from tests.installation import Server, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Stands before the page's own live.js: notes what the page's code has been handed, once that has handled it.
NOTES = """
export * from "./live.js?itself";
import { listen as original } from "./live.js?itself";
window.taken = [];
window.told = [];
const note = (events) => window.taken.push(...events.map(({ seq }) => seq));
export function listen(path, listener) {
  return original(path, {
    ...listener,
    onState: (runs) => { listener.onState(runs); runs.forEach(({ events }) => note(events)); },
    onEvents: (events) => { listener.onEvents(events); note(events); },
    onStatus: (status) => { listener.onStatus(status); window.told.push([status, Date.now() / 1000]); },
  });
}
"""
# The page waits up to 19 s between two attempts to reach the server.
SECONDS_TO_CATCH_UP = 60.0


class Spectator:
    """Somebody who opens a run's page, leaves it open and touches nothing. To be used in one thread only."""

    def __init__(self, browser: Browser, server: Server, address: str) -> None:
        self._context = browser.new_context(base_url=server.url)
        self._page = self._context.new_page()
        self._faults: list[str] = []
        self._page.on("pageerror", lambda error: self._faults.append(str(error)))
        log_in(self._page, "olga")
        self._page.route(
            re.compile(r"/js/live\.js$"), lambda route: route.fulfill(content_type="text/javascript", body=NOTES)
        )
        self._page.goto(address)
        self._page.locator("#live", has_text="Live").wait_for()
        self._opened = self._page.evaluate("performance.timeOrigin")

    def __enter__(self) -> Spectator:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._context.close()

    def wait(self, seconds: float) -> None:
        """Sleep, and let the browser be heard meanwhile."""
        self._page.wait_for_timeout(seconds * 1000)

    def taken(self) -> list[int]:
        """The numbers of the events that the page's code has handled, in that order."""
        return list(self._page.evaluate("window.taken"))

    def absences(self) -> list[float]:
        """Seconds between each loss of the connection and its return."""
        gone, found = 0.0, list[float]()
        for status, when in self._page.evaluate("window.told"):
            if status == "waiting":
                gone = gone or when
            elif status == "open" and gone:
                found.append(when - gone)
                gone = 0.0
        return found

    def complaints(self, events: list[dict[str, Any]]) -> list[str]:
        """What is not as it must be once a training has ended with a detector, `events` being all that it told."""
        last = [event["payload"] for event in events if event["kind"] == "metrics"][-1]["step"]
        wait_for(lambda: max(self.taken(), default=0) >= len(events), SECONDS_TO_CATCH_UP, "the page's last event")
        self.wait(1)
        times = Counter(self.taken())
        shown = self._page.locator("[data-number=step]").inner_text().partition(" /")[0].replace(",", "")
        wrong = {
            f"events missed: {[n for n in range(1, len(events) + 1) if not times[n]]}": len(times) != len(events),
            f"events taken twice: {[n for n, count in times.items() if count > 1]}": times.total() > len(times),
            "events out of order": self.taken() != sorted(self.taken()),
            "the page was loaded again": self._page.evaluate("performance.timeOrigin") != self._opened,
            f"step {shown} is shown instead of {last}": shown != str(last),
            "the page does not say that it is done": self._page.locator("#state").inner_text() != "Done",
            "the page shows no detector": not self._page.locator("#done").is_visible(),
        }
        return [words for words, holds in wrong.items() if holds] + self._faults
