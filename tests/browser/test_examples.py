"""The page of training shows how an augmentation varies the dataset's own artworks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.installation import Server

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]
# A process that loads its libraries, on a busy machine.
PATIENCE = 60_000


@pytest.fixture
def page(contexts: Callable[[str], BrowserContext]) -> Iterator[Page]:
    page = contexts("olga").new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    page.close()
    assert not faults, faults


def _shown(page: Page) -> Locator:
    """The examples, once there are some."""
    section = page.locator("#examples")
    section.scroll_into_view_if_needed()
    page.wait_for_selector("#examples[aria-busy=false] img", timeout=PATIENCE)
    return section


def _images(section: Locator) -> list[str]:
    return [str(image.get_attribute("src")) for image in section.locator("img").all()]


def test_examples_are_shown_with_boxes_and_follow_the_choice(page: Page, dataset: dict[str, Any]) -> None:
    page.goto(f"/datasets/{dataset['dataset']}/training/")
    section = _shown(page)
    first = _images(section)
    assert len(first) == 6
    described = section.locator("img").first.get_attribute("alt") or ""
    assert described.startswith("work ") and ("Disc" in described or "Bar" in described)
    assert section.locator(".examples-legend").inner_text().split() == ["Bar", "Disc"]
    _every_box_lies_on_its_picture(section)
    page.get_by_label("One particular thing").check()
    _changed(section, first[0])
    other = _images(section)
    assert len(set(first) & set(other)) <= 1  # by chance a picture is left as it is
    # The same artworks, so that the choices can be compared.
    titles = section.locator("img").evaluate_all("images => images.map((image) => image.alt.split(',')[0])")
    assert titles[0] == described.split(",")[0]
    section.get_by_role("button", name="Other examples").click()
    _changed(section, other[0])
    assert _images(section) != other


def _changed(section: Locator, before: str) -> None:
    from playwright.sync_api import expect

    expect(section.locator("img").first).not_to_have_attribute("src", before, timeout=PATIENCE)


def _every_box_lies_on_its_picture(section: Locator) -> None:
    assert section.locator(".example-box").count() >= 3
    for picture in section.locator(".example-picture").all():
        outer = picture.bounding_box()
        assert outer and outer["width"] > 60
        for box in picture.locator(".example-box").all():
            inner = box.bounding_box()
            assert inner and inner["width"] > 2 and inner["height"] > 2
            assert inner["x"] >= outer["x"] - 1 and inner["y"] >= outer["y"] - 1
            assert inner["x"] + inner["width"] <= outer["x"] + outer["width"] + 1
            assert inner["y"] + inner["height"] <= outer["y"] + outer["height"] + 1


def test_a_refusal_is_told_and_the_next_wish_is_granted(page: Page, dataset: dict[str, Any]) -> None:
    answers = iter([{"status": 429, "json": {"code": "throttled", "message": "Too many."}}])

    def answer(route: Any) -> None:
        refused = next(answers, None)
        route.fulfill(**refused) if refused else route.continue_()

    page.route("**/augmentation-preview/**", answer)
    page.goto(f"/datasets/{dataset['dataset']}/training/")
    page.locator("#examples").scroll_into_view_if_needed()
    page.get_by_text("Too many.").wait_for(timeout=PATIENCE)
    assert page.locator("#examples img").count() == 0
    page.get_by_role("button", name="Other examples").click()
    _shown(page)
    assert page.locator(".examples-note").inner_text().strip() == ""


def test_a_dataset_without_boxes_says_what_will_be_here(
    page: Page, new_dataset: Callable[..., dict[str, Any]], server: Server
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/datasets/{new_dataset('Empty')['id']}/training/")
    page.get_by_text("There is no artwork with boxes yet.").wait_for()
    assert page.get_by_role("button", name="Other examples").count() == 0
    assert not [url for url in asked if "augmentation-preview" in url]
