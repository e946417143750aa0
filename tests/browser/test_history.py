"""The history of an artwork in a real browser: who did what, and an earlier state that is brought back."""

from __future__ import annotations

import pytest

from tests.browser.desk import Open, near

pytestmark = [pytest.mark.browser, pytest.mark.slow]


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

    desk.page.locator("#picture").focus()
    desk.press("y")
    entries = desk.page.locator(".timeline-entry")
    entries.first.wait_for()
    assert "bruno" in entries.first.inner_text() and "1 deleted" in entries.first.inner_text()
    assert "olga" in entries.nth(1).inner_text() and "drawn" in entries.nth(1).inner_text()
    entries.nth(1).click()
    desk.page.wait_for_selector("#past:not([hidden])")
    # What is looked at cannot be changed.
    desk.page.locator("#picture").focus()
    desk.press("b")
    desk.drag((150, 150), (200, 190))
    assert desk.boxes() == []
    desk.page.locator("#past [data-restore]").click()
    desk.page.wait_for_selector("#past", state="hidden")
    (back,) = desk.boxes()
    assert back["id"] == first["id"] and near(back, 40, 40, 60, 50)
    other.page.wait_for_selector("#boxes li")

    # Bringing back is a change like others.
    desk.page.locator("#picture").focus()
    desk.press("y")
    entries.first.wait_for()
    assert "brought an earlier state back" in entries.first.inner_text()
    entries.nth(1).click()
    desk.page.locator("#past [data-restore]").click()
    desk.page.wait_for_selector("#past", state="hidden")
    assert desk.boxes() == []
