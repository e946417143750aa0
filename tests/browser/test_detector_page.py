"""The page "How good is it?": from the list of detectors to the artwork on which the detector was wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.test_accessibility import axe, violations  # noqa: F401
from tests.installation import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MAKE = """
import json
from datasets.models import Dataset
from tests.evaluations import keep, of_dataset
from training import live
from training.models import Detector, Snapshot, TrainingRun
dataset = Dataset.objects.get(pk={dataset})
snapshot = Snapshot.objects.create(dataset=dataset, manifest={{}}, sha256="0" * 64)
chosen = dict(architecture="retinanet_mobilenet_v2", budget="quick", augmentation="none")
known = dict(kind="trained", dataset=dataset, architecture="a", input_size=256, labels=[dict(id=1, name="Disc")])
made = []
for name, every in (("First", 2), ("Second", 1)):
    run = TrainingRun.objects.create(
        dataset=dataset, kind="training", state="done", snapshot=snapshot, name=name, **chosen
    )
    live.publish(run.pk, [("metrics", dict(step=step, total_steps=300, loss=3 / step)) for step in range(1, 9)])
    made.append(Detector.objects.create(name=name, folder=name, run=run, threshold=0.37, **known))
    keep(made[-1], of_dataset(dataset, every))
bare = Detector.objects.create(name="Bare", folder="nothing-there", **known)
print(json.dumps([detector.pk for detector in (*made, bare)]))
"""

READY = """
from training import files
from training.models import Detector
detector = Detector.objects.get(pk={detector})
detector.architecture = "retinanet_mobilenet_v2"
detector.save()
folder = files.detector_folder(detector)
(folder / "saved_model").mkdir()
print(folder)
"""
WAITING = """
from django_q.models import OrmQ
print(sum(row.func() == "training.tasks.convert" for row in OrmQ.objects.all()))
"""


@pytest.fixture(scope="module")
def dataset(server: Server) -> int:
    return int(server.seed(6)["dataset"])


@pytest.fixture(scope="module")
def detectors(server: Server, dataset: int) -> list[int]:
    """Two with evaluations on different artworks, and one without."""
    return list(json.loads(server.shell(MAKE.format(dataset=dataset))))


def test_the_way_from_the_detectors_to_the_artwork_that_it_got_wrong(
    browser_page: Callable[..., Page], dataset: int, detectors: list[int]
) -> None:
    page = browser_page()
    page.goto(f"/datasets/{dataset}/detectors/")
    page.locator(f"[data-detector='{detectors[1]}']").get_by_role("link", name="How good is it?").click()
    page.get_by_role("heading", name="Of 100 boxes that a person would draw it finds").wait_for()
    page.locator("#curves canvas").wait_for()
    first = page.locator(".tested-card").first
    assert first.locator("rect.missed, rect.swapped, rect.invented").count() > 0
    first.get_by_role("link", name="Look and correct").click()
    page.wait_for_url("**/artworks/*/")


def test_truth_and_prediction_differ_in_more_than_colour(
    browser_page: Callable[..., Page], dataset: int, detectors: list[int]
) -> None:
    page = browser_page()
    page.goto(f"/datasets/{dataset}/detectors/{detectors[1]}/")
    dashes = {
        kind: page.locator(f"line.mark.{kind}").evaluate("line => getComputedStyle(line).strokeDasharray")
        for kind in ("found", "right", "swapped", "invented")
    }
    assert dashes["found"] == "none"
    assert len(set(dashes.values())) == 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_with_a_comparison_keeps_the_rules_of_wcag(
    browser_page: Callable[..., Page],
    dataset: int,
    detectors: list[int],
    axe: str,  # noqa: F811
    scheme: Any,
) -> None:
    page = browser_page()
    page.emulate_media(color_scheme=scheme)
    page.goto(f"/datasets/{dataset}/detectors/{detectors[1]}/")
    page.locator("#with").select_option(label=page.locator("#with option").first.inner_text())
    page.get_by_role("button", name="Compare").click()
    page.locator("#learnt canvas").wait_for()
    assert "were not tested on the same" in page.locator("#compare").inner_text()
    found = violations(page, axe)
    assert not found, "\n".join(found)


def test_the_onnx_file_is_asked_for_once_and_arrives_by_itself(
    browser_page: Callable[..., Page], server: Server, dataset: int, detectors: list[int]
) -> None:
    folder = Path(server.shell(READY.format(detector=detectors[0])))
    page = browser_page()
    page.goto(f"/datasets/{dataset}/detectors/{detectors[0]}/#files")
    page.get_by_role("button", name="Make the ONNX file").dblclick()
    page.get_by_text("Waiting for its turn").wait_for()
    page.reload()
    page.get_by_text("Waiting for its turn").wait_for()
    assert not page.get_by_role("button", name="Make the ONNX file").is_visible()
    assert server.shell(WAITING) == "1"
    (folder / "model.onnx").write_bytes(b"made by a worker")
    page.get_by_role("link", name="model.onnx").wait_for()
    page.get_by_text("The ONNX file is here.").wait_for()


def test_a_detector_without_an_evaluation_says_so(
    browser_page: Callable[..., Page], dataset: int, detectors: list[int]
) -> None:
    page = browser_page()
    page.goto(f"/datasets/{dataset}/detectors/{detectors[2]}/")
    page.get_by_text("There is no evaluation of this detector").wait_for()


def test_the_dialog_begins_at_the_detectors_own_best_score_and_remembers_another_choice(
    browser_page: Callable[..., Page], dataset: int, detectors: list[int]
) -> None:
    page = browser_page()
    address = f"/datasets/{dataset}/detectors/?use={detectors[0]}"
    page.goto(address)
    dialog = page.locator("dialog[open]")
    assert dialog.locator("[name=threshold]").input_value() == "0.37"
    assert dialog.locator("output").inner_text() == "37%"
    dialog.locator("[name=detector]").select_option(str(detectors[2]))  # its files name no score
    assert dialog.locator("[name=threshold]").input_value() == "0.4"
    dialog.locator("[name=detector]").select_option(str(detectors[0]))
    dialog.locator("[name=threshold]").fill("0.6")
    dialog.get_by_role("button", name="Find boxes").click()
    page.wait_for_url("**/runs/*/")
    page.goto(address)
    assert page.locator("dialog[open] [name=threshold]").input_value() == "0.6"
