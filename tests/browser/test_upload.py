"""Adding artworks in a real browser: files, folders and archives; refused, broken off, stopped and taken up again."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.grid import add, count_on_tab, show_added
from tests.installation import Server, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_files_are_added_one_by_one_and_refusals_are_listed_with_reasons(
    browser_page: Any, new_dataset: Any, image_files: Any, tmp_path: Path
) -> None:
    broken = {
        "empty.jpg": b"",
        "cut.jpg": image_files(1)[0].read_bytes()[:300],
        "notes.txt": b"no image",
        "fake.png": b"GIF89a",
    }
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
    page: Page = browser_page()
    page.goto(new_dataset("Upload")["urls"]["page"])
    add(page, [*image_files(7), *(tmp_path / name for name in broken)])
    assert page.locator("#upload-sum").inner_text() == "7 artworks added, 4 not added."
    reasons = page.locator("#upload-reasons li:visible")
    assert {row.locator("strong").inner_text() for row in reasons.all()} == set(broken)
    assert all(row.locator("span").inner_text() for row in reasons.all())
    show_added(page)
    page.locator(".tile").first.wait_for()
    assert page.locator(".tile").count() == count_on_tab(page) == 7


def test_the_same_file_again_is_told_apart_from_a_failure(
    browser_page: Any, new_dataset: Any, image_files: Any
) -> None:
    page: Page = browser_page()
    page.goto(new_dataset("Twice")["urls"]["page"])
    add(page, image_files(2))
    page.set_input_files("#upload-files", [str(image_files(1)[0])])
    wait_for(lambda: "1 was here already" in page.locator("#upload-sum").inner_text())


def test_a_folder_is_read_with_what_is_in_its_folders(
    browser_page: Any, new_dataset: Any, tmp_path: Path, picture: Any
) -> None:
    folder = tmp_path / "Collection"
    (folder / "Room 1" / "Wall").mkdir(parents=True)
    for i, place in enumerate((folder, folder / "Room 1", folder / "Room 1" / "Wall")):
        (place / f"opus {i}.jpg").write_bytes(picture(seed=50 + i))
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "Thumbs.db").write_bytes(b"x")
    page: Page = browser_page()
    page.goto(new_dataset("Folder")["urls"]["page"])
    page.locator("[data-upload]:visible").first.click()
    page.set_input_files("#upload-folder", str(folder))
    page.locator("#upload-show").wait_for(state="visible")
    assert page.locator("#upload-sum").inner_text() == "3 artworks added."


def test_a_zip_is_opened_and_its_images_are_added(
    browser_page: Any, new_dataset: Any, tmp_path: Path, picture: Any, server: Server
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for i in range(4):
            archive.writestr(f"scans/opus {i}.jpg", picture(seed=80 + i))
        archive.writestr("../outside.jpg", picture(seed=90))
        archive.writestr("readme.txt", "hello")
    (tmp_path / "scans.zip").write_bytes(packed.getvalue())
    page: Page = browser_page()
    page.goto(new_dataset("Archive")["urls"]["page"])
    add(page, [tmp_path / "scans.zip"])
    wait_for(lambda: page.locator("#upload-sum").inner_text() == "4 artworks added, 2 not added.")
    uploads = server.folder / "uploads"
    wait_for(lambda: not [file for file in uploads.rglob("*") if file.is_file()], what="the ZIP to be cleared away")


def test_files_dropped_anywhere_on_the_page_are_added(browser_page: Any, new_dataset: Any, picture: Any) -> None:
    page: Page = browser_page()
    page.goto(new_dataset("Drop")["urls"]["page"])
    page.evaluate(
        """(bytes) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "dropped.jpg", { type: "image/jpeg" }));
          const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
          document.body.dispatchEvent(new DragEvent("dragover", options));
          document.body.dispatchEvent(new DragEvent("drop", options));
        }""",
        list(picture(seed=120)),
    )
    page.locator("#upload-show").wait_for(state="visible")
    assert page.locator("#upload-sum").inner_text() == "1 artwork added."


def test_an_upload_that_finds_no_server_is_tried_again(browser_page: Any, new_dataset: Any, image_files: Any) -> None:
    page: Page = browser_page()
    page.goto(new_dataset("Retry")["urls"]["page"])
    fails = {"left": 2}

    def flaky(route: Any) -> None:
        if route.request.method == "POST" and fails["left"]:
            fails["left"] -= 1
            route.abort()
        else:
            route.continue_()

    page.route("**/artworks/", flaky)
    add(page, image_files(3))
    assert page.locator("#upload-sum").inner_text() == "3 artworks added."
    assert fails["left"] == 0


def test_an_upload_can_be_stopped_and_taken_up_again(browser_page: Any, new_dataset: Any, image_files: Any) -> None:
    page: Page = browser_page()
    page.goto(new_dataset("Stop")["urls"]["page"])
    held: list[Any] = []
    page.route("**/artworks/", lambda route: held.append(route))  # the server does not answer
    page.locator("[data-upload]:visible").first.click()
    page.set_input_files("#upload-files", [str(file) for file in image_files(5)])
    page.click("#upload-stop")
    wait_for(lambda: "5 stopped" in page.locator("#upload-sum").inner_text())
    page.unroute("**/artworks/")
    page.click("#upload-retry")
    page.locator("#upload-show").wait_for(state="visible")
    assert page.locator("#upload-sum").inner_text() == "5 artworks added."


def test_leaving_during_an_upload_warns(browser_page: Any, new_dataset: Any, image_files: Any) -> None:
    page: Page = browser_page()
    page.goto(new_dataset("Leave")["urls"]["page"])
    held: list[Any] = []
    page.route("**/artworks/", lambda route: held.append(route))
    page.locator("[data-upload]:visible").first.click()
    page.set_input_files("#upload-files", [str(image_files(1)[0])])
    with page.expect_event("dialog") as asked:
        page.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.accept()
