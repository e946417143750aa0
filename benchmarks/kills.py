"""`python -m benchmarks.kills`: 30 kills at random moments of real trainings, watched by a browser; what is lost?

Two-minute trainings in an installation of their own, one after the other. 5 to 45 s after each began, or was last seen
to train, something is killed with SIGKILL: its trainer, its worker, the sentinel of its cluster, the cluster's main
process, the web server, or everything at once as in a power cut, after which `serve` is started again as after a boot.
A Chromium has the run's page open through all of it and is never touched. Every run must end by itself with a detector,
no two processes may ever train it, the page must take in every event once, and a kill may cost one interval between
checkpoints at most. What a power cut takes out of the memory of the machine and its disk is not tried here.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.pipeline.config import RunConfig
from webnet import processes

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.faults.spectator import Spectator
    from tests.faults.trainings import Watched
    from tests.installation import Server

KILLS = 30
# The first four in this order: each is the parent of the one before it.
VICTIMS = ("trainer", "worker", "sentinel", "cluster", "web server", "everything")
# Seconds: an interval, and what a busy machine takes to write a checkpoint.
MOST_LOST = RunConfig.checkpoint_seconds + 10


@dataclass
class Kill:
    """What was killed, when (seconds since 1970), and how many seconds of training had to be done again for it."""

    victim: str
    when: float = field(default_factory=time.time)
    lost: float = 0.0


def main() -> None:
    from tests.faults.spectator import Spectator
    from tests.faults.trainings import Watched

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--weights", type=Path, default=Path("var/weights"))
    options = parser.parse_args()
    dice, kills, absences, runs = random.Random(options.seed), list[Kill](), list[float](), 0
    victims = deck(dice)
    with installation(options.weights.resolve()) as (server, dataset), chromium() as browser:
        while len(kills) < options.kills:
            training = Watched(server, dataset)
            with Spectator(browser, server, training.run["urls"]["page"]) as page:
                struck = torment(training, page, dice, victims, options.kills - len(kills))
                check(training, page, struck)
                absences += page.absences()
            kills, runs = kills + struck, runs + 1
            print(f"{len(kills)} of {options.kills} kills, {runs} runs", file=sys.stderr)
    report(kills, absences, runs)


def report(kills: list[Kill], absences: list[float], runs: int) -> None:
    print(f"{runs} trainings, {len(kills)} kills: all ended with a detector, never two trainers at a time;")
    print("the page of each took in every event once and in order, and was never loaded again.")
    print(f"Seconds of training lost (a checkpoint every {RunConfig.checkpoint_seconds:.0f} s):")
    for victim in (*VICTIMS, ""):
        lost = [kill.lost for kill in kills if victim in ("", kill.victim)]
        if lost:
            figures = f"{len(lost):3} kills, median {statistics.median(lost):4.1f}, most {max(lost):4.1f}"
            print(f"  {victim or 'all':10} {figures}")
    if absences:
        figures = f"median {statistics.median(absences):.1f}, most {max(absences):.1f}"
        print(f"The page lost its connection {len(absences)} times and was back after seconds: {figures}")


# --- what it is done with ---------------------------------------------------------------------------------------------
@contextmanager
def installation(weights: Path) -> Iterator[tuple[Server, int]]:
    """An installation that `serve` serves, and a small dataset in it."""
    from tests.installation import Server, free_port

    with tempfile.TemporaryDirectory() as folder:
        env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        env |= {"WEBNET_DATA": folder, "WEBNET_WEIGHTS": str(weights)}
        env |= {"WEBNET_RUN_LEASE_SECONDS": "5", "WEBNET_HEARTBEAT_SECONDS": "2"}
        server: Server = Server(f"http://127.0.0.1:{free_port()}", Path(folder), env, {})
        server.manage("migrate", "--verbosity", "0")
        server.start_serve()
        try:
            yield server, server.seed(12)["dataset"]
        finally:
            server.stop()


@contextmanager
def chromium() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    from tests.conftest import CHROMIUM_ARGUMENTS

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


def deck(dice: random.Random) -> Iterator[str]:
    """Victims without end: each kind comes once, in an order by chance, before any comes again."""
    while True:
        yield from dice.sample(VICTIMS, len(VICTIMS))


# --- one training -----------------------------------------------------------------------------------------------------
def torment(training: Watched, page: Spectator, dice: random.Random, victims: Iterator[str], most: int) -> list[Kill]:
    """Kill at random moments until the training is over, at most so many times."""
    from tests.faults.trainings import watch

    kills: list[Kill] = []
    with watch(training.workdir) as counts:
        while _is_on(training):
            page.wait(5)  # for what was said before the last one
            # The first strikes whatever a training begins with; later ones come when it trains again.
            reached = training.step() if kills else -1
            while training.step() <= reached and _is_on(training):
                page.wait(1)
            until = time.monotonic() + dice.uniform(0, 40)
            while time.monotonic() < until and _is_on(training):
                page.wait(1)
            if len(kills) < most and _is_on(training):
                kills += kill(training, victims)
    if max(counts) > 1:
        raise SystemExit(f"{max(counts)} processes trained at the same time.")
    return kills


def kill(training: Watched, victims: Iterator[str]) -> list[Kill]:
    """Kill the next of the victims; nothing where nobody trains at the moment."""
    from tests.faults.trainings import cut_power, parent, trainers, web_server

    found = trainers(training.workdir)
    if not found:
        return []
    struck = Kill(next(victims))
    if struck.victim == "everything":
        cut_power(training.server)
        training.server.start_serve()
        return [struck]
    if struck.victim == "web server":
        process = web_server(training.server)
    else:
        process = found[0]
        for _ in range(VICTIMS.index(struck.victim)):
            process = parent(process)
    if process not in {known.pid for known in processes.marked(training.server.folder)}:
        return []  # the trainer's worker has ended, and its parent is none of ours
    os.kill(process, signal.SIGKILL)
    return [struck]


def check(training: Watched, page: Spectator, kills: list[Kill]) -> None:
    """Note at each kill what it cost. Raises SystemExit for a run that is not whole."""
    state = training.state()
    events = training.events()
    if state["state"] != "done" or not state["training"]["detector"]:
        raise SystemExit(f"A training ended as “{state['state']}”: {state['message']}")
    if [event["seq"] for event in events] != list(range(1, len(events) + 1)):
        raise SystemExit("Events are missing, or there twice.")
    if complaints := page.complaints(events):
        raise SystemExit("The page: " + "; ".join(complaints))
    for when, lost in done_again(events):
        _blame(kills, when).lost += lost
    if (most := max((kill.lost for kill in kills), default=0.0)) > MOST_LOST:
        raise SystemExit(f"A kill cost {most:.0f} s of training.")


def _blame(kills: list[Kill], when: float) -> Kill:
    """The last kill before something was done again."""
    if not (earlier := [kill for kill in kills if kill.when < when]):
        raise SystemExit("Steps were done again although nothing had been killed.")
    return earlier[-1]


def done_again(events: list[dict[str, Any]]) -> Iterator[tuple[float, float]]:
    """For each time a training went on: when (seconds since 1970), and the seconds of what it has to do again.

    These are the steps between the checkpoint that it goes on from and the last step that it had told.
    """
    last, told, kept = None, None, 0
    for event in events:
        load = event["payload"]
        if event["kind"] == "stage" and (load["stage"], load["state"]) == ("train", "started"):
            last, kept = told, 0
        elif event["kind"] == "log" and (said := re.match(r"Going on after step (\d+)\.", load["text"])):
            kept = int(said[1])
        elif event["kind"] == "metrics":
            if last and kept < last["step"]:
                when = datetime.fromisoformat(event["time"]).timestamp()
                yield when, (last["step"] - kept) * 8 / last["images_per_second"]
            last, told = None, load


def _is_on(training: Watched) -> bool:
    return training.state()["state"] in ("queued", "running")


if __name__ == "__main__":
    main()
