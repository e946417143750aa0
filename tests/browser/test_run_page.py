"""The page of a run in a real browser: live by websocket, complete after a reload, back after a lost connection."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.installation import Server, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RATES = {"total_steps": 300, "learning_rate": 0.001, "images_per_second": 38.2, "seconds_left": 42}
MAKE = """
from training.models import Run, Snapshot, TrainingRun
from datasets.models import Dataset
dataset = Dataset.objects.get(pk={dataset})
Run.objects.filter(state__in=["queued", "running"]).update(state="done")
snapshot = Snapshot.objects.create(dataset=dataset, manifest={{}}, sha256="0" * 64)
chosen = {{"architecture": "retinanet_mobilenet_v2", "budget": "quick", "augmentation": "none"}}
run = TrainingRun.objects.create(
    dataset=dataset, kind="training", state={state!r}, snapshot=snapshot, name="Watched", **chosen
)
print(run.pk)
"""

SMALL = """
from annotations.models import Box, Label
from datasets.models import Artwork
artwork = Artwork.objects.filter(dataset={dataset}).first()
label = Label.objects.create(dataset=artwork.dataset, name="Small")
size = {{"image_width": artwork.width, "image_height": artwork.height}}
for number in range(10):
    Box.objects.create(artwork=artwork, label=label, x=number, y=number, width=4, height=4, **size)
"""

DETECTOR = """
from training.models import Detector, TrainingRun
run = TrainingRun.objects.get(pk={run})
made = {{"kind": "trained", "architecture": run.architecture, "input_size": 256, "labels": [], "folder": "x"}}
print(Detector.objects.create(name="Renamed", dataset=run.dataset, run=run, **made).pk)
"""
DELETE = """
from django.utils import timezone
from training.models import Detector
Detector.objects.filter(pk={detector}).update(deleted_at=timezone.now())
"""


@pytest.fixture(scope="module")
def dataset(server: Server) -> int:
    return int(server.seed(4)["dataset"])


@pytest.fixture
def make_run(server: Server, dataset: int) -> Callable[..., int]:
    """`make_run("running")`: a training in a state, with no worker that would meddle."""
    return lambda state="running": int(server.shell(MAKE.format(dataset=dataset, state=state)))


@pytest.fixture
def publish(server: Server) -> Callable[..., None]:
    """`publish(run, (kind, payload), …)`: what a worker does when the pipeline has said something."""

    def tell(run: int, *events: tuple[str, dict[str, Any]]) -> None:
        server.shell(f"from training import live; live.publish({run}, {list(events)!r})")

    return tell


def metrics(step: int, loss: float) -> tuple[str, dict[str, Any]]:
    return "metrics", {"step": step, "loss": loss, "box_loss": loss / 2, "class_loss": loss / 2, **RATES}


def stage(name: str, state: str, message: str = "") -> tuple[str, dict[str, Any]]:
    return "stage", {"stage": name, "state": state, "done": 0, "total": 0, "message": message}


def number(page: Page, name: str) -> str:
    return page.locator(f"[data-number={name}]").inner_text()


def test_what_a_training_says_appears_without_a_reload_and_is_all_there_after_one(
    browser_page: Any, make_run: Any, publish: Any, dataset: int
) -> None:
    run = make_run()
    publish(run, ("status", {"state": "running", "message": ""}), stage("annotations", "done", "4 artworks"))
    page: Page = browser_page()
    page.goto(f"/datasets/{dataset}/runs/{run}/")
    page.locator(".step[data-state=done]", has_text="4 artworks").wait_for()
    publish(
        run, stage("train", "started"), *[metrics(step, 3 / step) for step in range(1, 21)], ("log", {"text": "twenty"})
    )
    wait_for(lambda: number(page, "step") == "20 / 300", what="the step")
    publish(run, ("evaluation", {"step": 20, "split": "test", "AP": 0.25, "AP50": 0.5, "per_label": []}))
    wait_for(lambda: number(page, "AP50") == "50%", what="the accuracy")
    assert (number(page, "loss"), number(page, "speed"), number(page, "left")) == ("0.150", "38.2", "42 s")
    page.locator("#chart canvas").wait_for()  # drawn in the frame after the numbers
    page.reload()
    wait_for(lambda: number(page, "step") == "20 / 300", what="the step after the reload")
    assert number(page, "AP50") == "50%"
    assert page.locator("#log-count").inner_text() == "1"


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)], ids=["desk", "phone"])
def test_the_curve_fills_its_panel_and_lies_over_nothing(
    browser_page: Any, make_run: Any, publish: Any, dataset: int, width: int, height: int
) -> None:
    run = make_run()
    told = [stage(name, "done", "A line of words that needs two lines. " * 2) for name in ("annotations", "partition")]
    publish(run, *told, *[metrics(step, 3 / step) for step in range(1, 9)])
    page: Page = browser_page()
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"/datasets/{dataset}/runs/{run}/")
    page.locator("#chart canvas").wait_for()
    page.locator("#chart .u-over").hover()  # the legend has values now, and may need more lines
    page.locator("#chart .u-value", has_text="/").or_(page.locator("#chart .u-value", has_text=".")).first.wait_for()
    curve, words, panel = (page.locator(f".run-curve{place}") for place in (" .uplot", " > p", ""))
    bottom = lambda place: place.evaluate("element => element.getBoundingClientRect().bottom")  # noqa: E731
    top = words.evaluate("element => element.getBoundingClientRect().top")
    assert -1 <= top - bottom(curve) <= 12
    assert bottom(panel) - bottom(words) <= 40


def test_a_lost_connection_comes_back_and_nothing_is_missed_or_told_twice(
    browser_page: Any, make_run: Any, publish: Any, dataset: int, server: Server
) -> None:
    run = make_run()
    publish(run, ("log", {"text": "before"}))
    page: Page = browser_page()
    page.goto(f"/datasets/{dataset}/runs/{run}/")
    wait_for(lambda: page.locator("#log-count").inner_text() == "1", what="the first line")
    server.kill("web")
    page.locator("#live", has_text="Connection lost").wait_for()
    publish(run, ("log", {"text": "meanwhile"}), metrics(7, 0.5))
    server.start_web()
    page.locator("#live", has_text="Live").wait_for(timeout=40_000)
    wait_for(lambda: number(page, "step") == "7 / 300", what="what happened meanwhile")
    assert page.locator("#log-count").inner_text() == "2"


def test_a_waiting_training_is_cancelled_after_a_question_and_can_go_on(
    browser_page: Any, make_run: Any, dataset: int
) -> None:
    page: Page = browser_page()
    page.goto(f"/datasets/{dataset}/runs/{make_run('queued')}/")
    page.click("#cancel")
    page.locator("dialog[open]").get_by_role("button", name="Keep").click()
    assert page.locator("#state").inner_text() == "Waiting"
    page.click("#cancel")
    page.locator("dialog[open] .button-danger").click()
    page.locator("#state", has_text="Cancelled").wait_for()
    page.click("#resume")
    page.locator("#state", has_text="Waiting").wait_for()


def test_a_failure_is_said_in_its_own_words(browser_page: Any, make_run: Any, publish: Any, dataset: int) -> None:
    run = make_run()
    page: Page = browser_page()
    page.goto(f"/datasets/{dataset}/runs/{run}/")
    text = "The machine ran out of memory. Close other programs."
    publish(run, ("error", {"message": text, "detail": "Traceback"}), ("status", {"state": "failed", "message": text}))
    page.locator("#message", has_text=text).wait_for()
    assert page.locator("#state").inner_text() == "Failed"
    page.locator("#log summary").click()
    assert "Traceback" in page.locator("#log ol").inner_text()


def test_a_finished_training_leads_to_its_detector(
    browser_page: Any, make_run: Any, publish: Any, dataset: int
) -> None:
    run = make_run()
    page: Page = browser_page()
    page.goto(f"/datasets/{dataset}/runs/{run}/")
    publish(run, ("detector", {"id": 7, "name": "Watched"}), ("status", {"state": "done", "message": ""}))
    page.locator("#done", has_text="Watched").wait_for()
    assert re.search(r"/detectors/\?use=7$", page.locator("#use").get_attribute("href") or "")
    assert re.search(r"/detectors/7/$", page.locator("#how-good").get_attribute("href") or "")


def test_a_finished_training_offers_no_detector_that_is_gone_and_each_by_its_name_of_today(
    browser_page: Any, make_run: Any, publish: Any, server: Server, dataset: int
) -> None:
    run = make_run("done")
    detector = int(server.shell(DETECTOR.format(run=run)))
    publish(run, ("detector", {"id": detector, "name": "Watched"}), ("status", {"state": "done", "message": ""}))
    page: Page = browser_page()
    page.goto(f"/datasets/{dataset}/runs/{run}/")
    page.locator("#done", has_text="“Renamed” is ready").wait_for()
    assert page.locator("#use").is_visible()
    server.shell(DELETE.format(detector=detector))
    page.reload()
    page.locator("#done", has_text="The detector that this training has made was deleted.").wait_for()
    assert not page.locator("#use").is_visible() and not page.locator("#how-good").is_visible()


def test_the_training_page_shows_the_run_that_is_on(
    browser_page: Any, make_run: Any, publish: Any, dataset: int
) -> None:
    run = make_run()
    publish(run, metrics(30, 1.0))
    page: Page = browser_page()
    page.goto(f"/datasets/{dataset}/training/")
    page.locator("#active-text", has_text="Step 30 of 300").wait_for()
    page.locator("#active-chart canvas").wait_for()  # drawn in the frame after the text
    assert page.locator("#start-button").is_disabled()
    publish(run, metrics(60, 0.8))
    page.locator("#active-text", has_text="Step 60 of 300").wait_for()


def test_a_training_that_ends_takes_nobodys_choice_away(
    browser_page: Any, make_run: Any, publish: Any, server: Server, dataset: int
) -> None:
    run = make_run()
    page: Page = browser_page()
    page.goto(f"/datasets/{dataset}/training/")
    page.locator("#active-chart").wait_for()
    page.locator("#start-name").fill("The next one")
    server.shell(f"from training.models import Run; Run.objects.filter(pk={run}).update(state='done')")
    publish(run, ("status", {"state": "done", "message": ""}))
    show = page.get_by_role("button", name="Show it")
    show.wait_for()
    assert page.locator("#start-name").input_value() == "The next one"
    show.click()
    page.locator("#active").wait_for(state="detached")


def test_ones_own_time_says_how_long_it_takes_where_that_is_longer(
    browser_page: Any, make_run: Any, dataset: int
) -> None:
    make_run("done")  # and no other is on, whose end would load the page again
    page: Page = browser_page()
    page.goto(f"/datasets/{dataset}/training/")
    page.locator("[data-budget=standard]", has_text="≈").wait_for()  # the page's script has run
    takes = page.locator("[data-budget=own]")

    def type_in(minutes: str) -> None:
        with page.expect_response(lambda answer: answer.url.endswith(f"training-options/?minutes={minutes}")):
            page.locator("input[name=minutes]").fill(minutes)

    type_in("90")
    assert page.locator("input[name=budget][value=own]").is_checked()
    page.locator("input[name=architecture][value=faster_rcnn_resnet50_fpn]").check()
    page.wait_for_timeout(300)
    assert takes.inner_text() == ""  # an hour and a half is enough for this detector
    type_in("2")
    page.locator("[data-budget=own]", has_text=re.compile(r"≈ \d+ min")).wait_for()
    assert int(re.sub(r"\D", "", takes.inner_text())) > 20
    type_in("90")
    page.wait_for_timeout(300)
    assert takes.inner_text() == ""


def test_small_things_are_seen_larger_where_there_is_time(
    browser_page: Any, make_run: Any, server: Server, dataset: int
) -> None:
    from playwright.sync_api import expect

    make_run("done")
    server.shell(SMALL.format(dataset=dataset))
    page: Page = browser_page()
    page.goto(f"/datasets/{dataset}/training/")
    small, large = (page.locator(f"[data-size=retinanet_{name}]") for name in ("mobilenet_v2", "resnet50_fpn"))
    expect(small).to_have_text("384 × 384")  # in the usual ten minutes
    page.locator("input[name=budget][value=quick]").check()
    expect(small).to_have_text("256 × 256")
    expect(large).to_have_text("640 × 640")  # whatever the time

    page.locator("input[name=budget][value=standard]").check()
    concept = page.locator(".label-choices label", has_text="Small").locator("input")
    button = page.locator("#start-button")
    before = button.is_disabled()
    concept.uncheck()
    expect(small).to_have_text("256 × 256")  # nothing of the others is small
    concept.check()
    expect(small).to_have_text("384 × 384")
    assert button.is_disabled() == before
