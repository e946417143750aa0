"""Detectors of the catalogue: fetching, failing, cancelling, and one that really finds something."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.tasks import async_task
from PIL import Image

from tests.installation import ROOT, free_port
from tests.pipeline.processes import finish, start
from tests.training.fetches import work
from tests.training.zoo import Zoo, tar
from training import fetching, files, services
from training.models import Detector, Fetch, InferenceRun
from training.pipeline.catalogue import CATALOGUE, COCO_LABELS
from training.querysets import ErrandQuerySet
from training.trials import DoesNotRun

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

KEY = "efficientdet_d0"
ARCHIVE = CATALOGUE[KEY].archive
JSON = {"content_type": "application/json"}

# A model of the catalogue's signature that takes every picture for a dog in its lower right quarter.
MAKE_MODEL = """
import sys, tensorflow as tf

class Model(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([1, None, None, 3], tf.uint8)])
    def __call__(self, input_tensor):
        light = tf.reduce_mean(tf.cast(input_tensor, tf.float32)) / 255.0
        boxes = tf.constant([[[0.5, 0.5, 1.0, 1.0], [0.0, 0.0, 0.1, 0.1]]])
        scores = tf.stack([0.9 - 0.0 * light, 0.05])[None]
        return {"detection_boxes": boxes * FACTOR, "detection_classes": tf.constant([[18.0, 12.0]]),
                "detection_scores": scores, "num_detections": tf.constant([2.0])}

model = Model()
tf.saved_model.save(model, sys.argv[1], signatures={"serving_default": model.__call__})
"""


def row() -> dict[str, Any]:
    return next(entry for entry in fetching.catalogue_json() if entry["key"] == KEY)


def saved_model(folder: Path, factor: str = "1.0") -> bytes:
    """An archive as the Zoo's are: the SavedModel among other things."""
    code = MAKE_MODEL.replace("FACTOR", factor)
    subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, check=True, capture_output=True, timeout=200)
    inside = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    members = {f"efficientdet_d0/saved_model/{name}": content for name, content in inside.items()}
    return tar({"efficientdet_d0/pipeline.config": b"{}", "efficientdet_d0/checkpoint/checkpoint": b"x", **members})


def test_the_page_offers_the_catalogue_and_only_curators_a_button(
    dataset: Any, curator: Any, annotator: Any, client_of: Callable[..., Any]
) -> None:
    pages = [
        client_of(user).get(f"/datasets/{dataset.pk}/detectors/").content.decode() for user in (curator, annotator)
    ]
    for page in pages:
        assert all(entry.title in page for entry in CATALOGUE.values())
    assert ["data-fetch" in page for page in pages] == [True, False]


def test_it_is_fetched_once_and_can_be_cancelled(
    dataset: Any, curator: Any, client_of: Callable[..., Any], zoo: Zoo
) -> None:
    client, address = client_of(curator), f"/api/datasets/{dataset.pk}/catalogue/{KEY}/"
    assert client.post(f"{address}fetch/", **JSON).status_code == 202
    assert (row()["state"], row()["active"]) == ("queued", True)
    assert client.post(f"{address}fetch/", **JSON).json()["code"] == "busy"
    assert client.post(f"{address}cancel/", **JSON).status_code == 200
    assert (row()["state"], row()["active"]) == ("cancelled", False)
    assert client.post(f"{address}cancel/", **JSON).status_code == 409
    assert client.post(f"/api/datasets/{dataset.pk}/catalogue/none/fetch/", **JSON).status_code == 404
    # The queue still has its task: nobody works on what was cancelled.
    async_task("training.tasks.fetch", Fetch.objects.get().pk, sync=True)
    assert zoo.asked == []


def test_a_broken_connection_is_said_and_gone_on_from(owner: Any, zoo: Zoo) -> None:
    zoo.files[ARCHIVE], zoo.break_after = random.Random(1).randbytes(900_000), 400_000
    fetch = work(owner, KEY)
    assert fetch.state == "failed" and "broke off after 0.4 of 0.9 MB" in fetch.message
    zoo.break_after = None
    fetch = work(owner, KEY)
    assert zoo.asked == ["", "bytes=400000-"]
    assert fetch.state == "failed" and "cannot be unpacked" in fetch.message
    assert not Detector.objects.exists() and not list(files.detectors_folder().rglob("*"))


def test_what_is_no_model_is_refused_and_fetched_anew(owner: Any, zoo: Zoo) -> None:
    zoo.files[ARCHIVE] = tar({"m/readme": b"nothing"})
    assert "must hold one SavedModel" in work(owner, KEY).message
    work(owner, KEY)
    assert zoo.asked == ["", ""]


def test_what_this_machine_had_no_memory_for_is_not_fetched_twice(
    owner: Any, zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_much(*_args: object) -> None:
        raise DoesNotRun("it may need more memory")

    zoo.files[ARCHIVE] = tar({"m/saved_model.pb": b"nothing"})
    monkeypatch.setattr(fetching, "make_trial", too_much)
    for _try in range(2):
        assert "more memory" in work(owner, KEY).message
    assert zoo.asked == [""]


def test_one_whose_files_are_gone_is_offered_again(owner: Any, zoo: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "make_trial", lambda *_args: None)
    zoo.files[ARCHIVE] = tar({"m/saved_model.pb": b"nothing"})
    assert work(owner, KEY).state == "done"
    detector = Detector.objects.get()
    assert row()["detector"] == detector.pk
    (files.detector_folder(detector) / "detector.json").unlink()
    assert row()["detector"] is None
    assert work(owner, KEY).state == "done"
    assert row()["detector"] == detector.pk and Detector.objects.count() == 1


def test_an_administrator_makes_room_and_can_fetch_it_again(
    dataset: Any, owner: Any, zoo: Zoo, client_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "make_trial", lambda *_args: None)
    zoo.files[ARCHIVE] = tar({"m/saved_model.pb": b"nothing"})
    work(owner, KEY)
    detector = Detector.objects.get()
    client, address = client_of(owner), f"/api/datasets/{dataset.pk}/detectors/{detector.pk}/"
    button = f'data-delete="{detector.pk}"'
    page = f"/datasets/{dataset.pk}/detectors/"
    assert client.delete(address).status_code == 409 and button not in client.get(page).content.decode()
    type(owner).objects.filter(pk=owner.pk).update(is_superuser=True)
    assert button in client.get(page).content.decode()
    run = InferenceRun.objects.create(dataset=dataset, kind="inference", detector=detector, threshold=0.5, mapping={})
    assert client.delete(address).status_code == 409
    services.cancel_run(run)
    assert client.delete(address).status_code == 204
    assert row()["detector"] is None and not files.detector_folder(detector).exists()
    assert work(owner, KEY).state == "done" and row()["detector"] == detector.pk
    run.refresh_from_db()
    assert run.detector_id == detector.pk


def test_without_a_network_it_says_what_to_do(owner: Any, zoo: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "ZOO_URL", f"http://127.0.0.1:{free_port()}/")
    fetch = work(owner, KEY)
    assert fetch.state == "failed" and "no connection. Check the network" in fetch.message
    assert row()["message"] == fetch.message


def test_a_worker_that_went_silent_leaves_something_to_go_on_with(owner: Any, zoo: Zoo) -> None:
    late = timezone.now() - timedelta(seconds=1)
    Fetch.objects.create(key=KEY, state="running", worker="here:1", lease_until=late, done_bytes=5, total_bytes=9)
    assert (row()["state"], row()["active"]) == ("interrupted", False)
    assert not services.cluster_is_busy("errands", "here")
    fetching.start_fetch(key=KEY, user=owner)
    assert row()["state"] == "queued"


def test_a_fetch_that_the_queue_has_lost_is_sent_again(owner: Any, zoo: Zoo) -> None:
    """As where its cluster is killed, which keeps tasks in its memory until a worker is free."""
    queue = get_broker("errands")
    queue.purge_queue()
    fetching.start_fetch(key=KEY, user=owner)
    assert len(queue.dequeue()) == 1
    assert services.reap_stale_runs() == 0, "somebody may be about to take it"
    Fetch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    queue.enqueue("something else")
    assert services.reap_stale_runs() == 0, "whoever is free finds it in the queue"
    queue.purge_queue()
    assert services.reap_stale_runs() == 1
    assert queue.queue_size() == 1 and row()["state"] == "queued"
    assert services.reap_stale_runs() == 0, "sent a moment ago"


def test_a_cluster_that_fetches_is_not_taken_for_dead(owner: Any) -> None:
    soon = timezone.now() + timedelta(seconds=20)
    Fetch.objects.create(key=KEY, state="running", worker="here:1", lease_until=soon)
    assert services.cluster_is_busy("errands", "here")
    assert not services.cluster_is_busy("training", "here") and not services.cluster_is_busy("errands", "there")


def test_a_running_fetch_stops_when_it_is_cancelled(owner: Any, zoo: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    zoo.files[ARCHIVE] = bytes(3_000_000)
    monkeypatch.setattr(fetching, "_TELL_SECONDS", 0.0)
    progress = fetching._Beat.progress

    def cancelled_midway(beat: Any, done: int, total: int) -> None:
        progress(beat, done, total)
        if done > 1_000_000 and Fetch.objects.filter(key=KEY, cancel_requested=False).exists():
            fetching.cancel_fetch(key=KEY)

    monkeypatch.setattr(fetching._Beat, "progress", cancelled_midway)
    fetch = work(owner, KEY)
    assert fetch.state == "cancelled" and 0 < fetch.done_bytes < 3_000_000
    part = files.downloads_folder(KEY) / f"{ARCHIVE}.part"
    assert part.stat().st_size > fetch.done_bytes


def test_a_fetch_goes_on_while_the_database_is_away(owner: Any, zoo: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    zoo.files[ARCHIVE] = tar({"m/saved_model.pb": random.Random(1).randbytes(3_000_000)})
    monkeypatch.setattr(fetching, "make_trial", lambda *_args: None)
    monkeypatch.setattr(fetching, "_TELL_SECONDS", 0.0)
    asked: list[int] = []
    keep_alive = ErrandQuerySet.keep_alive

    def away_at_first(fetches: ErrandQuerySet, *who: Any, **news: int) -> bool:
        asked.append(len(asked))
        if len(asked) < 3:
            raise OperationalError("the database is away")
        return keep_alive(fetches, *who, **news)

    monkeypatch.setattr(ErrandQuerySet, "keep_alive", away_at_first)
    assert work(owner, KEY).state == "done"
    assert len(asked) >= 3


@pytest.mark.slow
@pytest.mark.once
def test_a_fetched_detector_finds_its_box_on_a_picture(owner: Any, zoo: Zoo, tmp_path: Path) -> None:
    zoo.files[ARCHIVE] = saved_model(tmp_path / "made")
    fetch = work(owner, KEY)
    assert (fetch.state, fetch.message) == ("done", "")
    detector = Detector.objects.get()
    assert (detector.kind, detector.dataset, len(detector.labels)) == ("pretrained", None, 80)
    folder = files.detector_folder(detector)
    assert sorted(path.name for path in folder.iterdir()) == ["detector.json", "labels.txt", "saved_model"]
    assert len(json.loads((folder / "detector.json").read_text())["sha256"]) == 64
    assert not files.downloads_folder(KEY).exists()
    assert row()["detector"] == detector.pk
    with pytest.raises(services.Conflict):
        fetching.start_fetch(key=KEY, user=owner)
    assert found_on_pictures(folder, tmp_path) == [[(18, 400.0, 300.0, 400.0, 300.0)]] * 3


def found_on_pictures(folder: Path, workdir: Path) -> list[Any]:
    """What the detector finds on three pictures of 800 × 600, two of them at a time."""
    images = []
    for number in range(3):
        Image.new("RGB", (400, 300), (40 * number, 90, 90)).save(workdir / f"{number}.png")
        images.append({"id": number, "file": f"{number}.png", "width": 800, "height": 600})
    (workdir / "request.json").write_text(json.dumps({"detector": str(folder), "threshold": 0.3, "images": images}))
    code, told = finish(start("training.pipeline.infer", workdir))
    assert code == 0
    found = [event["payload"]["boxes"] for event in told if event["kind"] == "found"]
    return [[(b["label"], b["x"], b["y"], b["width"], b["height"]) for b in boxes] for boxes in found]


@pytest.mark.slow
@pytest.mark.once
def test_a_model_with_boxes_in_pixels_is_refused_before_anybody_uses_it(owner: Any, zoo: Zoo, tmp_path: Path) -> None:
    zoo.files[ARCHIVE] = saved_model(tmp_path / "made", factor="640.0")
    fetch = work(owner, KEY)
    assert fetch.state == "failed" and "boxes do not lie in 0…1" in fetch.message
    assert not Detector.objects.exists() and not files.downloads_folder(KEY).exists()


def test_coco_has_its_eighty_names() -> None:
    assert len(COCO_LABELS) == 80 and COCO_LABELS[0] == (1, "person") and COCO_LABELS[-1] == (90, "toothbrush")
    assert dict(COCO_LABELS)[18] == "dog"
