"""What tests do on the page of a dataset again and again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page


def add(page: Page, files: list[Path]) -> None:
    """Choose files and wait until each has been added or refused."""
    page.locator("[data-upload]:visible").first.click()
    page.set_input_files("#upload-files", [str(file) for file in files])
    page.locator("#upload-stop").wait_for(state="hidden")
    page.locator("#upload-show").wait_for(state="visible", timeout=60_000)


def show_added(page: Page) -> None:
    """Let the page show what was added: it is loaded again, and can be clicked once its scripts have run."""
    with page.expect_navigation():
        page.click("#upload-show")


def count_on_tab(page: Page) -> int:
    """How many artworks the tab says that there are."""
    return int(page.locator(".tabs .count").first.inner_text())


def toast(page: Page, text: str) -> Any:
    """The notice with this text, once it is there."""
    found = page.locator(".toast", has_text=text)
    found.wait_for()
    return found
