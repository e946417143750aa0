"""`python -m benchmarks.live`: how long an event takes from the trainer's process to the browser.

The whole way of the embedded default, with nothing left out: a process in the trainer's place prints events, the
supervisor reads them and writes rows, the web process (a real daphne) tails the table, and a page in a real Chromium
receives them by websocket. Both ends read the same machine's clock. Prints p50, p95 and p99 in milliseconds.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

EVENTS, PAUSE = 300, 0.1
PASSWORD = "correct horse battery"
TALKER = "benchmarks.live"
LISTEN = """url => {
  window.delays = [];
  new WebSocket(url).onmessage = message => {
    const {type, events} = JSON.parse(message.data);
    if (type !== "events") return;
    for (const {kind, payload} of events) if (kind === "log") window.delays.push(Date.now() - payload.sent);
  };
}"""


def talk() -> None:
    """The process in the trainer's place: one event every `PAUSE` seconds, with the time it was said."""
    time.sleep(2)
    for number in range(EVENTS):
        print(json.dumps({"kind": "log", "payload": {"text": str(number), "sent": time.time() * 1000}}), flush=True)
        time.sleep(PAUSE)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"WEBNET_DATA": folder, "DJANGO_SETTINGS_MODULE": "webnet.settings"}
        import django

        django.setup()
        from django.core.management import call_command

        from tests.installation import ROOT, free_port

        call_command("migrate", verbosity=0)
        port = free_port()
        command = [sys.executable, "-m", "daphne", "-p", str(port), "webnet.asgi:application"]
        web = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        try:
            report(measure(f"127.0.0.1:{port}"))
        finally:
            web.kill()


def report(delays: list[float]) -> None:
    assert len(delays) == EVENTS, f"{len(delays)} of {EVENTS} events arrived"
    cuts = statistics.quantiles(delays, n=100)
    print(f"{EVENTS} events: p50 {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms, p99 {cuts[98]:.0f} ms (goal: p95 < 300)")


def measure(host: str) -> list[float]:
    from playwright.sync_api import sync_playwright

    from tests.conftest import CHROMIUM_ARGUMENTS
    from tests.installation import wait_for

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    dataset, run = make_run()
    wait_for(lambda: answers(host), 40, "daphne")
    supervisor = threading.Thread(target=supervise_talker, args=(run,))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGUMENTS)
        page = browser.new_page(base_url=f"http://{host}")
        page.goto("/login/")
        page.fill("input[name=username]", "bench")
        page.fill("input[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/login" not in url)
        page.evaluate(LISTEN, f"ws://{host}/ws/datasets/{dataset}/")
        supervisor.start()
        while supervisor.is_alive():
            page.wait_for_timeout(200)
        page.wait_for_timeout(1000)
        delays: list[float] = page.evaluate("window.delays")
        browser.close()
    return delays


def make_run() -> tuple[int, int]:
    from django.contrib.auth import get_user_model

    from datasets.services import create_dataset
    from training.models import Detector, InferenceRun

    user = get_user_model().objects.create_superuser("bench", password=PASSWORD)
    dataset = create_dataset(user=user, name="Bench", description="")
    detector = Detector.objects.create(name="none", kind="pretrained", input_size=1, labels=[], folder="none")
    run = InferenceRun.objects.create(
        dataset=dataset, kind="inference", state="running", detector=detector, threshold=0.5, mapping={}
    )
    return dataset.pk, run.pk


def supervise_talker(run_id: int) -> None:
    from training import live
    from training.supervision import Child, supervise

    def store(events: list[dict[str, Any]]) -> None:
        live.publish(run_id, [(event["kind"], event["payload"]) for event in events])

    with tempfile.TemporaryDirectory() as folder:
        supervise(Child(TALKER, Path(folder)), on_events=store, go_on=lambda: True)


def answers(host: str) -> bool:
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(f"http://{host}/login/", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    # The supervisor starts this module with a work folder and --supervised, as it does the pipeline.
    if "--supervised" in sys.argv:
        talk()
    else:
        main()
