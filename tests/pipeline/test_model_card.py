"""The page that travels with a detector says what a stranger has to know, and says it right."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.shapes import NAMES, artwork, make_workdir, manifest_of
from training.pipeline import config, manifest
from training.pipeline.checks import Check
from training.pipeline.coco_metrics import WORDS
from training.pipeline.model_card import model_card, with_onnx
from training.pipeline.sample import drawn

CHECKS = {"model.tflite": Check(0.8, 0.801, 20), "model_int8.tflite": Check(0.7, 0.801, 20)}
SCORES = {
    "AP": 0.801, "AP50": 0.9, "AP75": 0.85,
    "per_label": [{"label": number, "name": name, "AP": None, "AP50": None} for number, name in enumerate(NAMES, 1)],
}  # fmt: skip


@pytest.fixture
def rows(tmp_path: Path) -> list[dict[str, Any]]:
    return [artwork(tmp_path, number, "test" if number == 4 else "train") for number in range(1, 5)]


def _card(workdir: Path, rows: list[dict[str, Any]]) -> str:
    make_workdir(workdir, rows)
    return model_card(config.load(workdir), manifest.load(workdir), SCORES, CHECKS)


def test_it_counts_the_rights_of_the_artworks(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    rows[0]["rights"] = rows[1]["rights"] = "CC0 | Museum"
    card = _card(tmp_path, rows)
    assert "| CC0 \\| Museum | 2 |" in card and "| not recorded | 2 |" in card


def test_it_says_that_no_rights_are_recorded(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    assert "Not recorded for any of the artworks." in _card(tmp_path, rows)


def test_it_names_what_the_training_began_with(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    make_workdir(tmp_path, rows)
    plan, snapshot = config.load(tmp_path), manifest.load(tmp_path)
    (tmp_path / "fetched").mkdir()
    described = {"name": "RetinaNet", "source": "https://example.org/r50.tar.gz, Apache-2.0"}
    (tmp_path / "fetched" / "detector.json").write_text(json.dumps(described))
    begun = dataclasses.replace(plan, weights="", start=str(tmp_path / "fetched"))
    card = model_card(begun, snapshot, SCORES, CHECKS)
    assert "Start weights: RetinaNet (https://example.org/r50.tar.gz, Apache-2.0)." in card
    assert "photographs of COCO" in card and "earlier detector" not in card
    earlier = model_card(dataclasses.replace(begun, start=str(tmp_path / "gone")), snapshot, SCORES, CHECKS)
    assert "Start weights: an earlier detector." in earlier and "COCO (cocodataset" not in earlier


def test_it_names_the_pictures_that_the_packaged_head_learnt_from(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    make_workdir(tmp_path, rows)
    snapshot = manifest.load(tmp_path)
    usual = config.plan(architecture="retinanet_mobilenet_v2", budget="quick", augmentation="none", seed=1)
    card = model_card(usual, snapshot, SCORES, CHECKS)
    assert "Start weights: openimages_ssd, with a pyramid and head that learnt on ByzArt2K (icons)." in card
    assert "the training part of ByzArt2K" in card.partition("## ")[2]
    without = model_card(dataclasses.replace(usual, pretrained_head=""), snapshot, SCORES, CHECKS)
    assert "Start weights: openimages_ssd." in without and "ByzArt2K" not in without


def test_it_marks_a_file_that_is_not_as_good(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    lines = _card(tmp_path, rows).splitlines()
    (good,) = [line for line in lines if line.startswith("| `model.tflite`")]
    (bad,) = [line for line in lines if line.startswith("| `model_int8.tflite`")]
    assert "as good" in good and "-0.001" in good
    assert "test it before you use it" in bad and "-0.101" in bad


def test_it_lists_all_twelve_metrics_where_the_evaluation_has_them(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    make_workdir(tmp_path, rows)
    scores = {**SCORES, "coco": {**dict.fromkeys(WORDS, 0.25), "AR_small": None}}
    card = model_card(config.load(tmp_path), manifest.load(tmp_path), scores, CHECKS)
    assert "| AR100 | 0.250 | The same with a hundred tries |\n| AR_small | – |" in card
    assert "\n\n### All COCO metrics\n\n| metric |" in card and "|\n\n### The files, compared" in card
    assert "All COCO metrics" not in _card(tmp_path, rows)


def test_it_counts_the_boxes_of_each_concept_and_says_what_was_not_tested(
    tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    for row, boxes in zip(rows, ([1, 1, 2], [2, 3], [], [1]), strict=True):
        row["boxes"] = [{"label": label, "x": 1, "y": 1, "width": 9, "height": 9} for label in boxes]
    card = _card(tmp_path, rows)
    assert "| circle | 2 | 1 |" in card and "| square | 2 | 0 |" in card
    assert "square: not tested" in card and "circle: not tested" not in card
    assert "It learnt from 3 artworks, which is few." in card


def test_it_says_what_was_tested_on_simulated_photographs(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    make_workdir(tmp_path, rows)
    concepts = [
        {**row, "boxes": 5, "simulated": True} if row["name"] == "square" else row for row in SCORES["per_label"]
    ]
    scores = SCORES | {"simulated": 5, "per_label": concepts}
    card = model_card(config.load(tmp_path), manifest.load(tmp_path), scores, CHECKS)
    assert "On the 1 test artworks and 5 simulated photographs: AP 0.801" in card
    assert "Of square there are" in card and ", simulated |" in card and "square: not tested" not in card
    assert "simulated" not in _card(tmp_path, rows)


def test_it_says_when_there_was_no_time_for_all_artworks(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    make_workdir(tmp_path, rows)
    some = drawn(manifest.parse(manifest_of(rows), tmp_path), 2, 1)
    card = model_card(config.load(tmp_path), some, SCORES, CHECKS)
    assert "2 artworks to learn from" in card and "For 1 more there was no time" in card
    assert "learnt from 2 artworks" in card
    assert "no time" not in _card(tmp_path, rows)


def test_it_says_when_artworks_that_show_nothing_were_too_many(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    make_workdir(tmp_path, rows)
    some = dataclasses.replace(manifest.parse(manifest_of(rows), tmp_path), empty_left_out=7)
    card = model_card(config.load(tmp_path), some, SCORES, CHECKS)
    assert "7 more that show none of the concepts were left out" in card
    assert "left out" not in _card(tmp_path, rows)


def test_it_tells_of_the_onnx_file_once_that_is_there(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    card = _card(tmp_path, rows)
    assert "`model.onnx` is made when somebody first asks" in card and "onnxruntime" not in card
    told = with_onnx(card, Check(0.8, 0.8, 20), 256)
    lines = told.splitlines()
    place = lines.index("| `model.onnx` | 0.800 | 0.800 | +0.000 | as good |")
    assert lines[place - 1].startswith("| `model_int8.tflite")
    assert "first asks" not in told and "about 512 pixels" in told and told.count("```python") == 2
    assert told.startswith(card.split("### The files, compared")[0])
    code = told.split("```python\n")[2].split("```")[0]
    assert len(code.splitlines()) <= 10 and "(512, 512)" in code
    again = with_onnx(told, Check(0.7, 0.8, 20), 256)
    assert again == told.replace("| 0.800 | 0.800 | +0.000 | as good |", "| 0.700 | 0.800 | -0.100 | ROW |").replace(
        "ROW", "**differs by more than allowed: test it before you use it**"
    )


def test_a_card_of_an_earlier_version_no_longer_names_a_command(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    card = _card(tmp_path, rows)
    (line,) = [line for line in card.splitlines() if "first asks" in line]
    earlier = "- An ONNX file can be made with tf2onnx 1.17: `python -m tf2onnx.convert\n  model.onnx`. It finds …"
    check = Check(None, None, 0)
    told = with_onnx(card.replace(line, earlier), check, 256)
    assert told == with_onnx(card, check, 256) and "tf2onnx.convert" not in told
    assert "not compared: the test pictures are not there any more" in told


def test_the_card_of_one_that_looks_twice_offers_no_onnx(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    make_workdir(tmp_path, rows)
    twice = dataclasses.replace(config.load(tmp_path), architecture="faster_rcnn_resnet50_fpn")
    assert "onnx" not in model_card(twice, manifest.load(tmp_path), SCORES, CHECKS).lower()


def test_its_programs_are_for_the_size_that_the_network_sees(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    make_workdir(tmp_path, rows)
    large = dataclasses.replace(config.load(tmp_path), input_size=384)
    card = model_card(large, manifest.parse(manifest_of(rows), tmp_path), SCORES, CHECKS)
    assert card.count("```python") == card.count("```kotlin") == card.count("```swift") == 1
    assert "SIZE" not in card and "256" not in card
    assert "np.zeros((1, 384, 384, 3)" in card


def test_names_of_people_cannot_break_the_page(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    make_workdir(tmp_path, rows)
    named = dataclasses.replace(
        manifest.load(tmp_path), dataset=manifest.DatasetEntry(1, "a|b\n# <script>alert(1)</script>{x}")
    )
    card = model_card(config.load(tmp_path), named, SCORES, CHECKS)
    assert "<script>" not in card and "\n# <" not in card and "{x}" in card


def test_a_file_passes_within_a_hundredth() -> None:
    assert Check(0.51, 0.5, 9).passed and Check(0.49, 0.5, 9).passed
    assert not Check(0.5101, 0.5, 9).passed and not Check(0.4, 0.5, 9).passed


def test_a_file_is_not_compared_where_there_was_no_box_to_find() -> None:
    told = Check(None, None, 9).as_dict()
    assert (told["passed"], told["difference"], told["AP"]) == (None, None, None)


def test_where_there_was_no_box_to_find_it_has_dashes(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    make_workdir(tmp_path, rows)
    scores = SCORES | dict.fromkeys(("AP", "AP50", "AP75"))
    checks = {"model.tflite": Check(None, None, 9)}
    card = model_card(config.load(tmp_path), manifest.load(tmp_path), scores, checks)
    assert "AP –, AP50 –, AP75 – (COCO; 1 is perfect; –: there was no box to find)." in card
    assert "| `model.tflite` | – | – | – | not compared: there was no box to find |" in card
    assert "no box to find" not in _card(tmp_path, rows)
