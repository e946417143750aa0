"""`python -m benchmarks.lost_edits`: 500 boxes drawn in a browser whose tab, network and server are killed; 20 times.

Every box that the server has acknowledged must be there once, and so must every box that the person has seen.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.browser.mishaps import Drawn

EDITS, ROUNDS = 500, 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=EDITS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    began = time.monotonic()
    rounds = list(draw(options.rounds, options.edits))
    mishaps = sum((found.mishaps for found in rounds), Counter[str]())
    struck = ", ".join(f"{count} × {name}" for name, count in sorted(mishaps.items()))
    lost, doubled, missing = (
        sum(len(getattr(found, what)) for found in rounds) for what in ("lost", "doubled", "missing")
    )
    print(f"{options.rounds} rounds of {options.edits} boxes, {struck}; {time.monotonic() - began:.0f} s")
    print(f"acknowledged and lost: {lost}; there twice: {doubled}; drawn and not there: {missing} (goal: 0, 0)")
    if lost or doubled:
        raise SystemExit("Edits were lost or doubled.")


def draw(rounds: int, edits: int) -> Iterator[Drawn]:
    """Draw on an artwork of its own in each round, in an installation of their own."""
    from playwright.sync_api import sync_playwright

    from tests.browser.mishaps import Round
    from tests.conftest import CHROMIUM_ARGUMENTS, log_in
    from tests.installation import Server, free_port

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        server = Server(f"http://127.0.0.1:{free_port()}", Path(folder), env | {"WEBNET_DATA": folder}, {})
        server.manage("migrate", "--verbosity", "0")
        server.start_web()
        server.add_user("olga", superuser=True)
        dataset = server.seed(rounds)["dataset"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGUMENTS)
        context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=server.url)
        log_in(context.new_page(), "olga")
        for number, artwork in enumerate(server.api(f"datasets/{dataset}/artworks/?page_size=200")["results"]):
            path = f"datasets/{dataset}/artworks/{artwork['id']}/"
            yield Round(server, context, path, seed=number).run(edits)
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
        server.stop()


if __name__ == "__main__":
    main()
