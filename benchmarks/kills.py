"""`python -m benchmarks.kills`: 30 kills at random moments of real trainings; what is lost?

Two-minute trainings in an installation of their own, one after the other, whose trainer, worker or whole training
cluster is killed (SIGKILL) 5 to 45 s after it was last seen to train. Every run must end by itself with a detector, no
two processes may ever train a run, its events must be complete, and a kill may cost one checkpoint interval at most.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.pipeline.config import RunConfig

if TYPE_CHECKING:
    from tests.faults.test_kills import Watched
    from tests.installation import Server

KILLS = 30
VICTIMS = ("trainer", "worker", "cluster")
# Seconds: an interval, and what a busy machine takes to write a checkpoint.
MOST_LOST = RunConfig.checkpoint_seconds + 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--weights", type=Path, default=Path("var/weights"))
    options = parser.parse_args()
    dice, killed, lost, runs = random.Random(options.seed), Counter[str](), list[float](), 0
    for training in trainings(options.weights.resolve()):
        runs += 1
        killed += torment(training, dice, options.kills - killed.total())
        lost += check(training)
        print(f"{killed.total()} of {options.kills} kills, {runs} runs", file=sys.stderr)
        if killed.total() >= options.kills:
            break
    struck = ", ".join(f"{count} × {name}" for name, count in sorted(killed.items()))
    print(
        f"{runs} trainings, killed {struck}: all ended with a detector, never two at a time, no event missing or twice"
    )
    lost += [0.0] * (killed.total() - len(lost))
    print(f"training lost per kill: median {statistics.median(lost):.1f} s, most {max(lost):.1f} s", end=" ")
    print(f"(a checkpoint every {RunConfig.checkpoint_seconds:.0f} s)")


def trainings(weights: Path) -> Iterator[Watched]:
    """One training after the other, in one installation."""
    from tests.faults.test_kills import Watched
    from tests.installation import Server, free_port

    with tempfile.TemporaryDirectory() as folder:
        env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        env |= {"WEBNET_DATA": folder, "WEBNET_WEIGHTS": str(weights)}
        env |= {"WEBNET_RUN_LEASE_SECONDS": "5", "WEBNET_HEARTBEAT_SECONDS": "2"}
        server: Server = Server(f"http://127.0.0.1:{free_port()}", Path(folder), env, {})
        server.manage("migrate", "--verbosity", "0")
        server.start_serve()
        dataset = server.seed(12)["dataset"]
        try:
            while True:
                yield Watched(server, dataset)
        finally:
            server.stop()


def torment(training: Watched, dice: random.Random, most: int) -> Counter[str]:
    """Kill what works on a training at random moments until it is over; what was killed how often."""
    from tests.faults.test_kills import watch

    killed: Counter[str] = Counter()
    with watch(training.workdir) as counts:
        while training.state()["state"] in ("queued", "running"):
            until = time.monotonic() + dice.uniform(5, 45)
            reached = _step(training)
            while time.monotonic() < until or (_step(training) <= reached and _is_on(training)):
                time.sleep(0.5)
            if killed.total() < most and _is_on(training):
                killed += kill(training, dice.choice(VICTIMS))
    if max(counts) > 1:
        raise SystemExit(f"{max(counts)} processes trained at the same time.")
    return killed


def kill(training: Watched, victim: str) -> Counter[str]:
    """Kill the trainer, the worker that watches it, or the process of its cluster."""
    from tests.faults.test_kills import parent, trainers

    found = trainers(training.workdir)
    if not found:
        return Counter()
    process = found[0]
    for _ in range(VICTIMS.index(victim)):
        process = parent(process)
    os.kill(process, signal.SIGKILL)
    return Counter([victim])


def check(training: Watched) -> list[float]:
    """Seconds of training that each restart had to do again. Raises SystemExit for a run that is not whole."""
    state = training.state()
    events = training.events()
    if state["state"] != "done" or not state["training"]["detector"]:
        raise SystemExit(f"A training ended as “{state['state']}”: {state['message']}")
    if [event["seq"] for event in events] != list(range(1, len(events) + 1)):
        raise SystemExit("Events are missing, or there twice.")
    points = [event["payload"] for event in events if event["kind"] == "metrics"]
    lost = [_seconds(after, before) for before, after in pairwise(points) if after["step"] <= before["step"]]
    if max(lost, default=0) > MOST_LOST:
        raise SystemExit(f"A kill cost {max(lost):.0f} s of training.")
    return lost


def _seconds(after: dict[str, Any], before: dict[str, Any]) -> float:
    return float((before["step"] - after["step"] + 1) * 8 / before["images_per_second"])


def _step(training: Watched) -> int:
    points = training.events("metrics")
    return int(points[-1]["payload"]["step"]) if points else 0


def _is_on(training: Watched) -> bool:
    return training.state()["state"] in ("queued", "running")


if __name__ == "__main__":
    main()
