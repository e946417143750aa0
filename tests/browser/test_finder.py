"""The dialog "Find boxes", from the detectors page and from the card of a training that has just ended."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.desk import Open
from tests.installation import Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# So many that they get a field to filter them.
CLASSES = ["Person", "Boat", "Horse", "Dog", "Book", "Bottle", "Chair", "Flower", "Fruit", "Hat", "Lamp", "disc"]
MAKE_DETECTOR = """
from training.models import Detector
labels = [dict(id=number, name=name) for number, name in enumerate({classes}, start={first})]
print(Detector.objects.create(
    name={name!r}, kind={kind!r}, dataset_id={dataset}, architecture="a", input_size=256, labels=labels, folder="none"
).pk)
"""
MAKE_TRAINING = """
from training.models import Snapshot, TrainingRun
snapshot = Snapshot.objects.create(dataset_id={dataset}, manifest={{}}, sha256="0" * 64)
chosen = dict(architecture="retinanet_mobilenet_v2", budget="quick", augmentation="none")
run = TrainingRun.objects.create(
    dataset_id={dataset}, kind="training", state="running", snapshot=snapshot, name="T", **chosen
)
print(run.pk)
"""
TELL_STEP = """
from training import live
live.publish({run}, [("metrics", dict(step=30, total_steps=300, loss=1.0, seconds_left=None))])
"""
# What a worker does when the pipeline has made a detector; the run's row says it too.
END_TRAINING = """
from training import live
from training.models import Run
live.publish({run}, [
    ("detector", dict(id={detector}, name="Fresh")), ("status", dict(state="done", message="")),
])
Run.objects.filter(pk={run}).update(state="done")
"""


@pytest.fixture(scope="module")
def dataset(server: Server) -> dict[str, Any]:
    return server.seed(4)


def make_detector(server: Server, dataset: dict[str, Any], name: str, classes: list[str], kind: str = "added") -> int:
    """A detector of this dataset; one that was trained there has the concepts' own numbers, others count from 1."""
    first = dataset["labels"][0] if kind == "trained" else 1
    made = MAKE_DETECTOR.format(name=name, dataset=dataset["dataset"], classes=classes, kind=kind, first=first)
    return int(server.shell(made))


def concept_for(dialog: Locator, name: str) -> Locator:
    """The field in which the concept of one of the detector's classes is chosen."""
    return dialog.locator(f"select[data-name='{name}']")


def test_a_detector_is_put_to_work_on_a_dataset_and_the_run_is_shown(
    browser_page: Any, server: Server, dataset: dict[str, Any]
) -> None:
    detector = make_detector(server, dataset, "Everyday", CLASSES)
    page: Page = browser_page()
    page.goto(f"/datasets/{dataset['dataset']}/detectors/")
    page.locator(f"[data-use='{detector}']").click()
    dialog = page.locator("dialog[open]")
    assert "all 4 artworks" in dialog.inner_text()
    # A class that is named like a concept stands for it; here it is left out.
    concept_for(dialog, "disc").select_option("")
    dialog.get_by_role("button", name="Find boxes").click()
    page.locator(".toast-error", has_text="Choose at least one concept").wait_for()
    dialog.locator("input[type=search]").fill("BO")
    assert set(dialog.locator(".mapping-row:visible > span").all_inner_texts()) == {"Boat", "Book", "Bottle"}
    concept_for(dialog, "Boat").select_option(label="Bar")
    concept_for(dialog, "Book").select_option(label="Create the concept “Book”")
    dialog.locator("[name=threshold]").fill("0.6")
    dialog.get_by_role("button", name="Find boxes").click()
    page.wait_for_url(re.compile(r"/runs/\d+/$"))
    assert page.locator("#state").inner_text() == "Waiting"
    run = server.api(f"datasets/{dataset['dataset']}/runs/{page.url.rstrip('/').rsplit('/', 1)[1]}/")
    assert (run["state"], run["inference"]["artwork"], run["inference"]["threshold"]) == ("queued", None, 0.6)
    labels = {row["name"]: row["id"] for row in server.api(f"datasets/{dataset['dataset']}/labels/")["results"]}
    assert set(labels) == {"Bar", "Book", "Disc"}
    stored = server.shell(
        f"from training.models import InferenceRun; print(InferenceRun.objects.get(pk={run['id']}).mapping)"
    )
    assert stored == str({"2": labels["Bar"], "5": labels["Book"]})


def test_each_concept_begins_at_its_own_best_score_unless_somebody_wants_one_for_all(
    browser_page: Any, server: Server, dataset: dict[str, Any]
) -> None:
    detector = make_detector(server, dataset, "Scored", ["Disc", "Bar"], kind="trained")
    server.shell(
        f"""
from training.models import Detector
detector = Detector.objects.get(pk={detector})
detector.labels[0]["threshold"] = 0.31
detector.save()
"""
    )
    page: Page = browser_page()
    address = f"/datasets/{dataset['dataset']}/detectors/?use={detector}"
    page.goto(address)
    dialog = page.locator("dialog[open]")
    own, slider = dialog.locator("[name=own_scores]"), dialog.locator("[name=threshold]")
    assert own.is_checked() and not slider.is_visible()
    assert dialog.locator(".mapping-score:visible").all_inner_texts() == ["from 31%", "from 40%"]
    own.uncheck()
    assert slider.is_visible() and not dialog.locator(".mapping-score:visible").count()
    for expected in (False, True):
        dialog.locator("[name=own_scores]").set_checked(expected)
        dialog.get_by_role("button", name="Find boxes").click()
        page.wait_for_url(re.compile(r"/runs/\d+/$"))
        assert ("its own best score" in page.locator(".run-head").inner_text()) == expected
        run = server.api(f"datasets/{dataset['dataset']}/runs/{page.url.rstrip('/').rsplit('/', 1)[1]}/")
        assert run["inference"]["own_scores"] == expected
        page.goto(address)
        dialog = page.locator("dialog[open]")
        assert dialog.locator("[name=own_scores]").is_checked() == expected


def test_what_was_chosen_is_offered_again(browser_page: Any, server: Server, dataset: dict[str, Any]) -> None:
    detector = make_detector(server, dataset, "Again", ["Sail", "disc"])
    page: Page = browser_page()
    address = f"/datasets/{dataset['dataset']}/detectors/?use={detector}"
    page.goto(address)
    dialog = page.locator("dialog[open]")
    assert concept_for(dialog, "disc").input_value() == str(dataset["labels"][0])
    concept_for(dialog, "disc").select_option("")
    concept_for(dialog, "Sail").select_option(label="Bar")
    dialog.get_by_role("button", name="Find boxes").click()
    page.wait_for_url(re.compile(r"/runs/\d+/$"))
    page.goto(address)
    chosen = [concept_for(page.locator("dialog[open]"), name).input_value() for name in ("Sail", "disc")]
    assert chosen == [str(dataset["labels"][1]), ""]


def test_a_concept_that_has_another_name_now_is_known_to_what_was_trained_on_it(
    browser_page: Any, server: Server, dataset: dict[str, Any]
) -> None:
    disc, bar = dataset["labels"]
    assert bar == disc + 1
    detector = make_detector(server, dataset, "Older", ["Plate", "Disc"], kind="trained")
    page: Page = browser_page()
    page.goto(f"/datasets/{dataset['dataset']}/detectors/?use={detector}")
    dialog = page.locator("dialog[open]")
    chosen = {name: concept_for(dialog, name).input_value() for name in ("Plate", "Disc")}
    assert (chosen["Plate"], chosen["Disc"]) == (str(disc), str(bar))


def test_what_a_training_has_just_made_draws_on_the_artwork_that_is_open(
    open_desk: Open, server: Server, dataset: dict[str, Any]
) -> None:
    run = int(server.shell(MAKE_TRAINING.format(dataset=dataset["dataset"])))
    desk = open_desk()
    card = desk.page.locator(f".run-card[data-run='{run}']")
    server.shell(TELL_STEP.format(run=run))
    card.locator(".run-line", has_text="Step 30 of 300 · loss 1.00").wait_for()
    detector = make_detector(server, dataset, "Fresh", ["Disc", "Bar"], kind="trained")
    server.shell(END_TRAINING.format(run=run, detector=detector))
    card.locator(".run-line", has_text="Done").wait_for()
    card.get_by_role("button", name="Find boxes with it").click()
    dialog = desk.page.locator("dialog[open]")
    assert dialog.locator("[name=detector]").input_value() == str(detector)
    chosen = [concept_for(dialog, name).input_value() for name in ("Disc", "Bar")]
    assert chosen == [str(label) for label in dataset["labels"]]
    dialog.get_by_role("button", name="Find boxes").click()
    desk.page.locator(".run-card", has_text="Finding boxes: Fresh").wait_for()
    newest = server.api(f"datasets/{dataset['dataset']}/inference-runs/")["results"][0]["inference"]
    assert (newest["detector"], newest["artwork"]) == (detector, desk.artwork)
