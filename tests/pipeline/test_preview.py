"""Examples of an augmentation: boxes inside the picture and on their things, nothing black, and the same for a seed."""

import base64
import io
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.pipeline.processes import ROOT
from training.pipeline.augment import is_blank
from training.pipeline.config import AUGMENTATIONS, RunConfig
from training.pipeline.preview import Seen, as_seen, preview

WIDTH, HEIGHT = 360, 270
relaxed = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def _picture(folder: Path, box: tuple[int, int, int, int] | None) -> Path:
    """A blue mottled ground with a red rectangle, or without, as a PNG, which changes no colour."""
    pixels = np.random.default_rng(1).integers(60, 120, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    pixels[:, :, 2] += 100
    if box:
        left, top, width, height = box
        pixels[top : top + height, left : left + width] = (230, 40, 30)
    file = folder / ("picture.png" if box else "ground.png")
    Image.fromarray(pixels).save(file)
    return file


def _request(file: Path, box: tuple[float, ...], preset: str, seed: int, *, scale: int = 1) -> dict[str, Any]:
    """Boxes are given in pixels of an artwork that has `scale` times the pixels of its file."""
    sides = {name: value * scale for name, value in zip(("x", "y", "width", "height"), box, strict=True)}
    picture = {"id": 5, "file": str(file), "width": WIDTH * scale, "height": HEIGHT * scale}
    zoom = {"scale_min": RunConfig.scale_min, "scale_max": RunConfig.scale_max}
    seen = {"size": 200, "flip": AUGMENTATIONS[preset].flip, **zoom}
    return {"preset": preset, "seed": seed, **seen, "pictures": [{**picture, "boxes": [{"label": 7, **sides}]}]}


def _pixels(answer: dict[str, Any]) -> np.ndarray:
    head, data = answer["image"].split(",")
    assert head == "data:image/jpeg;base64"
    opened = Image.open(io.BytesIO(base64.b64decode(data)))
    assert opened.size == (answer["width"], answer["height"])
    return np.asarray(opened).astype(int)


@pytest.mark.parametrize("preset", AUGMENTATIONS)
@given(data=st.data(), seed=st.integers(0, 2**31 - 1), scale=st.sampled_from([1, 3]))
@relaxed
def test_a_box_stays_inside_and_on_what_it_is_around(
    preset: str, tmp_path: Path, data: st.DataObject, seed: int, scale: int
) -> None:
    left, top = data.draw(st.integers(0, WIDTH - 60)), data.draw(st.integers(0, HEIGHT - 60))
    sides = [data.draw(st.integers(40, min(180, room))) for room in (WIDTH - left, HEIGHT - top)]
    box = (left, top, sides[0], sides[1])
    files = (_picture(tmp_path, box), _picture(tmp_path, None))
    answers = [answer for file in files for answer in preview(_request(file, box, preset, seed, scale=scale))]
    assume(len(answers) == 2)  # nothing would be left of the box in any attempt
    answer = answers[0]
    pixels, ground = (_pixels(each) for each in answers)
    assert not is_blank(pixels.astype(np.uint8)) and 30 < pixels.mean() < 225
    for found in answer["boxes"]:
        assert found["label"] == 7
        assert found["x"] >= 0 and found["y"] >= 0 and found["width"] > 0 and found["height"] > 0
        assert found["x"] + found["width"] <= answer["width"] + 0.1
        assert found["y"] + found["height"] <= answer["height"] + 0.1
    # The same seed changes both pictures in the same way: they differ where the red is to be seen.
    red = np.abs(pixels - ground).max(axis=2) > 60
    if red.sum() < 60:  # all but cut off: nothing to tell apart
        return
    rows, columns = np.nonzero(red)
    seen = [np.percentile(columns, 2), np.percentile(rows, 2), np.percentile(columns, 98), np.percentile(rows, 98)]
    (found,) = answer["boxes"]
    sides = [found["x"], found["y"], found["x"] + found["width"], found["y"] + found["height"]]
    # It covers the red, and is not much larger: a turned rectangle has a box around its corners. Of one that the border
    # cuts, a wedge may be left to see, which says nothing of the box's other sides. Something may be before it, too.
    size = (answer["width"], answer["height"])
    cut = min(sides) < 1 or any(side > limit - 1 for side, limit in zip(sides[2:], size, strict=True))
    hidden = 0.25 * max(size) if preset == "instances" else 0
    slack = max(size) if cut else 15 + 0.25 * max(found["width"], found["height"]) + hidden
    for side, edge, outwards in zip(sides, seen, (-1, -1, 1, 1), strict=True):
        assert -6 < (side - edge) * outwards <= slack, (sides, seen)


@pytest.mark.parametrize("preset", AUGMENTATIONS)
def test_the_same_seed_gives_the_same_examples_and_another_one_others(preset: str, tmp_path: Path) -> None:
    box = (90, 60, 120, 120)
    file = _picture(tmp_path, box)
    one, same, other = (list(preview(_request(file, box, preset, seed))) for seed in (4, 4, 5))
    assert one == same != other


def test_only_presets_that_mirror_are_mirrored() -> None:
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[:, :50] = 255
    box = ((0.0, 0.0, 50.0, 100.0), 1)
    for flip, wanted in ((False, {0.0}), (True, {0.0, 50.0})):
        seen = Seen(100, flip, 1.0, 1.0)
        lefts = {as_seen(pixels, [box], seen, random.Random(seed))[1][0][0][0] for seed in range(20)}
        assert lefts == wanted


def test_a_zoomed_out_picture_lies_in_the_upper_left_and_a_zoomed_in_one_is_cut() -> None:
    pixels = np.full((50, 100, 3), 255, np.uint8)
    box = ((80.0, 10.0, 20.0, 20.0), 1)
    small, kept = as_seen(pixels, [box], Seen(100, False, 0.5, 0.5), random.Random(1))
    assert kept == [((40.0, 5.0, 10.0, 10.0), 1)]
    assert small[:20, :45].min() > 250 and small[30:].max() < 130
    for seed in range(20):
        large, kept = as_seen(pixels, [box], Seen(100, False, 2.0, 2.0), random.Random(seed))
        assert large.shape == (100, 100, 3)
        for (x, _y, width, _height), _label in kept:
            assert 0 <= x < 100 and 1 <= width <= 40 and x + width <= 100


def test_a_picture_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    box = (90, 60, 120, 120)
    request = _request(_picture(tmp_path, box), box, "gentle", 1)
    request["pictures"].append({**request["pictures"][0], "id": 6, "file": str(tmp_path / "gone.png")})
    assert [answer["id"] for answer in preview(request)] == [5]


def test_its_process_answers_in_json_and_loads_no_tensorflow(tmp_path: Path) -> None:
    box = (90, 60, 120, 120)
    request = json.dumps(_request(_picture(tmp_path, box), box, "instances", 1))
    command = [sys.executable, "-X", "importtime", "-m", "training.pipeline.preview"]
    child = subprocess.run(command, input=request, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    assert len(json.loads(child.stdout)["pictures"]) == 1
    loaded = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in child.stderr.splitlines()}
    assert "albumentations" in loaded and not {"tensorflow", "django"} & loaded
