"""`python -m benchmarks.ingest`: time and memory of taking in a 200-megapixel JPEG, beside Pillow doing the same.

Both make the display image and the thumbnail, each in a process of its own, whose peak of resident memory is read
when it has ended. The target is 300 MB.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WIDTH, HEIGHT = 16_000, 12_600
ROOT = Path(__file__).resolve().parent.parent
PILLOW = """
import sys
from PIL import Image, ImageOps
Image.MAX_IMAGE_PIXELS = None
image = Image.open(sys.argv[1])
image.thumbnail((2560, 2560))  # decodes at a smaller scale where the format can
image = ImageOps.exif_transpose(image).convert("RGB")
image.save(sys.argv[2] + "/display.jpg", quality=88)
image.thumbnail((480, 480))
image.save(sys.argv[2] + "/thumbnail.webp")
"""


def scan(path: Path) -> None:
    """Write a JPEG of 201.6 megapixels that has to be turned (EXIF orientation 6), with detail like a painting's."""
    import pyvips

    bands = [pyvips.Image.perlin(WIDTH, HEIGHT, cell_size=size, uchar=True, seed=size) for size in (40, 300, 900)]
    image = bands[0].bandjoin(bands[1:]).copy(interpretation="srgb")
    image.set_type(pyvips.GValue.gint_type, "orientation", 6)
    image.jpegsave(str(path), Q=90)


def measure(name: str, command: list[str]) -> float:
    """Run a command, print its time, processor time and peak memory, and return the memory in MB."""
    start = time.monotonic()
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _pid, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{name} ended with {child.returncode}.")
    memory = usage.ru_maxrss / 1024
    work = usage.ru_utime + usage.ru_stime
    print(f"{name:10} {time.monotonic() - start:6.1f} s, of the processor {work:6.1f} s, {memory:6.0f} MB")
    return memory


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "scan.jpg"
        # In a child as well: what this process has used would count as theirs.
        subprocess.run([sys.executable, "-m", "benchmarks.ingest", str(path)], cwd=ROOT, check=True)
        print(f"JPEG of {WIDTH * HEIGHT / 1e6:.1f} megapixels, {path.stat().st_size / 1e6:.0f} MB")
        memory = measure("ingest", [sys.executable, "-m", "datasets.rendering", str(path), name, "400"])
        measure("Pillow", [sys.executable, "-c", PILLOW, str(path), name])
    if memory > 300:
        raise SystemExit("The ingest needs more than 300 MB.")


if __name__ == "__main__":
    scan(Path(sys.argv[1])) if len(sys.argv) > 1 else main()
