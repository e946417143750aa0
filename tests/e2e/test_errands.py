"""What is done once for everybody holds up nobody who waits for boxes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Server, wait_for
from tests.training.zoo import running
from training.pipeline.catalogue import CATALOGUE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

KEY = "efficientdet_d0"


def test_boxes_are_found_while_a_detector_is_fetched(make_server: Callable[..., Server], offline_weights: Path) -> None:
    with running() as zoo:
        server = make_server(clusters=True, WEBNET_ZOO_URL=zoo.url, WEBNET_WEIGHTS=str(offline_weights))
        detector = server.register_pretrained(offline_weights)
        seeded = server.seed(3)
        dataset = f"datasets/{seeded['dataset']}"
        zoo.files[CATALOGUE[KEY].archive] = b"no archive" * 1000
        zoo.fast = threading.Event()

        def fetch() -> dict[str, Any]:
            return next(row for row in server.api(f"{dataset}/catalogue/") if row["key"] == KEY)

        server.api(f"{dataset}/catalogue/{KEY}/fetch/", {})
        wait_for(lambda: fetch()["state"] == "running", 60, "the fetch")
        (known,) = (row for row in server.api(f"{dataset}/detectors/")["results"] if row["id"] == detector)
        mapping = {str(known["labels"][0]["id"]): seeded["labels"][0]}
        wanted = {"detector": detector, "threshold": 0.3, "mapping": mapping}
        run = server.api(f"{dataset}/inference-runs/", wanted)
        wait_for(lambda: server.api(f"{dataset}/runs/{run['id']}/")["state"] == "done", 120, "the boxes")
        assert fetch()["state"] == "running"
        zoo.fast.set()
        wait_for(lambda: fetch()["state"] == "failed", 60, "the end of the fetch")
