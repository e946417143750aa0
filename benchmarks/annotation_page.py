"""`python -m benchmarks.annotation_page`: how quick is the place where people draw?

In a real browser without a graphics card: opening and frame times with 20, 200 and 2,000 boxes, and with an image of
400 megapixels, with the browser's memory. On the server: time and queries of opening, saving and going on among 1,000
and among 100,000 artworks, both in turn. Frames are as long as the browser makes them: 16.7 ms are 60 per second.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from benchmarks import lists

BOXES = (20, 200, 2_000)
SIDE = 20_000
FEW, MANY = 1_000, 100_000
SAVES = 60
SAMPLER = """() => { window.frames_ = []; let last = performance.now(); window.sampling = true;
  const tick = (now) => { frames_.push(now - last); last = now; window.sampling && requestAnimationFrame(tick); };
  requestAnimationFrame(tick); }"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=["boxes", "huge", "server"], default=["boxes", "huge", "server"])
    parts = parser.parse_args().parts
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "WEBNET_DATA": folder,
            "DJANGO_SETTINGS_MODULE": "webnet.settings",
            "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
        }
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        if "server" in parts:
            server()
        if "boxes" in parts or "huge" in parts:
            browser(Path(folder), parts)


# --- server -----------------------------------------------------------------------------------------------------------
def server() -> None:
    from django.contrib.auth import get_user_model
    from django.test import Client

    user = get_user_model().objects.create_superuser("server", password=None)
    client = Client(headers={"host": "localhost"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    places = [lists.fill(user, count) for count in (FEW, MANY)]
    page = "/datasets/{dataset}/artworks/{artwork}/"
    few, many = (page.format(**place) for place in places)
    times, queries = lists.alternate(client, few, many)
    first, second = (statistics.median(column) * 1000 for column in times)
    print(f"open (with next): {first:.1f} ms among {FEW}, {second:.1f} among {MANY}, {queries[0]} queries")
    saves = alternate_saves(client, places)
    for count, (milliseconds, number) in zip((FEW, MANY), saves, strict=True):
        cut = statistics.quantiles(milliseconds, n=20)
        text = f"p50 {statistics.median(milliseconds):.1f} ms, p95 {cut[-1]:.1f} ms (goal: p95 < 30), {number} queries"
        print(f"save among {count}: {text}")


def alternate_saves(client: Any, places: list[dict[str, int]]) -> list[tuple[list[float], int]]:
    """Save one new box after the other on both artworks in turn: milliseconds and queries of each."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from annotations.models import Label

    found: list[tuple[list[float], int]] = [([], 0), ([], 0)]
    revisions = [0, 0]
    for _ in range(SAVES):
        for at, place in enumerate(places):
            label = Label.objects.filter(dataset=place["dataset"]).first()
            assert label is not None
            edit = {"op": "create", "id": str(uuid.uuid4()), "label": label.pk, "x": 5, "y": 5, "width": 9, "height": 9}
            body = {"id": str(uuid.uuid4()), "revision": revisions[at], "edits": [edit]}
            path = "/api/datasets/{dataset}/artworks/{artwork}/edits/".format(**place)
            with CaptureQueriesContext(connection) as captured:
                began = time.perf_counter()
                answer = client.post(path, body, content_type="application/json")
                spent = (time.perf_counter() - began) * 1000
            revisions[at] = answer.json()["revision"]
            found[at][0].append(spent)
            found[at] = (found[at][0], len(captured))
    return found


# --- browser ----------------------------------------------------------------------------------------------------------
def browser(folder: Path, parts: list[str]) -> None:
    import subprocess
    import sys

    from django.contrib.auth import get_user_model
    from playwright.sync_api import sync_playwright

    from benchmarks.live import PASSWORD, answers
    from tests.conftest import CHROMIUM_ARGUMENTS
    from tests.installation import ROOT, free_port, wait_for

    user = get_user_model().objects.create_superuser("bench", password=PASSWORD)
    host = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "daphne", "-p", host.split(":")[1], "webnet.asgi:application"]
    web = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: answers(host), 60, "daphne")
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGUMENTS)
            page = chromium.new_page(base_url=f"http://{host}", viewport={"width": 1440, "height": 900})
            log_in(page, PASSWORD)
            if "boxes" in parts:
                many_boxes(page, user)
            if "huge" in parts:
                huge(page, user, folder)
            chromium.close()
    finally:
        web.kill()


def log_in(page: Any, password: str) -> None:
    page.goto("/login/")
    page.fill("input[name=username]", "bench")
    page.fill("input[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def many_boxes(page: Any, user: Any) -> None:
    for count in BOXES:
        artwork = make_artwork(user, 2400, 1800, f"{count} boxes")
        draw(artwork, count)
        opened = statistics.median(opening(page, artwork) for _ in range(3))
        frames = {name: frame_times(page, act) for name, act in GESTURES.items()}
        text = "; ".join(f"{name} {median:.1f} / {late:.1f}" for name, (median, late) in frames.items())
        print(f"{count} boxes: open {opened:.0f} ms; frames in ms (median / p95): {text}")


def huge(page: Any, user: Any, folder: Path) -> None:
    began = time.monotonic()
    artwork = make_artwork(user, SIDE, SIDE, "huge", folder)
    print(f"{SIDE * SIDE / 1e6:.0f} megapixels: made and taken in within {time.monotonic() - began:.0f} s")
    opened = opening(page, artwork)
    frames = {name: frame_times(page, GESTURES[name]) for name in ("pan", "zoom")}
    text = "; ".join(f"{name} {median:.1f} / {late:.1f}" for name, (median, late) in frames.items())
    for _ in range(30):
        page.mouse.wheel(0, -400)
        page.wait_for_timeout(60)
    page.wait_for_timeout(1500)
    print(
        f"huge: open {opened:.0f} ms (goal 2000); frames {text}; browser {memory()} MB after zooming to single pixels"
    )


def opening(page: Any, artwork: Any) -> float:
    """Milliseconds from the click to a picture with its boxes."""
    page.goto("about:blank")
    page.goto(f"/datasets/{artwork.dataset_id}/artworks/{artwork.pk}/", wait_until="commit")
    page.wait_for_selector("#picture[data-ready]")
    return float(page.evaluate("performance.now()"))


def frame_times(page: Any, act: Any) -> tuple[float, float]:
    """Median and 95th percentile of the frames while something is done."""
    page.wait_for_timeout(500)
    page.evaluate(SAMPLER)
    act(page)
    frames: list[float] = page.evaluate("() => { window.sampling = false; return frames_; }")
    return statistics.median(frames), statistics.quantiles(frames, n=20)[-1]


def middle(page: Any) -> tuple[float, float]:
    frame = page.locator("#picture").bounding_box()
    return frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2


def pan(page: Any) -> None:
    x, y = middle(page)
    page.keyboard.down(" ")
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(90):
        page.mouse.move(x + 3 * (step % 60), y + 2 * (step % 45))
    page.mouse.up()
    page.keyboard.up(" ")


def zoom(page: Any) -> None:
    page.mouse.move(*middle(page))
    for step in range(40):
        page.mouse.wheel(0, -120 if step % 20 < 10 else 120)
        page.wait_for_timeout(30)


def move_box(page: Any) -> None:
    x, y = middle(page)
    page.keyboard.press("0")
    page.wait_for_timeout(400)
    page.keyboard.press("b")
    page.mouse.move(x - 60, y - 60)
    page.mouse.down()
    for step in range(90):
        page.mouse.move(x + 2 * step, y + step)
    page.mouse.up()
    page.keyboard.press("Delete")


GESTURES = {"draw": move_box, "pan": pan, "zoom": zoom}


def memory() -> int:
    """Megabytes that all processes of the browser hold for themselves (proportional set size)."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/smaps_rollup"):
        try:
            if b"chromium" in (status.parent / "cmdline").read_bytes():
                total += int(
                    next(line for line in status.read_text().splitlines() if line.startswith("Pss:")).split()[1]
                )
        except OSError:
            continue
    return total // 1024


# --- what is looked at ------------------------------------------------------------------------------------------------
def make_artwork(user: Any, width: int, height: int, name: str, folder: Path | None = None) -> Any:
    """A picture with detail, taken in as every upload is."""
    import pyvips
    from django.core.files import File

    from datasets.ingest import add_artwork
    from datasets.services import create_dataset

    bands = [pyvips.Image.perlin(width, height, cell_size=size, uchar=True, seed=size) for size in (40, 300, 900)]
    with tempfile.NamedTemporaryFile(suffix=".jpg", dir=folder) as file:
        bands[0].bandjoin(bands[1:]).copy(interpretation="srgb").jpegsave(file.name, Q=85)
        dataset = create_dataset(user=user, name=name, description="")
        with Path(file.name).open("rb") as opened:
            return add_artwork(dataset=dataset, user=user, upload=File(opened, name=f"{name}.jpg"))


def draw(artwork: Any, count: int) -> None:
    """So many boxes, a quarter of them suggestions."""
    from annotations import counters
    from annotations.models import Box, Label

    dice = random.Random(count)
    colours = ("#c0392b", "#2e86c1", "#229954", "#b7950b")
    labels = [
        Label.objects.create(dataset=artwork.dataset, name=f"Concept {colour}", colour=colour) for colour in colours
    ]
    sides = {"image_width": artwork.width, "image_height": artwork.height}
    boxes = Box.objects.bulk_create(
        Box(
            artwork=artwork,
            label=dice.choice(labels),
            x=dice.randrange(artwork.width - 120),
            y=dice.randrange(artwork.height - 120),
            width=dice.randrange(20, 120),
            height=dice.randrange(20, 120),
            **(suggestion(dice) if number % 4 == 0 else {}),
            **sides,
        )
        for number in range(count)
    )
    counters.save_changed(artwork, boxes)


def suggestion(dice: random.Random) -> dict[str, Any]:
    return {"state": "suggested", "source": "detector", "score": dice.random(), "detector_name": "Quick"}


if __name__ == "__main__":
    main()
