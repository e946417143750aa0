"""Ways of drawing and looking on the annotation page, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.desk import HEIGHT, MARGIN, WIDTH, Open, near

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_two_clicks_draw_a_box_and_escape_gives_it_up(open_desk: Open) -> None:
    desk = open_desk()
    desk.clear()
    desk.press("b")
    desk.click(40, 40)
    desk.page.mouse.move(*desk.place(90, 70))
    desk.press("Escape")
    desk.page.mouse.move(*desk.place(95, 75))
    desk.page.wait_for_timeout(600)
    assert desk.boxes() == []
    desk.press("b")
    desk.click(40, 40)
    desk.page.mouse.move(*desk.place(90, 70))
    desk.click(100, 90)
    (box,) = desk.saved()
    assert near(box, 40, 40, 60, 50)


def test_edges_near_the_edge_of_the_artwork_snap_onto_it(open_desk: Open) -> None:
    desk = open_desk()
    desk.clear()
    desk.press("b")
    desk.drag((1, 1), (WIDTH - 1, 60))
    (box,) = desk.saved()
    assert (box["x"], box["y"], box["width"]) == (0, 0, WIDTH)


def test_a_box_is_copied_pasted_and_taken_to_the_next_artwork(open_desk: Open) -> None:
    desk = open_desk()
    desk.clear()
    desk.press("b")
    desk.drag((40, 40), (100, 90))
    desk.press("Control+c", "Control+v")
    first, second = sorted(desk.saved(), key=lambda box: box["x"])
    assert near(second, first["x"] + 5, first["y"] + 5, 60, 50, within=2)
    before = desk.page.url
    desk.press("t")
    desk.page.wait_for_url(lambda url: url != before)
    desk.page.wait_for_selector("#selected:not([hidden])")
    desk.page.wait_for_selector("#save-state[data-state=saved]")
    path = desk.page.url.split(desk.server.url)[1].strip("/").split("?")[0]
    boxes = desk.server.api(f"{path}/boxes/")["boxes"]
    assert any(near(box, second["x"], second["y"], 60, 50) for box in boxes)


def test_a_locked_box_stays_where_it_is_and_a_hidden_one_is_found_again(open_desk: Open) -> None:
    desk = open_desk()
    desk.clear()
    desk.press("b")
    desk.drag((40, 40), (100, 90))
    (box,) = desk.saved()
    desk.press("v", "o")
    desk.drag((70, 65), (120, 105))
    desk.press("Delete", "ArrowRight")
    assert desk.saved() == [box]
    desk.press("o", "i")
    assert "1 box is hidden" in desk.page.locator("#box-filter").inner_text()
    desk.page.locator("[data-show-all]").click()
    assert desk.page.locator("[data-hidden-count]").is_hidden()


def test_the_palette_chooses_a_concept_by_a_part_of_its_name(open_desk: Open) -> None:
    desk = open_desk()
    names = [name.strip() for name in desk.page.locator(".concept-name").all_inner_texts()]
    desk.page.locator("#picture").focus()
    desk.press("/")
    desk.page.locator(".palette-input").fill(names[-1][1:])
    desk.press("Enter")
    pressed = desk.page.locator("button.concept[aria-pressed=true] .concept-name").inner_text()
    assert pressed.strip() == names[-1]


def test_boxes_are_drawn_moved_and_nudged_right_on_a_turned_view(open_desk: Open) -> None:
    desk = open_desk()
    desk.clear()
    desk.page.locator("#picture").focus()
    desk.press("r", "0", "b")
    desk.page.wait_for_timeout(300)
    frame = desk.page.locator("#picture").bounding_box()
    assert frame
    scale = min((frame["width"] - 2 * MARGIN) / HEIGHT, (frame["height"] - 2 * MARGIN) / WIDTH)

    def turned(x: float, y: float) -> tuple[float, float]:
        """Where a pixel of the artwork is in a view that is turned by a quarter to the right."""
        left = frame["x"] + (frame["width"] - HEIGHT * scale) / 2
        top = frame["y"] + (frame["height"] - WIDTH * scale) / 2
        return left + (HEIGHT - y) * scale, top + x * scale

    mouse = desk.page.mouse
    mouse.move(*turned(40, 40))
    mouse.down()
    mouse.move(*turned(70, 60), steps=3)
    mouse.move(*turned(100, 90))
    mouse.up()
    (box,) = desk.saved()
    assert near(box, 40, 40, 60, 50, within=1.5)
    # Right on the screen is up on the artwork.
    desk.press("v", "Shift+ArrowRight")
    (nudged,) = desk.saved()
    assert near(nudged, box["x"], box["y"] - 10, box["width"], box["height"], within=0.05)


def test_light_and_magnifier_change_the_view_alone(open_desk: Open) -> None:
    desk = open_desk()
    before = desk.boxes()
    desk.page.locator("[data-view]").click()
    desk.page.locator("#view-panel [name=brightness]").fill("2")
    canvas = desk.page.locator("#picture canvas").first
    assert "brightness(2)" in (canvas.get_attribute("style") or "")
    desk.page.locator("#view-panel [name=lens]").check()
    desk.page.mouse.move(*desk.place(WIDTH / 2, HEIGHT / 2))
    desk.page.wait_for_selector(".lens:not([hidden])")
    desk.page.locator("#view-panel [type=reset]").click()
    assert "brightness" not in (canvas.get_attribute("style") or "")
    assert desk.boxes() == before


def test_a_key_that_was_changed_works_and_the_old_one_does_nothing(open_desk: Open) -> None:
    desk = open_desk()
    desk.page.locator("#picture").focus()
    desk.press("v", "?")
    desk.page.locator("#help button[data-key=box]").click()
    desk.press("v")
    assert "taken already" in desk.page.locator("[data-key-problem]").inner_text()
    desk.press("q")
    desk.page.locator("#help [data-close]").first.click()
    desk.press("b")
    pressed: Any = desk.page.locator("[data-do=box]").get_attribute("aria-pressed")
    assert pressed == "false"
    desk.press("q")
    assert desk.page.locator("[data-do=box]").get_attribute("aria-pressed") == "true"
    desk.press("?")
    desk.page.locator("[data-reset-keys]").click()
    assert desk.page.locator("#help button[data-key=box]").inner_text() == "B"


def test_a_drag_that_comes_back_is_no_click(open_desk: Open) -> None:
    """It selects nothing, and gives no corner of a box."""
    desk = open_desk()
    desk.clear()
    desk.press("b")
    mouse = desk.page.mouse
    mouse.move(*desk.place(60, 60))
    mouse.down()
    for x, y in ((120, 110), (180, 150), (61, 60)):
        mouse.move(*desk.place(x, y))
        desk.page.wait_for_timeout(150)  # longer than a quick click
    mouse.up()
    mouse.move(*desk.place(200, 160))
    desk.press("Escape")
    assert desk.boxes() == []
    assert desk.page.locator("[data-do=select][aria-pressed=true]").count(), "Escape met no draft, and chose the arrow"
