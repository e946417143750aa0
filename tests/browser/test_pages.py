"""The pages in a real browser and a real server: what people do with datasets, artworks, concepts and members."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from annotations.labelling import PALETTE
from tests.browser.grid import add, count_on_tab, show_added, toast
from tests.conftest import log_in
from tests.installation import Server, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_dataset_is_made_in_the_browser_and_a_missing_name_is_asked_for(browser_page: Any) -> None:
    page: Page = browser_page()
    page.locator("[data-open=new-dataset]").first.click()
    dialog = page.locator("dialog[open]")
    dialog.locator("button.button-strong").click()
    assert dialog.locator(".field-error").inner_text()
    dialog.get_by_label("Name").fill("Vedute & <Capricci>")
    dialog.locator("button.button-strong").click()
    page.wait_for_url(re.compile(r"/datasets/\d+/$"))
    assert page.locator("h1").inner_text() == "Vedute & <Capricci>"


def test_an_artwork_is_described_and_a_bad_address_is_named_at_its_field(
    browser_page: Any, new_dataset: Any, image_files: Any, server: Server
) -> None:
    dataset = new_dataset("Describe")
    page: Page = browser_page()
    page.goto(dataset["urls"]["page"])
    add(page, image_files(1))
    show_added(page)
    page.locator("[data-edit]").first.click()
    form = page.locator("#metadata-form")
    form.get_by_label("Title").fill("Veduta")
    form.get_by_label("Creator").fill("Canaletto")
    form.get_by_label("Source URL").fill("nowhere")
    page.click("[form=metadata-form]")
    assert form.locator(".field-error").inner_text()
    form.get_by_label("Source URL").fill("https://example.org/veduta")
    page.click("[form=metadata-form]")
    toast(page, "Saved.")
    assert page.locator(".tile-title").inner_text() == "Veduta"
    row = server.api(f"datasets/{dataset['id']}/artworks/")["results"][0]
    assert (row["title"], row["creator"], row["source"]) == ("Veduta", "Canaletto", "https://example.org/veduta")


def test_escape_asks_before_it_forgets_what_was_typed(
    browser_page: Any, new_dataset: Any, image_files: Any, server: Server
) -> None:
    dataset = new_dataset("Escape")
    page: Page = browser_page()
    page.goto(dataset["urls"]["page"])
    add(page, image_files(1))
    show_added(page)
    page.locator("[data-edit]").first.dblclick()
    form = page.locator("#metadata-form")
    form.get_by_label("Creator").fill("Canaletto")
    assert form.count() == 1, "the second press has opened no second one"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Keep").click()
    assert form.get_by_label("Creator").input_value() == "Canaletto"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Forget it").click()
    form.wait_for(state="detached")
    page.locator("[data-edit]").first.click()
    form.wait_for()
    page.keyboard.press("Escape")  # nothing was typed, so nothing is asked
    form.wait_for(state="detached")
    assert page.locator("dialog[open]").count() == 0


def test_a_description_that_somebody_else_changed_is_not_overwritten_unseen(
    browser_page: Any, new_dataset: Any, image_files: Any, server: Server
) -> None:
    dataset = new_dataset("Stale")
    page: Page = browser_page()
    page.goto(dataset["urls"]["page"])
    add(page, image_files(1))
    show_added(page)
    page.locator("[data-edit]").first.click()
    form = page.locator("#metadata-form")
    form.get_by_label("Title").fill("Mine")
    row = server.api(f"datasets/{dataset['id']}/artworks/")["results"][0]
    address = f"datasets/{dataset['id']}/artworks/{row['id']}/"
    theirs = {"title": "Theirs", "creator": "Theirs too"}
    server.api(address, {**theirs, "metadata_revision": row["metadata_revision"]}, "PATCH")
    page.click("[form=metadata-form]")
    form.locator(".field-other", has_text="Theirs").wait_for()
    assert form.get_by_label("Title").input_value() == "Mine"
    assert server.api(address)["title"] == "Theirs"
    page.click("[form=metadata-form]")
    toast(page, "Saved.")
    saved = server.api(address)
    assert (saved["title"], saved["creator"]) == ("Mine", "Theirs too")


def test_artworks_are_deleted_after_a_question_and_come_back_by_undo(
    browser_page: Any, new_dataset: Any, image_files: Any
) -> None:
    page: Page = browser_page()
    page.goto(new_dataset("Delete")["urls"]["page"])
    add(page, image_files(4))
    show_added(page)
    for box in page.locator(".tile-select input").all()[:3]:
        box.check(force=True)
    page.click("#delete-selected")
    question = page.locator("dialog[open]")
    assert "3 artworks" in question.locator("h2").inner_text()
    question.get_by_role("button", name="Keep").click()
    assert page.locator(".tile").count() == 4
    page.click("#delete-selected")
    page.locator("dialog[open] .button-danger").click()
    undo = toast(page, "3 artworks deleted.")
    assert count_on_tab(page) == 1
    undo.get_by_role("button", name="Undo").click()
    wait_for(lambda: count_on_tab(page) == 4, what="the artworks to come back")


def test_the_grid_is_searched_filtered_and_sorted_by_its_address(browser_page: Any, server: Server) -> None:
    seeded = server.seed(6)
    page: Page = browser_page()
    page.goto(f"/datasets/{seeded['dataset']}/")
    page.fill("#filter-search", "work 3")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("search=work"))
    assert page.locator(".tile").count() == 1
    page.goto(f"/datasets/{seeded['dataset']}/")
    page.select_option("#filter-sort", "-boxes")
    page.wait_for_url(re.compile("sort=-boxes"))
    boxes = [int(text.split()[0]) for text in page.locator(".tile-boxes").all_inner_texts()]
    assert boxes == sorted(boxes, reverse=True)
    page.locator(".states a", has_text="To do").click()
    page.locator(".empty", has_text="None found").wait_for()
    page.get_by_role("link", name="Show all").click()
    wait_for(lambda: page.locator(".tile").count() == 6)


def test_concepts_are_added_renamed_and_deleted(browser_page: Any, new_dataset: Any, server: Server) -> None:
    dataset = new_dataset("Concepts")
    page: Page = browser_page()
    page.goto(f"/datasets/{dataset['id']}/labels/")
    assert page.locator("#no-labels").is_visible()
    form = page.locator("#label-new")
    for name, colour in (("Angel", PALETTE[0]), ("Halo", PALETTE[1])):
        assert form.get_by_label("Colour").input_value() == colour
        if name == "Halo":
            form.get_by_label("Colour").fill("#123456")
        form.get_by_label("Name").fill(name)
        page.keyboard.press("Enter")
        page.locator(f"#labels input[value='{name}']").wait_for()
    labels = server.api(f"datasets/{dataset['id']}/labels/")["results"]
    assert [(label["colour"], label["shortcut"]) for label in labels] == [(PALETTE[0], "1"), ("#123456", "2")]
    form.get_by_label("Name").fill("angel")
    page.keyboard.press("Enter")
    form.locator(".field-error, .form-error").first.wait_for()
    page.locator("#labels .label-name").first.fill("Archangel")
    page.keyboard.press("Tab")
    toast(page, "Saved.")
    page.locator("#labels .icon-button").last.click()
    page.locator("dialog[open] .button-danger").click()
    toast(page, "Deleted.")
    assert [label["name"] for label in server.api(f"datasets/{dataset['id']}/labels/")["results"]] == ["Archangel"]


def test_a_concept_that_has_come_into_use_meanwhile_is_asked_about_again(browser_page: Any, server: Server) -> None:
    seeded = server.seed(1)
    address = f"datasets/{seeded['dataset']}/labels/"
    unused = server.api(address, {"name": "Crown", "colour": "#123456", "shortcut": ""})["id"]
    page: Page = browser_page()
    page.goto(f"/datasets/{seeded['dataset']}/labels/")
    row = page.locator(".label-row", has=page.locator("input[value=Crown]"))
    row.wait_for()
    artwork = server.api(f"datasets/{seeded['dataset']}/artworks/")["results"][0]["id"]
    boxes = server.api(f"datasets/{seeded['dataset']}/artworks/{artwork}/boxes/")
    edit = {"op": "create", "id": str(uuid.uuid4()), "label": unused, "x": 1, "y": 1, "width": 20, "height": 20}
    server.api(
        f"datasets/{seeded['dataset']}/artworks/{artwork}/edits/",
        {"id": str(uuid.uuid4()), "revision": boxes["revision"], "edits": [edit]},
    )
    row.locator(".icon-button").click()
    page.locator("dialog[open]", has_text="No confirmed box uses it").locator(".button-danger").click()
    again = page.locator("dialog[open]", has_text="Its 1 box disappears")
    again.get_by_role("button", name="Keep").click()
    assert unused in {label["id"] for label in server.api(address)["results"]}
    row.get_by_text("1 box · 1 artwork").wait_for()
    row.locator(".icon-button").click()
    again.locator(".button-danger").click()
    toast(page, "Deleted.")
    assert unused not in {label["id"] for label in server.api(address)["results"]}


def test_members_are_added_and_the_last_administrator_stays(
    browser_page: Any, new_dataset: Any, server: Server
) -> None:
    dataset = new_dataset("Members")
    server.add_user("anna")
    page: Page = browser_page()
    page.goto(f"/datasets/{dataset['id']}/members/")
    page.fill("#member-username", "nobody-of-this-name")
    page.click("#member-new button")
    assert page.locator("#member-new .field-error, #member-new .form-error").first.inner_text()
    page.fill("#member-username", "anna")
    page.click("#member-new button")
    toast(page, "anna is a member now.")
    page.locator(".member[data-name=olga] select").select_option("viewer")
    page.locator("dialog[open] .button-danger").click()
    page.locator(".toast-error").wait_for()
    assert page.locator(".member[data-name=olga] select").input_value() == "administrator"


def test_a_dataset_is_deleted_after_a_question_and_comes_back_by_undo(browser_page: Any, new_dataset: Any) -> None:
    dataset = new_dataset("Gone")
    page: Page = browser_page()
    page.goto(dataset["urls"]["page"])
    page.locator("[data-open=settings]").click()
    page.click("#delete-dataset")
    page.locator("dialog[open] .button-danger").last.click()
    undo = toast(page, "“Gone” has been deleted.")
    assert page.locator(".dataset-card", has_text="Gone").count() == 0
    undo.get_by_role("button", name="Undo").click()
    page.wait_for_url(re.compile(rf"/datasets/{dataset['id']}/$"))
    assert page.locator("h1").inner_text() == "Gone"


def test_the_theme_that_was_chosen_is_remembered(browser_page: Any) -> None:
    page: Page = browser_page()
    page.emulate_media(color_scheme="light")
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.locator("[data-theme-toggle]").click()
    dark = page.evaluate(background)
    assert dark != light
    page.reload()
    assert page.evaluate(background) == dark


def test_the_language_can_be_changed_before_and_after_login(browser: Browser, server: Server) -> None:
    page = browser.new_context(base_url=server.url, locale="en").new_page()
    page.goto("/login/")
    page.locator(".languages [value=it]").click()
    assert page.locator("html").get_attribute("lang") == "it"
    log_in(page, "olga")
    assert page.locator("html").get_attribute("lang") == "it"
    page.locator(".languages [value=en]").click()
    assert page.locator("html").get_attribute("lang") == "en"


def test_a_wrong_password_is_answered_in_plain_words(browser: Browser, server: Server) -> None:
    page = browser.new_context(base_url=server.url, locale="en").new_page()
    page.goto("/login/")
    page.fill("#id_username", "olga")
    page.fill("#id_password", "wrong")
    page.locator(".login-form button").click()
    assert "do not match" in page.locator("[role=alert]").inner_text()
    assert page.input_value("#id_username") == "olga"


def test_suggestions_of_a_whole_dataset_are_accepted_above_a_score(browser_page: Any, server: Server) -> None:
    seeded = server.seed(3)
    rows = server.api(f"datasets/{seeded['dataset']}/artworks/?sort=added")["results"]
    found = "Found({label}, 5, 5, 20, 20, {score})"
    server.shell(
        "from annotations.services import Found, write_suggestions\n"
        + "\n".join(
            f"write_suggestions(artwork_id={row['id']}, detector_id=1, detector_name='D',"
            f" found=[{found.format(label=seeded['labels'][0], score=score)}])"
            for row, score in zip(rows, (0.9, 0.85, 0.3), strict=True)
        )
    )
    page: Page = browser_page()
    page.goto(f"/datasets/{seeded['dataset']}/?state=suggested")
    assert page.locator(".tile").count() == 3
    page.locator("[data-review=accept]").click()
    page.locator("dialog[open]").get_by_role("button", name="Accept").click()
    toast(page, "2 suggestions accepted.")
    assert page.locator(".tile").count() == 1
