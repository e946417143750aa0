"""The annotation page as a person uses it, for tests: places on the screen, gestures, and what the database holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.installation import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDTH, HEIGHT = 320, 256  # of the artworks of tests.seed
MARGIN = 18  # of picture.js


class Desk:
    """The annotation page of one artwork, and what the database holds of it."""

    def __init__(self, page: Page, server: Server, dataset: int, artwork: int, query: str = "") -> None:
        self.page, self.server, self.artwork = page, server, artwork
        self.path = f"datasets/{dataset}/artworks/{artwork}/"
        self.url = f"/{self.path}{query}"
        self.open()

    def open(self) -> None:
        self.page.goto(self.url)
        self.page.wait_for_selector("#picture[data-ready]")
        # Zoomed to the whole artwork without movement: places on the screen can be computed.
        self.page.wait_for_timeout(400)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a pixel of the artwork is on the screen while all of it is shown."""
        frame = self.page.locator("#picture").bounding_box()
        assert frame
        scale = min((frame["width"] - 2 * MARGIN) / WIDTH, (frame["height"] - 2 * MARGIN) / HEIGHT)
        left = frame["x"] + (frame["width"] - WIDTH * scale) / 2
        top = frame["y"] + (frame["height"] - HEIGHT * scale) / 2
        return left + x * scale, top + y * scale

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        mouse = self.page.mouse
        mouse.move(*self.place(*start))
        mouse.down()
        mouse.move(*self.place((start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
        mouse.move(*self.place(*end))
        mouse.up()

    def click(self, x: float, y: float) -> None:
        self.page.mouse.click(*self.place(x, y))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def try_now(self) -> None:
        """Press "Try now", unless the page has tried again by itself in this very moment."""
        self.page.evaluate("document.querySelector('#save-state button')?.click()")

    def saved(self) -> list[dict[str, Any]]:
        """The boxes in the database once the page says that all is saved."""
        # A held arrow key is one edit, which ends half a second after it.
        self.page.wait_for_timeout(600)
        self.page.wait_for_selector("#save-state[data-state=saved]")
        return self.boxes()

    def boxes(self) -> list[dict[str, Any]]:
        return list(self.server.api(f"{self.path}boxes/")["boxes"])

    def clear(self) -> None:
        """Delete what the seed has drawn."""
        edits = [{"op": "delete", "id": box["id"]} for box in self.boxes()]
        self.edit(*edits)
        self.open()

    def edit(self, *edits: dict[str, Any]) -> None:
        """What somebody else does meanwhile, by the API."""
        from uuid import uuid4

        revision = self.server.api(f"{self.path}boxes/")["revision"]
        self.server.api(f"{self.path}edits/", {"id": str(uuid4()), "revision": revision, "edits": list(edits)})


# `open_desk(name="olga", artwork=None, query="")` of the conftest.
Open = Callable[..., Desk]


def near(box: dict[str, Any], *expected: float, within: float = 1.0) -> bool:
    return all(abs(box[k] - v) <= within for k, v in zip(("x", "y", "width", "height"), expected, strict=True))
