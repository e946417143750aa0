"""`python -m benchmarks.inference DETECTOR PICTURES`: pictures a second of a detector trained here, TFLite and
SavedModel.

DETECTOR is the `detector` folder of a finished training, PICTURES a folder with images. Both ways read the files and
give boxes for each: WebNet's own (`training.pipeline.infer`, started as a process, with and without its start) and
the exported SavedModel called picture by picture. Target: at least ten times the SavedModel's pictures a second.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

# Enough to be steady; the SavedModel is asked about fewer, it is slow.
PICTURES, SAVED_MODEL_PICTURES = 300, 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("detector", type=Path)
    parser.add_argument("pictures", type=Path)
    options = parser.parse_args()
    files = sorted(path for path in options.pictures.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not files:
        parser.error(f"There is no picture in {options.pictures}.")
    running, whole = tflite(options.detector, files)
    saved = saved_model(options.detector / "saved_model", map(shrunk, itertools.cycle(files)))
    print(f"TFLite, one interpreter per core:  {running:6.1f} pictures/s ({whole:.1f} with the start of the process)")
    print(f"SavedModel, picture by picture:    {saved:6.1f} pictures/s (without loading)")
    print(f"ratio {running / saved:.1f}, target 10: {'reached' if running >= 10 * saved else 'MISSED'}")


def tflite(detector: Path, files: list[Path]) -> tuple[float, float]:
    """Pictures a second of an inference process, from its first answer on and from its start on."""
    images = []
    for number in range(PICTURES):
        file = files[number % len(files)]
        with Image.open(file) as opened:
            images.append({"id": number, "file": str(file.resolve()), "width": opened.width, "height": opened.height})
    with tempfile.TemporaryDirectory() as folder:
        request = {"detector": str(detector.resolve()), "threshold": 0.3, "images": images}
        (Path(folder) / "request.json").write_text(json.dumps(request))
        command = [sys.executable, "-m", "training.pipeline.infer", folder, "--supervised"]
        started, first = time.perf_counter(), 0.0
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for _ in process.stdout:
                first = first or time.perf_counter()
    ended = time.perf_counter()
    return (PICTURES - 1) / (ended - first), PICTURES / (ended - started)


def shrunk(file: Path) -> Any:
    """A picture as the SavedModel takes it."""
    import numpy as np

    from training.pipeline.pixels import read_rgb

    return np.asarray(read_rgb(file, 512))[None]


def saved_model(folder: Path, pictures: Iterator[Any]) -> float:
    """Pictures a second of the SavedModel after the first call; `pictures`, as `shrunk` gives them, do not end."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    detect = tf.saved_model.load(str(folder)).signatures["serving_default"]
    started = 0.0
    for pixels in itertools.islice(pictures, SAVED_MODEL_PICTURES + 1):
        detect(tf.constant(pixels))["detection_scores"].numpy()
        started = started or time.perf_counter()
    return SAVED_MODEL_PICTURES / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
