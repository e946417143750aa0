"""How good a detector is, over the API and on its page; and what is said where nobody knows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from annotations.models import Label
from datasets.models import Artwork
from tests.annotations.factories import artwork_row, box_row
from tests.evaluations import keep, keep_all, of_dataset
from training import comparisons, evaluations, files, services
from training.models import Detector, Snapshot, TrainingRun
from training.pipeline import compare
from training.pipeline.coco_metrics import NAMES

pytestmark = pytest.mark.django_db
CHOICE = {"architecture": "retinanet_mobilenet_v2", "budget": "quick", "augmentation": "none"}


@pytest.fixture
def filled(dataset: Any, label: Label) -> Any:
    """A dataset of six artworks, each with two boxes of two concepts."""
    other = Label.objects.create(dataset=dataset, name="Halo", colour="#004488")
    for number in range(6):
        artwork = artwork_row(dataset, number)
        box_row(artwork, label, (10, 10, 40, 30))
        box_row(artwork, other, (100, 20, 50, 50))
    return dataset


def detector_of(dataset: Any, name: str = "D", **fields: Any) -> Detector:
    known = {"kind": "trained", "dataset": dataset, "architecture": CHOICE["architecture"], "input_size": 256}
    made = Detector.objects.create(name=name, labels=[], **known, **fields)
    made.folder = f"evaluated-{made.pk}-{timezone.now().timestamp()}"
    made.save()
    return made


@pytest.fixture
def detector(filled: Any) -> Detector:
    made = detector_of(filled)
    keep(made, of_dataset(filled))
    return made


@pytest.fixture
def get(client_of: Callable[..., Any], viewer: Any) -> Callable[..., Any]:
    """`get("evaluation/", detector)`: a viewer's answer below a detector's address in the API; "" is its page."""

    def fetch(path: str, detector: Detector, dataset: Any = None, **parameters: Any) -> Any:
        prefix = "/api" if path else ""
        address = f"{prefix}/datasets/{(dataset or detector.dataset).pk}/detectors/{detector.pk}/{path}"
        return client_of(viewer).get(address, parameters)

    return fetch


def test_the_api_tells_what_the_training_found_out(get: Any, detector: Detector) -> None:
    told = get("evaluation/", detector).json()
    # Of twelve boxes every fourth is missed and every fourth taken for another concept; two are invented.
    assert told["at_best"]["found"] == 6
    assert [sum(row) for row in told["confusion"][:2]] == [6, 6]
    assert {row["name"]: row["boxes"] for row in told["per_label"]} == {"Angel": 6, "Halo": 6}
    assert (told["count"], told["page"], told["pages"], len(told["artworks"])) == (6, 1, 1, 6)
    mistakes = [row["missed"] + row["invented"] + row["swapped"] for row in told["artworks"]]
    assert mistakes == sorted(mistakes, reverse=True)


@pytest.mark.parametrize("page", ["0", "2", "x", "-1", "9" * 30])
def test_a_page_that_is_not_there_is_refused(get: Any, detector: Detector, page: str) -> None:
    answer = get("evaluation/", detector, page=page)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_a_pretrained_detector_has_no_evaluation_and_the_reason_is_said(get: Any, dataset: Any) -> None:
    pretrained = Detector.objects.create(name="P", kind="pretrained", input_size=9, labels=[], folder="no")
    answer = get("evaluation/", pretrained, dataset)
    assert (answer.status_code, answer.json()["code"]) == (404, "no_evaluation")
    assert "not trained here" in answer.json()["message"]
    assert "not trained here" in get("", pretrained, dataset).content.decode()


@pytest.mark.parametrize("content", [None, '{"AP": 0.5, "images": []}', "{", "[]", '"x"', "5"])
def test_missing_earlier_and_broken_files_are_no_fault(get: Any, dataset: Any, content: str | None) -> None:
    detector = detector_of(dataset)
    if content is not None:
        keep(detector, {})
        (files.detector_folder(detector) / "evaluation.json").write_text(content)
    answer = get("evaluation/", detector)
    assert (answer.status_code, answer.json()["code"]) == (404, "no_evaluation")
    page = get("", detector)
    assert page.status_code == 200 and "Train it again" in page.content.decode()


def test_the_page_says_it_in_words(get: Any, detector: Detector) -> None:
    page = get("", detector).content.decode()
    assert "it finds 50" in page
    assert "<svg" in page and 'class="overlay' in page


def test_the_page_says_which_file_is_not_what_was_trained(get: Any, detector: Detector) -> None:
    page = get("", detector).content.decode()
    assert page.index("model.tflite") < page.index("As good as trained") < page.index("49.9")
    assert page.index("model_int8.tflite") < page.index("Not quite what was trained") < page.index("43.2")


@pytest.mark.parametrize("content", ["{}", "{"], ids=["of-an-earlier-version", "broken"])
def test_where_no_file_was_compared_nothing_is_said(get: Any, detector: Detector, content: str) -> None:
    (files.detector_folder(detector) / "detector.json").write_text(content)
    page = get("", detector)
    assert page.status_code == 200 and "Each file has looked at" not in page.content.decode()


def test_what_was_tested_on_simulated_photographs_is_marked(get: Any, detector: Detector, filled: Any) -> None:
    before = get("", detector).content.decode()
    assert "simulated photograph" not in before and "simulated</span>" not in before
    told = of_dataset(filled)
    told["per_label"][1]["simulated"] = True
    keep(detector, told | {"simulated": 5})
    html = get("", detector).content.decode()
    assert "on 5 simulated photographs of what it learnt from and on 6 artworks that it never saw" in re.sub(
        r"\s+", " ", html
    )
    assert html.count('<span class="chip chip-plain">simulated</span>') == 1
    keep(detector, told | {"simulated": 5, "artworks": []})
    assert "No artwork was kept aside" in get("", detector).content.decode()


def test_two_that_were_tested_on_photographs_of_their_own_were_not_tested_on_the_same(
    get: Any, detector: Detector, filled: Any
) -> None:
    other = detector_of(filled, "Other")
    keep(other, of_dataset(filled))
    assert "Both were tested on the same" in get("", detector, **{"with": other.pk}).content.decode()
    keep(other, of_dataset(filled) | {"simulated": 5})
    html = get("", detector, **{"with": other.pk}).content.decode()
    assert "Simulated photographs are made for each training anew" in html


def test_an_artwork_that_was_deleted_is_told_and_breaks_nothing(get: Any, detector: Detector) -> None:
    gone, purged = Artwork.objects.order_by("pk")[:2]
    Artwork.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    purged.delete()
    page = get("", detector).content.decode()
    assert page.count("has been deleted") == 2
    assert gone.get_absolute_url() not in page


def test_two_detectors_are_compared_and_different_test_artworks_are_said(get: Any, detector: Detector) -> None:
    other = detector_of(detector.dataset, "Other")
    assert f'value="{other.pk}"' not in get("", detector).content.decode()
    keep(other, of_dataset(detector.dataset, every=2))
    assert f'value="{other.pk}"' in get("", detector).content.decode()
    page = get("", detector, **{"with": other.pk}).content.decode()
    assert "Other" in page and "were not tested on the same" in page
    keep(other, of_dataset(detector.dataset))
    assert "were not tested on the same" not in get("", detector, **{"with": other.pk}).content.decode()


def test_one_that_says_nothing_to_compare_with_is_said(get: Any, detector: Detector) -> None:
    other = detector_of(detector.dataset, "Old one")
    keep(other, {"AP": 0.5})
    page = get("", detector, **{"with": other.pk}).content.decode()
    assert "“Old one” was trained by an earlier version" in page


def test_one_that_was_added_as_a_file_is_not_to_be_trained_again(get: Any, detector: Detector) -> None:
    Detector.objects.filter(pk=detector.pk).update(kind="added")
    assert "was not trained here" in get("", detector).content.decode()


@pytest.mark.parametrize("wanted", ["0", "x", "99999999999999999999", ""])
def test_a_comparison_with_nothing_shows_the_page_without_one(get: Any, detector: Detector, wanted: str) -> None:
    assert get("", detector, **{"with": wanted}).status_code == 200


def test_boxes_that_changed_between_two_trainings_count_as_a_difference(detector: Detector) -> None:
    before = evaluations.evaluation_of(detector)
    assert before is not None
    after = json.loads(json.dumps(before))
    after["artworks"][0]["boxes"][0]["bbox"][0] += 5
    after["artworks"].pop()
    assert evaluations.differing_tests(before, after) == {
        "both": 5,
        "only": 1,
        "only_other": 0,
        "changed": 1,
        "simulated": 0,
    }


def on_both(one: Any, other: Any) -> dict[str, Any]:
    return evaluations.on_both(one, other, evaluations.in_common(one, other))


def test_on_the_artworks_that_both_were_tested_on_it_is_said_which_one_finds_more(get: Any, detector: Detector) -> None:
    """Six artworks with two boxes each, of which every fourth is missed and every fourth taken for something else."""
    mine = evaluations.evaluation_of(detector)
    assert mine is not None
    theirs = json.loads(json.dumps(mine))
    theirs["artworks"].pop()
    for artwork in theirs["artworks"]:
        for row in artwork["boxes"]:
            row["outcome"] = "found"
        artwork["detections"] = [row for row in artwork["detections"] if row["outcome"] != "invented"]
    changed = next(artwork for artwork in theirs["artworks"] if artwork["boxes"])
    changed["boxes"][0]["bbox"][0] += 5
    told = on_both(mine, theirs)
    assert told["artworks"] == 4
    assert told["other"] == {"boxes": 8, "found": 100, "right": 100}
    assert told["one"]["boxes"] == 8 and told["one"]["found"] < 100 and told["one"]["right"] < 100
    other = detector_of(detector.dataset, "Other")
    keep(other, theirs)
    page = get("", detector, **{"with": other.pk}).content.decode()
    assert "On the 4 artworks that both were tested on" in page
    assert "“Other” finds 100 of 100 boxes" in page
    angel, halo = (row["label"] for row in mine["per_label"])
    theirs["per_label"] = [row for row in theirs["per_label"] if row["label"] == angel]
    for artwork in theirs["artworks"]:
        artwork["boxes"] = [row for row in artwork["boxes"] if row["label"] == angel]
    for artwork in mine["artworks"]:  # takes each halo for an angel, which is as wrong as to draw one where nothing is
        artwork["detections"] = [row | {"outcome": "right"} for row in artwork["detections"] if row["label"] == angel]
        artwork["detections"] += [{"label": angel, "bbox": [1, 1, 2, 2], "score": 0.9, "outcome": "swapped"}]
        for row in artwork["boxes"]:
            row["outcome"] = "found" if row["label"] == angel else "swapped"
    told = on_both(mine, theirs)
    assert told["one"]["found"] == 100 and told["one"]["right"] < 80 and halo != angel
    theirs["per_label"] = []
    assert on_both(mine, theirs)["one"]["boxes"] == 0


@pytest.fixture
def two(filled: Any) -> tuple[Detector, Detector]:
    """One that was tested on all six artworks, and a better one on three of them, where the first errs less, too."""
    one, other = detector_of(filled, "Usual"), detector_of(filled, "Better")
    keep_all(one, filled)
    keep_all(other, filled, every=2, better=True)
    return one, other


def test_two_detectors_have_an_ap_on_the_artworks_of_both(get: Any, two: tuple[Detector, Detector]) -> None:
    one, other = two
    answer = get("", one, **{"with": other.pk})
    page, told = answer.content.decode(), answer.context["common_rows"]
    assert page.index("On the artworks of both") < page.index("Each on its own test artworks")
    assert [row["name"] for row in told] == [None, "Angel", "Halo"]
    for half, whole in (row["scores"] for row in told):
        assert half == {"one": 100, "other": 100, "more": 0}
        assert whole["other"] == 100 and 0 < whole["one"] < 100
    own, _ = answer.context["rows"][0]["scores"]
    assert own["one"] < 50, "the other three artworks are the ones that it finds little on"


def test_two_that_were_tested_on_the_same_are_not_worked_out_again(
    get: Any, two: tuple[Detector, Detector], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_all(two[1], two[0].dataset, better=True)
    monkeypatch.setattr(comparisons, "scores_of", None)
    page = get("", two[0], **{"with": two[1].pk}).content.decode()
    assert "tested on the same artworks and boxes" in page and "On the artworks of both" not in page


def test_a_comparison_is_worked_out_once(
    get: Any, two: tuple[Detector, Detector], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = get("", two[0], **{"with": two[1].pk}).context["common_rows"]
    monkeypatch.setattr(comparisons, "_worked_out", None)
    assert get("", two[0], **{"with": two[1].pk}).context["common_rows"] == before


def test_where_one_is_of_an_earlier_version_only_the_counts_are_shown(get: Any, two: tuple[Detector, Detector]) -> None:
    (files.detector_folder(two[1]) / comparisons.DETECTIONS).unlink()
    page = get("", two[0], **{"with": two[1].pk}).content.decode()
    assert "“Better” finds 100 of 100 boxes" in page and "On the artworks of both" not in page


def test_where_the_detections_are_damaged_only_the_counts_are_shown(get: Any, two: tuple[Detector, Detector]) -> None:
    (files.detector_folder(two[1]) / comparisons.DETECTIONS).write_bytes(b"half a file")
    page = get("", two[0], **{"with": two[1].pk}).content.decode()
    assert "“Better” finds 100 of 100 boxes" in page and "On the artworks of both" not in page


def test_the_pipeline_keeps_the_detections_where_they_are_looked_for() -> None:
    assert compare.FILE_NAME == comparisons.DETECTIONS and compare.EVALUATION == evaluations.FILE_NAME


def test_all_twelve_metrics_are_on_the_page_and_in_the_api(get: Any, detector: Detector) -> None:
    answer, told = get("", detector), get("evaluation/", detector).json()["coco"]
    page = answer.content.decode()
    assert list(told) == list(NAMES) and told["AP_large"] is None and told["AP_medium"] > 0
    assert [row["name"] for row in answer.context["coco"]] == [name.replace("_", " ") for name in NAMES]
    assert page.index("<details") < page.index("All COCO metrics") < page.index("AR100 of large things")


def test_an_earlier_evaluation_has_three_metrics_and_no_more(get: Any, detector: Detector) -> None:
    told = evaluations.evaluation_of(detector)
    assert told is not None
    del told["coco"]
    keep(detector, told)
    assert "All COCO metrics" not in get("", detector).content.decode()
    assert get("evaluation/", detector).json()["coco"] == {}


def test_of_very_many_concepts_those_with_the_most_boxes_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluations, "MOST_CONCEPTS", 2)
    labels = [{"name": name, "boxes": boxes} for name, boxes in (("few", 1), ("many", 9), ("some", 4))]
    table = [[1, 0, 0, 0], [2, 5, 1, 1], [0, 0, 4, 0], [3, 1, 0, 0]]
    told = evaluations.confusion({"per_label": labels, "confusion": table})
    assert (told["names"], told["others"]) == (["many", "some"], 1)
    assert [[cell["n"] for cell in row["cells"]] for row in told["rows"]] == [[5, 1, 2, 1], [0, 4, 0, 0], [1, 0, 3]]
    assert [[cell["right"] for cell in row["cells"]].index(True) for row in told["rows"][:2]] == [0, 1]
    assert told["rows"][1]["cells"][1]["depth"] == 4 and not any(cell["right"] for cell in told["rows"][2]["cells"])


def test_numbers_in_pictures_are_not_written_as_people_of_a_language_do(
    detector: Detector, viewer: Any, client_of: Callable[..., Any]
) -> None:
    address = f"/datasets/{detector.dataset_id}/detectors/{detector.pk}/"
    page = client_of(viewer).get(address, headers={"accept-language": "it"}).content.decode()
    assert 'x="12.4"' in page and 'viewBox="0 0 200 150"' in page
    assert not re.search(r'(x|y|width|height)="[0-9]*,', page)


def test_a_new_detector_keeps_its_threshold_and_what_tensorboard_shows(filled: Any, tmp_path: Path) -> None:
    snapshot = Snapshot.objects.create(dataset=filled, manifest={}, sha256="0" * 64)
    run = TrainingRun.objects.create(dataset=filled, kind="training", name="T", snapshot=snapshot, **CHOICE)
    made = tmp_path / "detector"
    made.mkdir()
    (made / "detector.json").write_text(json.dumps({"input_size": 256, "labels": [], "threshold": 0.42}))
    (tmp_path / "summaries").mkdir()
    (tmp_path / "summaries" / "events.out.tfevents.1").write_bytes(b"curve")
    detector = services.register_trained(run, made)
    assert (files.detector_folder(detector) / "summaries" / "events.out.tfevents.1").read_bytes() == b"curve"
    assert detector.threshold == 0.42
    assert list(files.detector_files(detector)) == ["detector.json"]  # a folder is nothing to download
