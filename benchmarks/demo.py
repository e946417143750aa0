"""`python -m benchmarks.demo`: the quick training on the demo dataset, which is the first that a new user sees.

Targets: AP50 of at least 0.8 on the artworks kept aside, in less than six minutes on two cores.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEAST_AP50, MOST_SECONDS = 0.8, 360
SCORES = """
import json
from training.models import Detector
print(json.dumps(Detector.objects.get(kind="trained").metrics))
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(os.environ.get("WEBNET_WEIGHTS", ROOT / "var" / "weights")).resolve()
        environment = {**os.environ, "WEBNET_DATA": folder, "WEBNET_WEIGHTS": str(weights)}

        def manage(*arguments: str) -> str:
            command = [sys.executable, "manage.py", *arguments]
            return subprocess.run(
                command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
            ).stdout

        manage("prepare")
        started = time.monotonic()
        manage("train", "Abstract compositions (demo)", "--budget", "quick")
        seconds = time.monotonic() - started
        scores = json.loads(manage("shell", "--no-imports", "-c", SCORES))
    print(
        f"AP50 {scores['AP50']:.3f} (goal {LEAST_AP50}), AP {scores['AP']:.3f}, {seconds:.0f} s (goal {MOST_SECONDS})"
    )
    if scores["AP50"] < LEAST_AP50 or seconds > MOST_SECONDS:
        raise SystemExit("The demo misses its goal.")


if __name__ == "__main__":
    main()
