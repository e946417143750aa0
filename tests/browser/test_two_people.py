"""Two people on one artwork: they see each other, each other's boxes, and choose where both changed one box."""

from __future__ import annotations

import random

import pytest

from tests.browser.desk import Desk, Open, near
from tests.installation import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_names_and_boxes_of_the_other_appear_live(open_desk: Open) -> None:
    first = open_desk()
    first.clear()
    second = open_desk("bruno", artwork=first.artwork)
    first.page.wait_for_selector("#people:has-text('bruno')")
    second.page.wait_for_selector("#people:has-text('olga')")
    first.press("b")
    first.drag((40, 40), (100, 90))
    first.saved()
    second.page.wait_for_selector("#boxes li")
    second.page.locator("#boxes .box-name").first.click()
    assert "olga" in second.page.locator("#selected .origin").inner_text()
    second.page.goto("/")
    first.page.wait_for_selector("#people", state="hidden")


def test_a_box_that_both_changed_is_shown_side_by_side_for_a_choice(open_desk: Open) -> None:
    desk = open_desk()
    desk.clear()
    desk.press("b")
    desk.drag((40, 40), (100, 90))
    (box,) = desk.saved()
    for keep, expected in (("Keep mine", (41, 40)), ("Keep that", (80, 60))):
        desk.page.context.set_offline(True)
        desk.press("v")
        desk.page.locator("#boxes .box-name").first.click()
        desk.page.locator("#picture").focus()
        desk.press("ArrowRight")
        desk.page.wait_for_selector("#save-state:is([data-state=offline], [data-state=retrying])")
        place = {"x": 80.0, "y": 60.0, "width": 60.0, "height": 50.0}
        desk.edit({"op": "update", "id": box["id"], **place})
        desk.page.context.set_offline(False)
        card = desk.page.locator(".conflict")
        card.wait_for()
        assert card.locator("canvas").count() == 2
        card.get_by_role("button", name=keep).click()
        card.wait_for(state="detached")
        (kept,) = desk.saved()
        assert near(kept, *expected, 60, 50, within=1.5), kept
        # Back to where it was, for the next round.
        desk.edit({"op": "update", "id": box["id"], **{key: box[key] for key in ("x", "y", "width", "height")}})
        desk.open()


def test_two_hundred_interleaved_edits_are_all_there_or_were_disputed(open_desk: Open) -> None:
    first = open_desk()
    first.clear()
    desks = [first, open_desk("bruno", artwork=first.artwork)]
    dice = random.Random(7)
    drawn: dict[int, list[str]] = {0: [], 1: []}
    for number in range(100):
        for who in (0, 1):
            drawn[who].append(draw(desks[who], number, who))
            if dice.random() < 0.2:
                desks[who].page.wait_for_timeout(dice.randint(1, 60))
    for desk in desks:
        desk.page.wait_for_selector("#save-state[data-state=saved]", timeout=60_000)
        assert desk.page.locator(".conflict").count() == 0
    there = {box["id"] for box in first.boxes()}
    assert there == {*drawn[0], *drawn[1]} and len(there) == 200
    for desk in desks:
        wait_for(lambda desk=desk: desk.page.locator("#boxes li").count() == 200, 20, "the boxes of both")


def draw(desk: Desk, number: int, who: int) -> str:
    """Draw a box with the keyboard and shift it a little; return its id."""
    desk.page.locator("#picture").focus()
    desk.press("b", "Enter")
    drawn: str = desk.page.evaluate("() => document.querySelector('#boxes li.is-selected').dataset.box")
    desk.press(*["ArrowRight", "ArrowDown"][who : who + 1] * (number % 5), "Escape")
    return drawn
