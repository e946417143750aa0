"""The page with several trainings in one plot: chosen with the keyboard, read off the table, told apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.test_accessibility import axe, violations  # noqa: F401
from tests.installation import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MAKE = """
from datasets.models import Dataset
from training import live
from training.models import Snapshot, TrainingRun
dataset = Dataset.objects.create(name="Curves")
snapshot = Snapshot.objects.create(dataset=dataset, manifest={}, sha256="0" * 64)
chosen = dict(architecture="retinanet_mobilenet_v2", budget="quick", augmentation="none", snapshot=snapshot)
for n in range(1, 9):
    run = TrainingRun.objects.create(dataset=dataset, kind="training", state="done", name=f"Run {n}", **chosen)
    said = [("metrics", dict(step=step, total_steps=300, loss=float(n))) for step in range(1, 10 * n + 1)]
    live.publish(run.pk, [*said, ("evaluation", dict(step=5, AP50=n / 20)), ("evaluation", dict(step=8, AP50=n / 10))])
print(dataset.pk)
"""


@pytest.fixture(scope="module")
def address(server: Server) -> str:
    """The page of a dataset with eight trainings, the nth of which has a loss of n and ends after 10 n steps."""
    return f"/datasets/{server.shell(MAKE)}/runs/"


def values(page: Page) -> list[list[str]]:
    return [row.locator("td").all_inner_texts() for row in page.locator("#curve-key tbody tr").all()]


def test_trainings_are_chosen_with_the_keyboard_and_read_off_the_table(
    browser_page: Callable[..., Page], address: str
) -> None:
    page = browser_page()
    page.goto(address)
    page.locator("#run-curves canvas").wait_for()
    assert values(page)[0] == ["8.000", "80%", "80%"]
    assert "Run 8, Run 7, Run 6" in (page.locator("#run-curves").get_attribute("aria-label") or "")
    page.get_by_role("checkbox", name="Run 7").focus()
    page.keyboard.press("Space")
    page.get_by_role("radio", name="minutes").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url("**by=minutes**")
    page.locator("#run-curves canvas").wait_for()
    assert [row[0] for row in values(page)] == ["8.000", "6.000"]


def test_whoever_points_at_the_picture_reads_the_values_there(browser_page: Callable[..., Page], address: str) -> None:
    page = browser_page()
    page.goto(address)
    plot = page.locator("#run-curves .u-over")
    place = plot.bounding_box()
    assert place
    page.mouse.move(place["x"] + place["width"] * 7 / 80, place["y"] + 100)
    page.locator("caption", has_text="At step 7").wait_for()
    assert values(page)[0] == ["8.000", "40%", "80%"]
    page.mouse.move(1, 1)
    page.locator("caption", has_text="At their last report").wait_for()
    assert values(page)[0] == ["8.000", "80%", "80%"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_eight_lines_are_told_apart_and_the_page_keeps_the_rules_of_wcag(
    browser_page: Callable[..., Page],
    address: str,
    axe: str,  # noqa: F811
    scheme: Any,
) -> None:
    page = browser_page()
    page.emulate_media(color_scheme=scheme)
    page.goto(address)
    for box in page.locator("input[name=run]").all():
        box.check()
    page.get_by_role("button", name="Draw them").click()
    page.locator("#curve-key tbody tr").nth(7).wait_for()
    look = "line => { const { stroke, strokeDasharray } = getComputedStyle(line); return [stroke, strokeDasharray]; }"
    looks = [line.evaluate(look) for line in page.locator(".curve-line line").all()]
    assert len({stroke for stroke, _ in looks}) == len({dash for _, dash in looks}) == 8
    module = page.evaluate("import('/static/js/curves.js').then(({dashOf}) => [...Array(8).keys()].map(dashOf))")
    drawn = [", ".join(f"{part}px" for part in dash) or "none" for dash in module]
    assert [dash for _, dash in looks] == drawn, "the table shows other dashes than the picture"
    found = violations(page, axe)
    assert not found, "\n".join(found)
