"""What the workers do, run in this process with the real pipeline as its child: inference, failures, cancellation."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError
from django.db import connection
from django.utils import timezone
from django_q.tasks import async_task

from annotations.models import Box, Label
from datasets.models import Artwork
from datasets.refusals import Conflict
from datasets.services import add_artwork
from tests.seed import shapes
from tests.training.starting import draw, start, start_looking
from training import files, live, services, supervision, tasks, turns
from training.management.commands.annotate import mapping
from training.models import Detector, Event, Run, TrainingRun
from training.pipeline import config

pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(240),
    pytest.mark.usefixtures("no_folders_of_earlier_runs"),
]


def look(dataset: Any, user: Any, detector: Detector, label: Label, **choice: Any) -> Run:
    """Let the detector look at everything, with every class it knows standing for `label`."""
    run = start_looking(dataset, user, detector, label, **choice)
    async_task("training.tasks.infer", run.pk, sync=True)
    return Run.objects.get(pk=run.pk)


def picture_as(suffix: str) -> bytes:
    """A picture in another format."""
    import random

    import pyvips

    png, _places = shapes(random.Random(suffix))
    return bytes(pyvips.Image.new_from_buffer(png, "").write_to_buffer(suffix.lower()))


def test_artworks_of_every_format_and_spelling_are_looked_at(
    dataset: Any, owner: Any, label: Label, pretrained: Detector
) -> None:
    names = ["a.jpg", "b.JPG", "c.jpeg", "d.png", "e.PNG", "f.webp", "g.tif", "h.TIFF"]
    for name in names:
        upload = SimpleUploadedFile(name, picture_as(f".{name.split('.')[1]}"))
        add_artwork(dataset=dataset, user=owner, upload=upload)
    run = look(dataset, owner, pretrained, label)
    assert (run.state, run.message.split()[-2]) == ("done", str(len(names))), run.message
    seen = {event.payload["artwork"] for event in Event.objects.filter(run=run, kind="artwork")}
    assert seen == set(Artwork.objects.filter(dataset=dataset).values_list("pk", flat=True))


def test_suggestions_have_scores_and_running_again_leaves_what_people_decided(
    dataset: Any, owner: Any, label: Label, artwork: Any, pretrained: Detector
) -> None:
    look(dataset, owner, pretrained, label)
    suggested = list(Box.objects.filter(artwork=artwork))
    assert len(suggested) >= 2
    assert all(box.state == "suggested" and 0.02 <= (box.score or 0) <= 1 for box in suggested)
    kept, dropped = suggested[:2]
    Box.objects.filter(pk=kept.pk).update(state="confirmed")
    Box.objects.filter(pk=dropped.pk).update(state="rejected")
    look(dataset, owner, pretrained, label)
    after = {box.pk: box.state for box in Box.objects.filter(artwork=artwork)}
    assert after[kept.pk] == "confirmed"
    assert after[dropped.pk] == "rejected"
    places = [(box.x, box.y, box.width, box.height) for box in Box.objects.filter(artwork=artwork, state="suggested")]
    assert (dropped.x, dropped.y, dropped.width, dropped.height) not in places


@pytest.mark.parametrize("lost", [False, True], ids=["damaged", "lost"])
def test_an_image_that_has_become_unreadable_is_reported_and_the_rest_goes_on(
    dataset: Any, owner: Any, label: Label, make_artwork: Any, pretrained: Detector, lost: bool
) -> None:
    broken, sound = make_artwork(dataset, 1), make_artwork(dataset, 2)
    path = Path(default_storage.path(f"{broken.stored_in}/display.jpg"))
    path.write_bytes(b"not an image any more")
    if lost:
        path.unlink()
    run = look(dataset, owner, pretrained, label)
    assert run.state == "done"
    assert "1 images could not be read" in run.message
    said = [event.payload["text"] for event in Event.objects.filter(run=run, kind="log")]
    assert any(f"“{broken}” cannot be read" in text for text in said)
    assert [event.payload["artwork"] for event in Event.objects.filter(run=run, kind="artwork")] == [sound.pk]


def test_a_detector_whose_files_are_gone_makes_the_run_fail_with_a_sentence(
    dataset: Any, owner: Any, label: Label, artwork: Any
) -> None:
    gone = Detector.objects.create(
        name="Gone", kind="trained", dataset=dataset, input_size=9, labels=[{"id": 1, "name": "A"}], folder="gone"
    )
    run = look(dataset, owner, gone, label)
    assert run.state == "failed"
    assert run.message
    assert not Box.objects.exists()


def test_artworks_with_nothing_to_mark_are_left_out_and_that_is_told(
    dataset: Any, owner: Any, label: Label, make_artwork: Any, pretrained: Detector
) -> None:
    sound, marked = make_artwork(dataset, 1), make_artwork(dataset, 2, nothing_to_mark=True)
    run = start_looking(dataset, owner, pretrained, label)
    async_task("training.tasks.infer", run.pk, sync=True)
    run.refresh_from_db()
    assert run.state == "done" and run.message.endswith("of 1 artworks.")
    said = [event.payload["text"] for event in Event.objects.filter(run=run, kind="log")]
    assert any("nothing to mark" in text and text.endswith(": 1") for text in said)
    assert [event.payload["artwork"] for event in Event.objects.filter(run=run, kind="artwork")] == [sound.pk]
    with pytest.raises(Conflict):
        start_looking(dataset, owner, pretrained, label, artwork_id=marked.pk)
    assert Run.objects.count() == 1 and not files.run_folder(run.pk).exists()


def test_a_training_whose_image_is_gone_names_the_artwork(
    dataset: Any, owner: Any, label: Label, make_artwork: Any
) -> None:
    works = [make_artwork(dataset, seed, title=f"Saint {seed}") for seed in range(5)]
    for work in works:
        draw(work, label)
    run = start(dataset, owner)
    for work in works[2:]:
        default_storage.delete(f"{work.stored_in}/display.jpg")
    with pytest.raises(LookupError):  # for the worker's log
        async_task("training.tasks.train", run.pk, sync=True)
    run.refresh_from_db()
    assert run.state == "failed" and "“Saint 2” is not there any more" in run.message
    assert "Error" not in run.message


def test_a_stage_that_fails_fails_the_run_and_is_never_reported_as_done(
    dataset: Any, owner: Any, label: Label, make_artwork: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(settings, "WEIGHTS_DIR", tmp_path / "no-weights")
    for seed in range(5):
        box = {"x": 10, "y": 10, "width": 50, "height": 40, "image_width": 200, "image_height": 150}
        work = make_artwork(dataset, seed, confirmed=1, state="annotated")
        Box.objects.create(artwork=work, label=label, **box)
    choice = services.TrainingChoice("retinanet_mobilenet_v2", "quick", "none")
    run = services.start_training(dataset=dataset, user=owner, choice=choice, enqueue=False)
    async_task("training.tasks.train", run.pk, sync=True)
    run = TrainingRun.objects.get(pk=run.pk)
    assert run.state == "failed"
    assert run.message
    done = [e.payload["stage"] for e in Event.objects.filter(run=run, kind="stage") if e.payload["state"] == "done"]
    assert "train" not in done
    assert "export" not in done
    assert not Detector.objects.filter(run=run).exists()


@pytest.mark.once
@pytest.mark.parametrize(("side", "square"), [(10, 384), (60, 256)], ids=["small", "large"])
def test_a_training_of_small_things_is_planned_to_see_them_larger(
    dataset: Any, owner: Any, label: Label, make_artwork: Any, side: int, square: int
) -> None:
    for seed in range(14):
        work = make_artwork(dataset, seed, confirmed=1, state="annotated")
        box = {"x": 10, "y": 10, "width": side, "height": side, "image_width": work.width, "image_height": work.height}
        Box.objects.create(artwork=work, label=label, **box)
    choice = services.TrainingChoice("retinanet_mobilenet_v2", "standard", "none")
    run = services.start_training(dataset=dataset, user=owner, choice=choice, enqueue=False)
    workdir = tasks._prepare_training(TrainingRun.objects.get(pk=run.pk), lambda: None)
    assert config.load(workdir).input_size == square


def test_a_task_that_is_delivered_twice_works_once(
    dataset: Any, owner: Any, label: Label, artwork: Any, pretrained: Detector
) -> None:
    mapping = {str(known["id"]): label.pk for known in pretrained.labels}
    run = services.start_inference(
        dataset=dataset,
        user=owner,
        detector_id=pretrained.pk,
        artwork_id=artwork.pk,
        threshold=0.5,
        mapping=mapping,
        enqueue=False,
    )

    def deliver() -> None:
        async_task("training.tasks.infer", run.pk, sync=True)
        connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("done", 1)
    states = [event.payload["state"] for event in Event.objects.filter(run=run, kind="status")]
    assert states == ["queued", "running", "done"]


def test_what_was_deleted_long_ago_is_removed_once_a_day(dataset: Any, owner: Any, label: Label, artwork: Any) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from training import files

    long_ago = timezone.now() - timedelta(days=40)
    fields = {"kind": "trained", "dataset": dataset, "input_size": 9, "labels": []}
    run = Run.objects.create(dataset=dataset, kind="training", state="done")
    old_run = Run.objects.create(dataset=dataset, kind="training", state="cancelled", finished_at=long_ago)
    key = files.database_key()
    kept = Detector.objects.create(name="Kept", folder=f"{key}-run-{run.pk}", **fields)
    old = Detector.objects.create(name="Old", folder=f"{key}-run-{run.pk + 1}", deleted_at=long_ago, **fields)
    # Left by the runs of another database, which this one knows nothing of.
    foreign = [Path(settings.RUNS_DIR) / "0badcafe-7", files.detectors_folder() / "0badcafe-run-7"]
    folders = [files.detectors_folder() / detector.folder for detector in (kept, old)]
    work = [files.run_folder(number) for number in (run.pk + 7, old_run.pk, run.pk)]
    for folder in (*foreign, *folders, *work):
        folder.mkdir(parents=True, exist_ok=True)
    (Path(settings.DATA_DIR) / "heartbeats" / "tidied").unlink(missing_ok=True)
    async_task("training.tasks.heartbeat", "default", sync=True)
    assert [folder.exists() for folder in folders] == [True, False]
    assert [folder.exists() for folder in work] == [False, False, True]
    assert all(folder.exists() for folder in foreign)
    files.run_folder(run.pk + 8).mkdir(parents=True)
    async_task("training.tasks.heartbeat", "default", sync=True)
    assert files.run_folder(run.pk + 8).exists()
    assert (Path(settings.DATA_DIR) / "heartbeats" / "default").exists()


def test_a_folder_that_an_earlier_process_still_holds_is_waited_for(
    dataset: Any, owner: Any, label: Label, artwork: Any, pretrained: Detector
) -> None:
    import fcntl

    from training import files

    mapping = {str(known["id"]): label.pk for known in pretrained.labels}
    choice: dict[str, Any] = {"artwork_id": None, "threshold": 0.5, "mapping": mapping, "enqueue": False}
    run = services.start_inference(dataset=dataset, user=owner, detector_id=pretrained.pk, **choice)
    files.run_folder(run.pk).mkdir(parents=True)
    with (files.run_folder(run.pk) / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        release = threading.Timer(4, lambda: fcntl.flock(lock, fcntl.LOCK_UN))
        release.start()
        async_task("training.tasks.infer", run.pk, sync=True)
        release.join()
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("done", 1)


def test_an_inference_that_goes_on_counts_what_was_found_before(
    dataset: Any, owner: Any, label: Label, make_artwork: Any, pretrained: Detector
) -> None:
    from training import files

    works = [make_artwork(dataset, seed) for seed in (1, 2)]
    run = start_looking(dataset, owner, pretrained, label)
    # An earlier try found three boxes on the first artwork, and its worker was killed then.
    files.run_folder(run.pk).mkdir(parents=True)
    (files.run_folder(run.pk) / "seen.txt").write_text(f"{works[0].pk}\n")
    live.publish(run.pk, [("artwork", {"artwork": works[0].pk, "revision": 1, "boxes": 3})])
    async_task("training.tasks.infer", run.pk, sync=True)
    run.refresh_from_db()
    looked = [e.payload["artwork"] for e in Event.objects.filter(run=run, kind="artwork")]
    assert looked == [works[0].pk, works[1].pk]
    found = sum(e.payload["boxes"] for e in Event.objects.filter(run=run, kind="artwork"))
    assert found >= 3 and run.message.startswith(f"{found} suggestions on ") and run.message.endswith("of 2 artworks.")


def test_who_waits_for_one_artwork_goes_before_a_whole_dataset(
    dataset: Any, owner: Any, label: Label, make_artwork: Any, pretrained: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = [make_artwork(dataset, seed) for seed in (1, 2, 3)]
    whole = start_looking(dataset, owner, pretrained, label)
    one = start_looking(dataset, owner, pretrained, label, artwork_id=works[2].pk)
    Run.objects.update(lease_until=timezone.now())  # as if both had been handed to the queue
    Run.objects.filter(pk=one.pk).update(queued_at=timezone.now() - timedelta(seconds=turns.FREE_SECONDS + 1))
    assert not turns.is_in_the_way(one)
    monkeypatch.setattr(supervision, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(tasks, "OWN_SECONDS", 0.0)
    assert tasks.infer(whole.pk)
    whole.refresh_from_db()
    assert whole.state == "queued" and "one artwork" in whole.message and whole.in_vain == 0
    async_task(turns.TURN, "inference", sync=True)
    one.refresh_from_db()
    whole.refresh_from_db()
    assert (one.state, whole.state) == ("done", "queued")
    assert one.message.endswith("of 1 artworks.")
    async_task(turns.TURN, "inference", sync=True)
    whole.refresh_from_db()
    assert whole.state == "done" and whole.message.endswith("of 3 artworks.")


def test_a_cancel_while_the_images_are_fetched_stops_the_run(
    dataset: Any, owner: Any, label: Label, make_artwork: Any, pretrained: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training import files, tasks

    for seed in range(3):
        make_artwork(dataset, seed)
    run = start_looking(dataset, owner, pretrained, label)
    monkeypatch.setattr(tasks, "BEAT_SECONDS", 0.0)
    leases = []

    def slow(*place: Any) -> None:
        leases.append(Run.objects.get(pk=run.pk).lease_until)
        services.cancel_run(Run.objects.get(pk=run.pk))

    monkeypatch.setattr(files, "fetch_image", slow)
    async_task("training.tasks.infer", run.pk, sync=True)
    run.refresh_from_db()
    assert (run.state, len(leases)) == ("cancelled", 1)


def test_a_run_goes_on_after_the_database_or_redis_was_away(
    dataset: Any, owner: Any, label: Label, artwork: Any, pretrained: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    from redis.exceptions import ConnectionError as RedisAway

    run = start_looking(dataset, owner, pretrained, label)

    def away(*_: Any, **__: Any) -> Any:
        raise RedisAway("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr("training.tasks.supervise", away)
        with pytest.raises(RedisAway):
            async_task("training.tasks.infer", run.pk, sync=True)
    run.refresh_from_db()
    assert (run.state, run.message.split(";")[0]) == ("queued", "The database or Redis was away")
    async_task("training.tasks.infer", run.pk, sync=True)
    run.refresh_from_db()
    assert run.state == "done"


def test_going_on_counts_what_could_not_be_read_and_not_what_nobody_was_told_of(
    dataset: Any, owner: Any, label: Label, make_artwork: Any, pretrained: Detector
) -> None:
    """A worker may die between the suggestions and the word of them."""
    works = [make_artwork(dataset, seed) for seed in range(3)]
    run = start_looking(dataset, owner, pretrained, label)
    workdir = files.run_folder(run.pk)
    workdir.mkdir(parents=True)
    (workdir / "seen.txt").write_text(f"{works[0].pk}\n{works[1].pk} unreadable\n")
    async_task("training.tasks.infer", run.pk, sync=True)
    told = Run.objects.get(pk=run.pk).message
    assert "of 3 artworks" in told
    assert "1 images could not be read" in told


def test_a_command_finds_the_concepts_that_a_detector_was_trained_on_by_other_names(
    dataset: Any, owner: Any, label: Label
) -> None:
    known = [{"id": label.pk, "name": "as it was called"}, {"id": 10**6, "name": "gone"}]
    fields = {"dataset": dataset, "input_size": 9, "labels": known, "folder": "x"}
    trained = Detector.objects.create(name="Trained", kind="trained", **fields)
    assert mapping(dataset, trained.pk, []) == {str(label.pk): label.pk}
    # One from elsewhere numbers its classes by itself.
    added = Detector.objects.create(name="Added", kind="added", **fields)
    with pytest.raises(CommandError, match="as it was called, gone"):
        mapping(dataset, added.pk, [])
    assert mapping(dataset, added.pk, [f"gone={label.name}"]) == {str(10**6): label.pk}
    with pytest.raises(CommandError):
        mapping(dataset, added.pk, [f"gone={label.name}", "nobody=nothing"])
