"""The history of an artwork in a real browser: who did what, and an earlier state that is brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.desk import Desk, Open
from tests.installation import Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def open_history(desk: Desk) -> Locator:
    """Open the list with its key; its entries."""
    desk.page.locator("#picture").focus()
    desk.press("y")
    entries = desk.page.locator(".timeline-entry")
    entries.first.wait_for()
    return entries


def test_two_people_edit_and_an_earlier_state_is_brought_back_and_undone(open_desk: Open) -> None:
    desk = open_desk()
    desk.clear()
    desk.press("b")
    desk.drag((40, 40), (100, 90))
    (first,) = desk.saved()
    other = open_desk("bruno", artwork=desk.artwork)
    other.page.locator("#boxes .box-name").first.click()
    other.page.locator("#picture").focus()
    other.press("Delete")
    assert other.saved() == []
    desk.page.wait_for_selector("#boxes li", state="detached")

    entries = open_history(desk)
    assert "bruno" in entries.first.inner_text() and "1 box deleted" in entries.first.inner_text()
    assert "olga" in entries.nth(1).inner_text() and "1 box drawn" in entries.nth(1).inner_text()
    entries.nth(1).click()
    desk.page.wait_for_selector("#past:not([hidden])")
    assert "1 box that is gone now" in desk.page.inner_text("#past [data-difference]")
    # What is looked at cannot be changed.
    desk.page.locator("#picture").focus()
    desk.press("b")
    desk.drag((150, 150), (200, 190))
    desk.press("Tab", "Delete", "Control+z")
    assert desk.page.locator(".side").evaluate("side => side.inert")
    assert desk.boxes() == []
    desk.page.locator("#past [data-restore]").click()
    desk.page.wait_for_selector("#past", state="hidden")
    (back,) = desk.boxes()
    assert back == first
    other.page.wait_for_selector("#boxes li")

    # Bringing back is a change like others: it is listed, and the notice takes it back.
    desk.page.click(".toast button")
    desk.page.wait_for_selector("#boxes li", state="detached")
    assert desk.boxes() == []
    entries = open_history(desk)
    assert all("brought back the state of" in entries.nth(i).inner_text() for i in (0, 1))


def test_each_step_of_a_stretch_and_the_beginning_can_be_looked_at(open_desk: Open) -> None:
    desk = open_desk()
    desk.clear()
    desk.press("b")
    for x in (20, 100, 180):
        desk.drag((x, 40), (x + 60, 90))
        desk.saved()
        desk.press("Escape", "b")
    entries = open_history(desk)
    assert "3 boxes drawn" in entries.first.inner_text()
    desk.page.locator(".timeline-steps summary").first.click()
    # The steps of drawing are the newest ones; the seed's boxes were deleted before them.
    desk.page.locator(".timeline-step").nth(1).click()
    difference = desk.page.locator("#past [data-difference]")
    difference.get_by_text("1 box was not there yet").wait_for()
    desk.page.click("#past [data-earlier]")
    while desk.page.locator("#past [data-earlier]").is_enabled():
        desk.page.click("#past [data-earlier]")
        desk.page.wait_for_timeout(200)
    assert desk.page.inner_text("#past [data-title]") == "This is how it was before the first change."
    difference.get_by_text("3 boxes were not there yet").wait_for()
    desk.press("Escape")
    desk.page.wait_for_selector("#past", state="hidden")
    assert desk.page.locator("#boxes li").count() == 3


def test_a_viewer_looks_at_earlier_states_and_cannot_bring_them_back(
    open_desk: Open, server: Server, dataset: dict[str, Any]
) -> None:
    server.add_user("vito")
    server.api(f"datasets/{dataset['dataset']}/members/", {"username": "vito", "role": "viewer"})
    desk = open_desk("vito")
    desk.edit(*({"op": "delete", "id": box["id"]} for box in desk.boxes()))
    desk.open()
    entries = open_history(desk)
    entries.nth(1).click()
    desk.page.wait_for_selector("#past:not([hidden])")
    assert desk.page.locator("#past [data-restore]").is_hidden()
    desk.page.click("#past [data-now]")
    assert desk.page.locator("#past").is_hidden()


def test_nothing_is_brought_back_while_changes_wait_to_be_sent(open_desk: Open) -> None:
    desk = open_desk()
    desk.clear()
    desk.page.route("**/edits/", lambda route: route.abort())
    desk.press("b")
    desk.drag((40, 40), (100, 90))
    open_history(desk).nth(1).click()
    desk.page.wait_for_selector("#past:not([hidden])")
    desk.page.click("#past [data-restore]")
    desk.page.locator(".toast").get_by_text("Not everything is saved yet").wait_for()
    assert desk.boxes() == []
    desk.page.unroute("**/edits/")
    desk.page.click("#past [data-now]")
    desk.try_now()
    assert len(desk.saved()) == 1
