"""The main job from end to end: a person, a real browser, real paintings, a real training, the real processes.

Dataset and images (3) → boxes by hand (5) → boxes by the pretrained detector (6) → training (7) → boxes by the trained
detector on artworks that it has not seen (6).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import log_in
from tests.e2e.paintings import Painting, paintings
from tests.installation import ROOT, Server, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.data, pytest.mark.timeout(1200)]
CONCEPTS = ("Mary", "Baby", "Angel")
ANNOTATED, LEFT = 42, 6
SCREENSHOTS = ROOT / "screenshots"


@pytest.fixture
def installation(make_server: Callable[..., Server], offline_weights: Path) -> Server:
    server = make_server(serve=True, WEBNET_WEIGHTS=str(offline_weights))
    server.register_pretrained(offline_weights)
    server.add_user("olga", superuser=True)
    return server


def shoot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def test_from_images_on_a_disk_to_a_detector_that_draws_boxes(
    installation: Server, browser: Browser, tmp_path: Path
) -> None:
    works = paintings(ANNOTATED + LEFT, CONCEPTS)
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=installation.url)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    log_in(page, "olga")
    job = Job(page, installation)

    job.make_dataset("Sacred paintings")
    job.add_images([work.file for work in works], broken_files(tmp_path, works[0].file))
    job.make_concepts(CONCEPTS)
    job.draw_a_box_by_hand()
    job.annotate(works[:ANNOTATED])
    job.let_the_pretrained_detector_draw(works[ANNOTATED])
    run = job.train()
    job.let_the_trained_detector_draw(run, works[ANNOTATED:])
    assert not faults, faults
    context.close()


def broken_files(folder: Path, sound: Path) -> list[Path]:
    """Three files that must be refused, each for another reason."""
    (folder / "truncated.jpg").write_bytes(sound.read_bytes()[:3000])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "letter.jpg").write_text("Dear curator")
    return [folder / name for name in ("truncated.jpg", "empty.jpg", "letter.jpg")]


class Job:
    """What the person does, page by page."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page, self.server = page, server
        self.home = ""
        self.labels: dict[str, int] = {}

    @property
    def dataset(self) -> int:
        return int(self.home.strip("/").split("/")[-1])

    def api(self, path: str, body: Any = None) -> Any:
        return self.server.api(f"datasets/{self.dataset}/{path}", body)

    def artworks(self) -> dict[str, dict[str, Any]]:
        return {row["file_name"]: row for row in self.api("artworks/?page_size=200")["results"]}

    def boxes(self, artwork: int) -> list[dict[str, Any]]:
        return list(self.api(f"artworks/{artwork}/boxes/")["boxes"])

    def dialog(self) -> Locator:
        return self.page.locator("dialog[open]")

    def make_dataset(self, name: str) -> None:
        self.page.locator("[data-open=new-dataset]").first.click()
        self.dialog().get_by_label("Name").fill(name)
        self.dialog().locator("button.button-strong").click()
        self.page.wait_for_url(re.compile(r"/datasets/\d+/$"))
        self.home = self.page.url.removeprefix(self.server.url)
        assert self.page.locator("#nothing-yet").is_visible()

    def add_images(self, files: list[Path], broken: list[Path]) -> None:
        self.page.locator("[data-upload]").first.click()
        self.page.set_input_files("#upload-files", [str(file) for file in [*files, *broken]])
        self.page.locator("#upload-show").wait_for(state="visible", timeout=180_000)
        reasons = self.page.locator("#upload-reasons li:visible")
        assert reasons.count() == len(broken), reasons.all_inner_texts()
        for file in broken:
            assert reasons.filter(has_text=file.name).count() == 1
        shoot(self.page, "upload")
        self.page.click("#upload-show")
        self.page.locator(".tile").first.wait_for()
        assert len(self.artworks()) == len(files)
        shoot(self.page, "grid")

    def make_concepts(self, names: tuple[str, ...]) -> None:
        self.page.goto(f"{self.home}labels/")
        for name in names:
            self.page.locator("#label-new").get_by_label("Name").fill(name)
            self.page.keyboard.press("Enter")
            self.page.locator(f"#labels input[value='{name}']").wait_for()
        self.labels = {row["name"]: row["id"] for row in self.api("labels/")["results"]}
        assert set(self.labels) == set(names)

    def draw_a_box_by_hand(self) -> None:
        artwork = self.open_artwork(next(iter(self.artworks().values()))["id"])
        self.page.keyboard.press("b")
        frame = self.page.locator("#picture").bounding_box()
        assert frame
        x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
        self.page.mouse.move(x - 80, y - 60)
        self.page.mouse.down()
        self.page.mouse.move(x + 60, y + 70, steps=8)
        self.page.mouse.up()
        (box,) = wait_for(lambda: self.boxes(artwork), 10, "the saved box")
        self.page.locator("#save-state[data-state=saved]").wait_for()
        assert (box["state"], box["source"], box["author"]) == ("confirmed", "manual", "olga")
        self.page.fill("#meta-creator", "Unknown master")
        self.page.locator("[data-save] button").first.click()
        wait_for(lambda: self.api(f"artworks/{artwork}/")["creator"] == "Unknown master", 10, "the saved creator")
        self.page.reload()
        self.page.locator("#boxes li").first.wait_for()
        assert self.page.input_value("#meta-creator") == "Unknown master"
        # Taken back, so that only the paintings' own boxes are trained on.
        self.page.locator("#boxes li .box-name").first.click()
        self.page.keyboard.press("Delete")
        wait_for(lambda: not self.boxes(artwork), 10, "the deletion")

    def open_artwork(self, artwork: int) -> int:
        self.page.goto(f"{self.home}artworks/{artwork}/")
        self.page.wait_for_selector("#picture[data-ready]")
        # Until the picture stands still: it is drawn on.
        self.page.wait_for_timeout(400)
        return artwork

    def annotate(self, works: list[Painting]) -> None:
        """The boxes that somebody drew on these paintings, sent as the page sends them."""
        rows = self.artworks()
        for work in works:
            row = rows[work.file.name]
            edits = [
                {
                    "op": "create",
                    "id": str(uuid.uuid4()),
                    "label": self.labels[concept],
                    "x": x * row["width"],
                    "y": y * row["height"],
                    "width": width * row["width"],
                    "height": height * row["height"],
                }
                for concept, x, y, width, height in work.boxes
            ]
            body = {"id": str(uuid.uuid4()), "revision": row["revision"], "edits": edits}
            assert len(self.api(f"artworks/{row['id']}/edits/", body)["boxes"]) == len(edits)

    def let_the_pretrained_detector_draw(self, work: Painting) -> None:
        artwork = self.open_artwork(self.artworks()[work.file.name]["id"])
        self.page.locator("[data-do=find]").click()
        form = self.page.locator("#finder-form")
        form.locator("select[data-name=Person]").select_option(label="Mary")
        form.locator("input[name=threshold]").fill("0.1")
        self.dialog().locator("button[form=finder-form]").click()
        # They appear on the open page, without a reload.
        self.page.locator("#suggestions li").first.wait_for(timeout=60_000)
        shoot(self.page, "suggestions")
        before = self.boxes(artwork)
        assert all(box["state"] == "suggested" and 0.1 <= box["score"] <= 1 for box in before)
        self.page.locator("#suggestions li .box-name").first.click()
        self.page.locator("#selected [data-accept]").click()
        wait_for(lambda: [b for b in self.boxes(artwork) if b["state"] == "confirmed"], 10, "the accepted suggestion")
        (kept,) = [box for box in self.boxes(artwork) if box["state"] == "confirmed"]
        assert (kept["source"], kept["author"]) == ("detector", "olga")

    def train(self) -> dict[str, Any]:
        self.page.goto(f"{self.home}training/")
        # Typing the minutes chooses one's own time.
        self.page.fill("input[name=minutes]", "2")
        self.page.locator("label.choice", has=self.page.locator("input[name=augmentation][value=none]")).click()
        self.page.click("#start-button")
        self.page.wait_for_url(re.compile(r"/runs/\d+/$"))
        address = self.page.url
        run = int(address.strip("/").split("/")[-1])
        loss = self.page.locator("[data-number=loss]")
        wait_for(lambda: re.search(r"\d", loss.inner_text()), 240, "the first loss")
        first = self.page.locator("[data-number=step]").inner_text()
        wait_for(lambda: self.page.locator("[data-number=step]").inner_text() != first, 30, "the loss to go on")
        shoot(self.page, "run-live")
        # The annotation page shows the same training beside the picture.
        self.open_artwork(next(iter(self.artworks().values()))["id"])
        self.page.locator("#runs").locator("canvas").first.wait_for(timeout=30_000)
        shoot(self.page, "annotating-while-training")
        # A page that draws costs the trainer processor time where there is no graphics card.
        self.page.goto("about:blank")
        wait_for(lambda: self.api(f"runs/{run}/")["state"] not in ("queued", "running"), 600, "the end of the training")
        ended = dict(self.api(f"runs/{run}/"))
        assert ended["state"] == "done", ended
        self.page.goto(address)
        self.page.locator("#done").wait_for(state="visible")
        assert re.search(r"\d", self.page.locator("[data-number=AP50]").first.inner_text())
        shoot(self.page, "run-done")
        self.check_events(run)
        return ended

    def check_events(self, run: int) -> None:
        """What the run has said is complete: numbered without gaps, every stage done, the loss lower than at first."""
        events = self.api(f"runs/{run}/events/")["results"]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        done = [
            e["payload"]["stage"]
            for e in events
            if e["kind"] == "stage" and e["payload"]["state"] in ("done", "skipped")
        ]
        stages = ["annotations", "partition", "augment", "tfrecord", "configure", "train", "evaluate", "export"]
        assert done == stages
        losses = [event["payload"]["loss"] for event in events if event["kind"] == "metrics"]
        assert losses[-1] < losses[0]

    def let_the_trained_detector_draw(self, run: dict[str, Any], works: list[Painting]) -> None:
        detector = run["training"]["detector"]
        rows = self.artworks()
        artwork = self.open_artwork(rows[works[-1].file.name]["id"])
        mapping = {
            str(label["id"]): self.labels[label["name"]]
            for row in self.api("detectors/")["results"]
            if row["id"] == detector
            for label in row["labels"]
        }
        assert set(mapping.values()) == set(self.labels.values())
        untouched = {row["id"]: self.boxes(row["id"]) for row in list(rows.values())[:5]}
        wanted = {"detector": detector, "threshold": 0.15, "mapping": mapping}
        inference = self.api("inference-runs/", wanted)
        # The page is open while the whole dataset is looked at; its suggestions appear by themselves.
        self.page.locator("#suggestions li").first.wait_for(timeout=120_000)
        wait_for(lambda: self.api(f"runs/{inference['id']}/")["state"] == "done", 120, "the end of the inference")
        shoot(self.page, "trained-suggestions")
        suggested = [box for box in self.boxes(artwork) if box["state"] == "suggested"]
        assert suggested
        assert {box["detector"] for box in suggested} == {detector}
        for number, before in untouched.items():
            confirmed = [box for box in self.boxes(number) if box["state"] == "confirmed"]
            assert confirmed == [box for box in before if box["state"] == "confirmed"]
        counts = self.api("suggestions/", {"action": "accept", "minimum_score": 0.0})
        assert counts["count"] >= len(suggested)
