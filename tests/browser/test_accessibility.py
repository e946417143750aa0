"""Every page, in light and in dark, against axe's rules of WCAG 2.2 AA; and the widths of a phone and of a tablet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import log_in
from tests.installation import ROOT, Server, skip_or_fail

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EVENTS = """
from training import live
from training.models import Run, Snapshot, TrainingRun
from datasets.models import Dataset
dataset = Dataset.objects.get(pk={dataset})
snapshot = Snapshot.objects.create(dataset=dataset, manifest={{}}, sha256="0" * 64)
chosen = {{"architecture": "retinanet_mobilenet_v2", "budget": "quick", "augmentation": "none"}}
run = TrainingRun.objects.create(
    dataset=dataset, kind="training", state="running", snapshot=snapshot, name="Seen", **chosen
)
rates = {{"learning_rate": 0.001, "images_per_second": 9, "seconds_left": 9}}
scores = {{"AP": 0.3, "AP50": 0.6}}
live.publish(run.pk, [
    ("status", {{"state": "running", "message": ""}}),
    ("stage", {{"stage": "annotations", "state": "done", "done": 0, "total": 0, "message": "12 artworks"}}),
    ("stage", {{"stage": "train", "state": "started", "done": 0, "total": 0, "message": ""}}),
    *[("metrics", {{"step": step, "total_steps": 9, "loss": 3 / step, **rates}}) for step in range(1, 6)],
    ("evaluation", {{"step": 5, "split": "test", **scores, "per_label": [{{"name": "Disc", **scores}}]}}),
    ("log", {{"text": "a line"}}),
])
print(run.pk)
"""
DETECTORS = """
import json
from datasets.models import Dataset
from tests.evaluations import keep, of_dataset
from training.models import Detector
known = {{"kind": "trained", "dataset_id": {dataset}, "architecture": "a", "input_size": 256, "labels": []}}
made = [Detector.objects.create(name="Seen", folder="seen-" + str(every), **known) for every in (1, 2)]
for every, detector in enumerate(made, start=1):
    keep(detector, of_dataset(Dataset.objects.get(pk={dataset}), every))
print(json.dumps([detector.pk for detector in made]))
"""


@pytest.fixture(scope="module")
def addresses(server: Server) -> list[str]:
    """Every page, with something on it."""
    dataset = server.seed(6)["dataset"]
    run = server.shell(EVENTS.format(dataset=dataset))
    one, two = json.loads(server.shell(DETECTORS.format(dataset=dataset)))
    artwork = server.api(f"datasets/{dataset}/artworks/")["results"][0]["id"]
    empty = server.api("datasets/", {"name": "Empty", "description": ""})["id"]
    inside = [
        "",
        "?search=nothing-like-this",
        "labels/",
        "members/",
        "detectors/",
        f"detectors/{one}/?with={two}",
        "training/",
        f"runs/{run}/",
        f"artworks/{artwork}/",
    ]
    return [
        "/",
        "/password/",
        "/datasets/424242/",
        f"/datasets/{empty}/",
        *(f"/datasets/{dataset}/{path}" for path in inside),
    ]


@pytest.fixture
def open_page(browser: Browser, server: Server) -> Iterator[Callable[..., Page]]:
    """`open_page(scheme, width)`: a page of an administrator who is logged in."""
    contexts: list[Any] = []

    def make(scheme: str = "light", width: int = 1440, height: int = 900, *, log: bool = True) -> Page:
        options = {"viewport": {"width": width, "height": height}, "color_scheme": scheme, "locale": "en"}
        context = browser.new_context(base_url=server.url, reduced_motion="reduce", **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        if log:
            log_in(page, "olga")
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def axe() -> str:
    path = ROOT / "node_modules" / "axe-core" / "axe.min.js"
    if not path.exists():
        skip_or_fail("axe-core is not installed: run `npm ci --ignore-scripts`.")
    return path.read_text(encoding="utf-8")


def violations(page: Page, axe: str) -> list[str]:
    """What axe finds on a page: rule, place and advice."""
    page.evaluate(axe)
    found = page.evaluate("(rules) => axe.run(document, { runOnly: rules })", RULES)
    return [
        f"{page.url}: {rule['id']} at {node['target']}: {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_the_rules_of_wcag(open_page: Any, addresses: list[str], axe: str, scheme: str) -> None:
    page: Page = open_page(scheme)
    found: list[str] = []
    for address in addresses:
        page.goto(address)
        page.wait_for_load_state("networkidle")
        found += violations(page, axe)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_login_and_the_dialogs_keep_the_rules_too(
    open_page: Any, addresses: list[str], axe: str, scheme: str
) -> None:
    page: Page = open_page(scheme, log=False)
    page.goto("/login/")
    found = violations(page, axe)
    log_in(page, "olga")
    page.goto(addresses[-1].split("artworks/")[0])
    page.locator("[data-upload]:visible").first.click()
    found += violations(page, axe)
    page.locator("[data-edit]").first.click(force=True)
    page.locator("#metadata-form").wait_for()
    found += violations(page, axe)
    # axe sees these only while the dialog is not known to hide the page: a moment that is not met every time.
    assert page.locator("body > dialog[open]").count() == 1
    assert page.locator("body > dialog :is(header, footer)").count() == 0
    page.keyboard.press("Escape")
    page.locator("[data-open=settings]").click()
    page.click("#delete-dataset")
    found += violations(page, axe)
    page.goto(addresses[-1])
    page.click("[data-do=history]")
    page.locator(".timeline-entry").first.wait_for()
    found += violations(page, axe)
    page.locator(".timeline-entry").last.click()
    page.locator("#past").wait_for()
    found += violations(page, axe)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("width", [360, 390, 768, 1024, 1440])
def test_no_page_is_wider_than_the_screen(open_page: Any, addresses: list[str], width: int) -> None:
    page: Page = open_page(width=width, height=844)
    for address in addresses:
        page.goto(address)
        excess = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert excess <= 0, (address, width, excess)


def test_the_loss_is_told_in_words_beside_the_picture_of_it(open_page: Any, addresses: list[str]) -> None:
    page: Page = open_page()
    page.goto(next(address for address in addresses if "/runs/" in address))
    page.locator("#chart canvas").wait_for()
    label = page.locator("#chart").get_attribute("aria-label") or ""
    assert "Step 5" in label
    assert "AP50 60%" in label


def test_the_keyboard_reaches_the_content_first_and_dialogs_give_the_focus_back(open_page: Any) -> None:
    page: Page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    opener = page.locator("[data-open=new-dataset]").first
    opener.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "new-name"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.open") == "new-dataset"
