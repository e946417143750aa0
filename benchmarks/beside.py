"""`python -m benchmarks.beside`: how long do people wait for pages and boxes while a training has the cores?

An installation of its own, first idle, then with a training that gives way as the product's do, then with the same
training at the priority of everything else (which takes root: elsewhere this part is left out). Prints the time of the
list of artworks and the pictures a second of an inference over the dataset, and both beside the idle machine's.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.installation import Server

ARTWORKS, PAGES = 300, 40


@dataclass(frozen=True)
class Waits:
    """Milliseconds for a page (median and the slowest of twenty), pictures a second of an inference."""

    page: float
    slow_page: float
    pictures: float


def main() -> None:
    from tests.faults.trainings import Watched, trainers

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=Path("var/weights"))
    options = parser.parse_args()
    with installation(options.weights.resolve()) as server:
        made = server.seed(ARTWORKS)
        measured = {"idle": waits(server, made)}
        training = Watched(server, made["dataset"])
        training.wait_for_step(5)
        measured["beside a training"] = waits(server, made)
        with contextlib.suppress(PermissionError):
            for trainer in trainers(training.workdir):
                raise_priority(trainer)
            measured["beside one that does not give way"] = waits(server, made)
        if training.state()["state"] != "running":
            raise SystemExit("The training ended before everything was measured.")
    idle = measured["idle"]
    for name, found in measured.items():
        page, pictures = found.page / idle.page, found.pictures / idle.pictures
        print(f"{name}: page {found.page:.0f} ms ({page:.1f} × idle), a slow one {found.slow_page:.0f} ms,", end=" ")
        print(f"inference {found.pictures:.1f} pictures/s ({pictures:.2f} × idle)")


@contextlib.contextmanager
def installation(weights: Path) -> Iterator[Server]:
    """A running one with SQLite and no Redis, as on a laptop."""
    from tests.installation import Server, free_port

    with tempfile.TemporaryDirectory() as folder:
        env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        env |= {"WEBNET_DATA": folder, "WEBNET_WEIGHTS": str(weights)}
        server = Server(f"http://127.0.0.1:{free_port()}", Path(folder), env, {})
        server.manage("migrate", "--verbosity", "0")
        packaged = f"Path({str(weights)!r}) / 'openimages_ssd'"
        server.shell(f"from pathlib import Path; from training.services import register_pretrained as r; r({packaged})")
        server.start_serve()
        try:
            yield server
        finally:
            server.stop()


def waits(server: Server, made: dict[str, Any]) -> Waits:
    """What is measured, now; `made`: as `Server.seed` tells it."""
    times = []
    for _ in range(PAGES):
        began = time.perf_counter()
        server.api(f"datasets/{made['dataset']}/artworks/")
        times.append(1000 * (time.perf_counter() - began))
    return Waits(statistics.median(times), statistics.quantiles(times, n=20)[-1], pictures_per_second(server, made))


def pictures_per_second(server: Server, made: dict[str, Any]) -> float:
    """Of an inference with the packaged detector on the whole dataset."""
    from tests.installation import wait_for

    dataset = made["dataset"]
    detectors = server.api(f"datasets/{dataset}/detectors/")["results"]
    detector = next(row for row in detectors if row["kind"] == "pretrained")
    mapping = {str(detector["labels"][0]["id"]): made["labels"][0]}
    wish = {"detector": detector["id"], "threshold": 0.5, "mapping": mapping}
    run = server.api(f"datasets/{dataset}/inference-runs/", wish)
    address = f"datasets/{dataset}/runs/{run['id']}/"
    wait_for(lambda: server.api(address)["state"] == "done", 600, "the inference")
    told = [row for row in server.api(f"{address}events/")["results"] if row["kind"] == "progress"]
    return float(told[-1]["payload"]["images_per_second"])


def raise_priority(process: int) -> None:
    """All threads of a process, and its session, to the usual priority. Raises PermissionError for all but root."""
    for task in Path(f"/proc/{process}/task").iterdir():
        os.setpriority(os.PRIO_PROCESS, int(task.name), 0)
    with contextlib.suppress(FileNotFoundError):
        Path(f"/proc/{process}/autogroup").write_text("0")


if __name__ == "__main__":
    main()
