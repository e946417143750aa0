"""The ONNX file of a detector: asked for on its page, made once, and told of where it could not be made."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from django_q.tasks import async_task

from annotations.models import Label
from tests.evaluations import keep_all
from tests.training.starting import start
from training import converting, files, services, turns
from training.models import Conversion, Detector
from training.pipeline.translation import Phrase
from training.trials import DoesNotRun, Unusable

pytestmark = [pytest.mark.django_db(transaction=True)]

JSON = {"content_type": "application/json"}


@pytest.fixture
def trained(dataset: Any, ready: Any, owner: Any) -> Detector:
    """A detector as a training of `ready` leaves it, but for its networks."""
    run = start(ready, owner)
    known = {"architecture": run.architecture, "input_size": 256, "labels": []}
    made = Detector.objects.create(name="Icons", kind="trained", dataset=dataset, run=run, folder="x", **known)
    made.folder = f"converted-{made.pk}-{timezone.now().timestamp()}"
    made.save()
    keep_all(made, dataset)
    (files.detector_folder(made) / "saved_model").mkdir()
    return made


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is handed to the queue, which nobody works on."""
    sent: list[Any] = []
    monkeypatch.setattr(turns, "async_task", lambda *task, **_options: sent.append(task))
    return sent


@pytest.fixture
def ask(client_of: Callable[..., Any], viewer: Any, trained: Detector) -> Callable[..., Any]:
    """`ask("post")`: a viewer asks for the ONNX file; `ask()`: how far it is."""

    def send(method: str = "get") -> Any:
        address = f"/api/datasets/{trained.dataset_id}/detectors/{trained.pk}/onnx/"
        return getattr(client_of(viewer), method)(address, **({} if method == "get" else JSON))

    return send


def writes(content: bytes, requests: list[Any]) -> Callable[..., None]:
    """What makes the file in the place of the process, and keeps what that would have read."""

    def carry_out(module: str, folder: Path, go_on: Callable[[], bool]) -> None:
        assert module == "training.pipeline.onnx_file" and go_on()
        request = json.loads((folder / "request.json").read_text())
        requests.append([row | {"is_there": Path(row["file"]).is_file()} for row in request["images"]])
        described = Path(request["detector"]) / "detector.json"
        told = json.loads(described.read_text())
        check = {"AP": 0.5, "trained_AP": 0.5, "difference": 0.0, "pictures": 2, "tolerance": 0.01, "passed": True}
        described.write_text(json.dumps({**told, "checks": {**told["checks"], "model.onnx": check}}))
        (Path(request["detector"]) / "model.onnx").write_bytes(content)

    return carry_out


def fails(error: Exception) -> Callable[..., None]:
    """What fails in the place of the process, in the middle of its work."""

    def carry_out(module: str, folder: Path, go_on: Callable[[], bool]) -> None:
        (folder / "model.onnx").write_bytes(b"half of")
        raise error

    return carry_out


def work() -> Conversion:
    """Let a worker do what was asked for."""
    async_task("training.tasks.convert", Conversion.objects.get().pk, sync=True)
    return Conversion.objects.get()


def page_of(client_of: Callable[..., Any], user: Any, detector: Detector, path: str = "") -> str:
    page = client_of(user).get(f"/datasets/{detector.dataset_id}/detectors/{path}")
    assert page.status_code == 200
    return str(page.content.decode())


def test_whoever_asks_first_has_it_made_and_everybody_can_download_it(
    ask: Any, tasks: list[Any], trained: Detector, client_of: Any, viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[Any] = []
    monkeypatch.setattr(converting, "carry_out", writes(b"ONNX!", requests))
    assert ask().json() == {"there": False, "offered": True, "active": False, "state": "", "message": ""}
    answer = ask("post")
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert work().state == "done"
    assert ask().json()["there"]
    listed = client_of(viewer).get(f"/api/datasets/{trained.dataset_id}/detectors/{trained.pk}/").json()["files"]
    (file,) = [row for row in listed if row["name"] == "model.onnx"]
    assert b"".join(client_of(viewer).get(file["url"]).streaming_content) == b"ONNX!"
    assert ask("post").json()["code"] == "there"
    assert not list(files.downloads_folder("").glob("onnx-*"))


def test_asking_twice_makes_it_once(ask: Any, tasks: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[Any] = []
    monkeypatch.setattr(converting, "carry_out", writes(b"ONNX!", requests))
    assert [ask("post").status_code for _click in range(3)] == [202, 202, 202]
    assert len(tasks) == 1
    work()
    work()  # delivered once more
    assert len(requests) == 1


def test_it_is_compared_on_the_test_artworks_with_what_people_drew(
    ask: Any, tasks: list[Any], trained: Detector, label: Label, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trained.run
    tested = [row for row in trained.run.snapshot.manifest["artworks"] if row["split"] == "test"]
    assert tested
    requests: list[Any] = []
    monkeypatch.setattr(converting, "carry_out", writes(b"ONNX!", requests))
    ask("post")
    work()
    (images,) = requests
    assert [(row["width"], row["height"], row["boxes"]) for row in images] == [
        (row["width"], row["height"], row["boxes"]) for row in tested
    ]
    assert all(row["is_there"] and row["boxes"][0]["label"] == label.pk for row in images)


def test_artworks_whose_files_are_gone_are_left_out(
    ask: Any, tasks: list[Any], trained: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trained.run
    for row in trained.run.snapshot.manifest["artworks"]:
        row["sha256"] = "0" * 64
    trained.run.snapshot.save()
    requests: list[Any] = []
    monkeypatch.setattr(converting, "carry_out", writes(b"ONNX!", requests))
    ask("post")
    assert work().state == "done" and requests == [[]]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            Unusable(Phrase("The ONNX file could not be made: %(reason)s", reason="no such operation")),
            "no such operation",
        ),
        (DoesNotRun(Phrase("The detector does not run here: it may need more memory than there is.")), "more memory"),
    ],
)
def test_what_went_wrong_is_said_and_can_be_tried_again(
    ask: Any, tasks: list[Any], trained: Detector, error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(converting, "carry_out", fails(error))
    ask("post")
    assert work().state == "failed"
    told = ask().json()
    assert said in told["message"] and told["offered"] and not told["there"]
    assert not (files.detector_folder(trained) / "model.onnx").exists()
    assert not list(files.downloads_folder("").glob("onnx-*"))
    monkeypatch.setattr(converting, "carry_out", writes(b"ONNX!", []))
    assert ask("post").json()["message"] == ""
    assert work().state == "done" and len(tasks) == 2


def test_a_full_disk_is_said(ask: Any, tasks: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting, "carry_out", fails(OSError(28, "No space left on device")))
    ask("post")
    with pytest.raises(OSError, match="No space"):
        work()
    assert "Make room" in ask().json()["message"]


def test_a_worker_that_went_silent_leaves_something_to_ask_for_again(
    ask: Any, tasks: list[Any], trained: Detector
) -> None:
    late, soon = (timezone.now() + timedelta(seconds=seconds) for seconds in (-1, 20))
    row = Conversion.objects.create(detector=trained, state="running", worker="here:1", lease_until=soon)
    assert ask().json()["active"] and services.cluster_is_busy("errands", "here")
    assert ask("post").json()["state"] == "running" and not tasks
    Conversion.objects.filter(pk=row.pk).update(lease_until=late)
    assert (ask().json()["state"], ask().json()["offered"]) == ("interrupted", True)
    assert not services.cluster_is_busy("errands", "here")
    assert ask("post").json()["state"] == "queued" and len(tasks) == 1


def test_a_faster_rcnn_says_why_there_is_none(
    ask: Any, tasks: list[Any], trained: Detector, client_of: Any, viewer: Any
) -> None:
    Detector.objects.filter(pk=trained.pk).update(architecture="faster_rcnn_resnet50_fpn")
    answer = ask("post")
    assert answer.status_code == 409 and "Faster R-CNN" in answer.json()["message"] and not tasks
    page = page_of(client_of, viewer, trained, f"{trained.pk}/")
    assert "No ONNX file can be made of a Faster R-CNN" in page and 'id="onnx"' not in page


@pytest.mark.parametrize("kind", ["pretrained", "added"])
def test_of_detectors_from_elsewhere_none_is_made(kind: str, ask: Any, tasks: list[Any], trained: Detector) -> None:
    Detector.objects.filter(pk=trained.pk).update(kind=kind)
    assert ask("post").json()["code"] == "not_convertible" and not tasks


def test_without_its_saved_model_there_is_nothing_to_make_it_of(ask: Any, tasks: list[Any], trained: Detector) -> None:
    (files.detector_folder(trained) / "saved_model").rmdir()
    assert "SavedModel is gone" in ask().json()["message"] and not ask().json()["offered"]
    assert ask("post").status_code == 409 and not tasks


def test_the_pages_offer_it_until_it_is_there_and_then_tell_how_good_it_is(
    ask: Any, tasks: list[Any], trained: Detector, client_of: Any, viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(converting, "carry_out", writes(b"ONNX!", []))
    lists, pages = [], []
    for step in (lambda: None, lambda: ask("post"), work):
        step()
        lists.append(page_of(client_of, viewer, trained))
        pages.append(page_of(client_of, viewer, trained, f"{trained.pk}/"))
    assert ["on request" in each for each in lists] == [True, True, False]
    assert ['id="onnx"' in each for each in pages] == [True, True, False]
    assert ["files/model.onnx/" in each for each in [*lists, *pages]] == [False, False, True] * 2
    assert ["AP 50.0% instead of 50.0%, on 2 artworks" in each for each in pages] == [False, False, True]


def test_what_is_told_of_a_file_that_is_not_there_is_not_shown(
    ask: Any, tasks: list[Any], trained: Detector, client_of: Any, viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process was killed between the two."""
    monkeypatch.setattr(converting, "carry_out", writes(b"ONNX!", []))
    ask("post")
    work()
    (files.detector_folder(trained) / "model.onnx").unlink()
    page = page_of(client_of, viewer, trained, f"{trained.pk}/")
    assert "on 2 artworks" not in page and 'id="onnx"' in page


def test_it_says_that_it_was_not_compared(
    ask: Any, tasks: list[Any], trained: Detector, client_of: Any, viewer: Any
) -> None:
    folder = files.detector_folder(trained)
    (folder / "model.onnx").write_bytes(b"ONNX!")
    check = {"AP": None, "trained_AP": None, "difference": None, "pictures": 0, "tolerance": 0.01, "passed": None}
    (folder / "detector.json").write_text(json.dumps({"checks": {"model.onnx": check}}))
    page = page_of(client_of, viewer, trained, f"{trained.pk}/")
    assert "Not compared: the pictures of the test artworks are not here any more." in page


@pytest.mark.slow
def test_a_saved_model_that_cannot_be_read_is_told_by_the_real_process(
    ask: Any, tasks: list[Any], trained: Detector
) -> None:
    folder = files.detector_folder(trained)
    (folder / "saved_model" / "saved_model.pb").write_bytes(b"nothing")
    described = {"name": "Icons", "input_size": 256, "labels": [{"id": 1, "name": "Angel"}], "checks": {}}
    (folder / "detector.json").write_text(json.dumps(described))
    before = sorted(path.name for path in folder.iterdir())
    ask("post")
    assert work().state == "failed"
    assert ask().json()["message"].startswith("The ONNX file could not be made: ")
    assert sorted(path.name for path in folder.iterdir()) == before
