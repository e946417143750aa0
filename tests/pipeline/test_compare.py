"""All detections of a test part, kept with the detector, and two detectors scored on what both were tested on."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.evaluations import results
from training.pipeline import compare
from training.pipeline.report import report
from training.pipeline.scores import score

LABELS = [(7, "Angel"), (9, "Halo")]
ARTWORKS = [
    (100 + n, 400, 300, [(7, 10.25, 10, 80, 60), (9, 200, 40 + n, 90, 70), (7, 120, 200, 60, 50)]) for n in range(6)
]


def detector(folder: Path, artworks: Any = ARTWORKS, labels: Any = LABELS) -> dict[str, Any]:
    """Leave in `folder` what a training does of its test part; return its scores."""
    truth, found = results(artworks, labels)
    scores = score(truth, found)
    compare.keep(truth, found, folder)
    (folder / compare.EVALUATION).write_text(json.dumps(report(truth, found, scores)))
    return scores


def rows(labels: Any = LABELS) -> list[dict[str, Any]]:
    return [{"label": label, "name": name} for label, name in labels]


def test_on_all_that_a_detector_was_tested_on_it_has_the_scores_of_its_training(tmp_path: Path) -> None:
    trained = detector(tmp_path)
    (again,) = compare.compare([tmp_path], [artwork for artwork, *_ in ARTWORKS], rows())
    assert (again["AP"], again["AP50"]) == pytest.approx((trained["AP"], trained["AP50"]), abs=0.002)
    assert [row["AP50"] for row in again["per_label"]] == pytest.approx([row["AP50"] for row in trained["per_label"]])


def test_only_the_common_artworks_and_labels_count(tmp_path: Path) -> None:
    """On artwork 100 an angel and the halo are found, and the other angel is taken for a surer halo."""
    detector(tmp_path)
    both = compare.compare([tmp_path, tmp_path], [100], rows())
    assert both[0] == both[1]
    assert [row["AP50"] for row in both[0]["per_label"]] == pytest.approx([0.505, 0.5], abs=0.01)
    (one,) = compare.compare([tmp_path], [100], rows(LABELS[1:]))
    assert [row["name"] for row in one["per_label"]] == ["Halo"] and one["AP50"] == one["per_label"][0]["AP50"]


def test_simulated_photographs_of_an_artwork_are_not_kept_as_seen_on_it(tmp_path: Path) -> None:
    truth, found = results(ARTWORKS, LABELS)
    last = truth["images"][-1]
    truth["images"][-1] = {**last, "artwork": truth["images"][0]["artwork"], "simulated": True}
    compare.keep(truth, found, tmp_path)
    rest = {**truth, "images": truth["images"][:-1]}
    compare.keep(rest, [row for row in found if row["image_id"] != last["id"]], tmp_path / "rest")
    kept = [gzip.decompress((folder / compare.FILE_NAME).read_bytes()) for folder in (tmp_path, tmp_path / "rest")]
    assert kept[0] == kept[1] and len(json.loads(kept[0])) == 5


def test_it_answers_on_stdin_and_stdout(tmp_path: Path) -> None:
    detector(tmp_path)
    request = {"folders": [str(tmp_path), str(tmp_path)], "artworks": [100, 101], "labels": rows()}
    command = [sys.executable, "-m", "training.pipeline.compare"]
    done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, timeout=200, check=True)
    one, other = json.loads(done.stdout)["scores"]
    assert one == other and 0 < one["AP50"] < 1
