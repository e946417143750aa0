"""Runs: started once, claimed once, cancelled, resumed, and found again after their worker died."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from django_q.brokers import Broker

from annotations.models import Label
from datasets.models import Dataset
from datasets.services import create_dataset
from tests.training.starting import CHOICE, draw, start
from training import live, services, turns
from training.models import Detector, Event, InferenceRun, Run, TrainingRun

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("queue")]


@pytest.mark.django_db
class TestStarting:
    def test_too_little_to_train_on_is_refused_with_the_numbers(
        self, dataset: Any, curator: Any, client_of: Any
    ) -> None:
        url = f"/api/datasets/{dataset.pk}/training-runs/"
        answer = client_of(curator).post(url, CHOICE, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")
        assert "0" in answer.json()["message"]
        assert answer.json()["current"]["boxed"] == 0
        assert not Run.objects.exists()

    def test_a_start_freezes_the_dataset_and_fills_the_queue(
        self, ready: Any, curator: Any, client_of: Any, queue: Broker, django_capture_on_commit_callbacks: Any
    ) -> None:
        url = f"/api/datasets/{ready.pk}/training-runs/"
        with django_capture_on_commit_callbacks(execute=True):
            answer = client_of(curator).post(url, CHOICE, content_type="application/json")
        assert answer.status_code == 201, answer.content
        run = TrainingRun.objects.get(pk=answer.json()["id"])
        manifest = run.snapshot.manifest
        assert len(manifest["artworks"]) == 6
        assert {row["split"] for row in manifest["artworks"]} == {"train", "test"}
        assert run.state == "queued"
        assert queue.queue_size() == 1

    def test_a_second_training_of_the_dataset_is_refused(self, ready: Any) -> None:
        first = start(ready)
        with pytest.raises(services.Conflict) as refusal:
            start(ready)
        assert refusal.value.current == {"run": first.pk}

    @pytest.mark.parametrize(
        "wrong",
        [
            {"architecture": "magic"},
            {"budget": None},
            {"labels": ["x"]},
            {"labels": [999999]},
            {"seed": -1},
            {"name": "x" * 300},
            {"budget": "own"},
            {"budget": "own", "minutes": 1},
            {"budget": "quick", "minutes": 25},
            {"budget": "own", "minutes": 100_000},
            {"start": 999999},
            {"start": "x"},
        ],
    )
    def test_a_wrong_choice_is_a_clear_refusal(self, wrong: Any, ready: Any, curator: Any, client_of: Any) -> None:
        url = f"/api/datasets/{ready.pk}/training-runs/"
        answer = client_of(curator).post(url, CHOICE | wrong, content_type="application/json")
        assert answer.status_code == 400, answer.content
        assert answer.json()["message"]
        assert not Run.objects.exists()

    def test_a_time_of_ones_own_is_kept(self, ready: Any, curator: Any, client_of: Any) -> None:
        url = f"/api/datasets/{ready.pk}/training-runs/"
        own = CHOICE | {"budget": "own", "minutes": 25}
        answer = client_of(curator).post(url, own, content_type="application/json")
        assert answer.json()["training"]["minutes"] == 25
        page = client_of(curator).get(answer.json()["urls"]["page"])
        assert "25 minutes" in page.content.decode()

    def test_unreviewed_suggestions_are_not_trained_on(self, ready: Any, label: Label, make_artwork: Any) -> None:
        undecided = make_artwork(ready, 50)
        draw(undecided, label, state="suggested", source="detector", score=0.9)
        type(undecided).objects.filter(pk=undecided.pk).update(confirmed=0, suggested=1, state="suggested")
        manifest = start(ready).snapshot.manifest
        assert undecided.pk not in {row["id"] for row in manifest["artworks"]}

    def test_artworks_with_nothing_to_mark_are_trained_on(self, ready: Any, make_artwork: Any) -> None:
        empty = make_artwork(ready, 51, nothing_to_mark=True, state="nothing")
        rows = {row["id"]: row for row in start(ready).snapshot.manifest["artworks"]}
        assert rows[empty.pk]["boxes"] == []

    def test_equal_data_gives_equal_snapshots(self, ready: Any) -> None:
        first = start(ready, seed=3)
        services.cancel_run(first)
        assert start(ready, seed=3).snapshot.sha256 == first.snapshot.sha256


@pytest.mark.django_db
class TestInference:
    def test_it_needs_a_mapping_to_the_datasets_own_labels(
        self, dataset: Any, annotator: Any, client_of: Any, detector: Detector, label: Label, outsider: Any
    ) -> None:
        foreign = Label.objects.create(dataset=outsider.memberships.get().dataset, name="Foreign", colour="#000000")
        url = f"/api/datasets/{dataset.pk}/inference-runs/"
        wanted = {"detector": detector.pk, "threshold": 0.5}
        for mapping, code in [
            ({}, "empty_mapping"),
            ({"1": foreign.pk}, "unknown_label"),
            ({"7": label.pk}, "unknown_class"),
        ]:
            answer = client_of(annotator).post(url, {**wanted, "mapping": mapping}, content_type="application/json")
            assert (answer.status_code, answer.json()["code"]) == (400, code)
        answer = client_of(annotator).post(url, {**wanted, "mapping": {"1": label.pk}}, content_type="application/json")
        assert answer.status_code == 201, answer.content

    def test_a_detector_in_use_cannot_be_deleted(self, dataset: Any, label: Label, owner: Any) -> None:
        trained = Detector.objects.create(
            name="Own",
            kind="trained",
            dataset=dataset,
            architecture="x",
            input_size=9,
            labels=[{"id": 1, "name": "A"}],
            folder="x",
        )
        choice = {"detector_id": trained.pk, "artwork_id": None, "threshold": 0.5, "mapping": {"1": label.pk}}
        run = services.start_inference(dataset=dataset, user=owner, **choice)
        with pytest.raises(services.Conflict):
            services.delete_detector(trained)
        services.cancel_run(run)
        services.delete_detector(trained)
        with pytest.raises(services.Refusal):
            services.start_inference(dataset=dataset, user=owner, **choice)
        with pytest.raises(services.Conflict):
            services.resume_run(Run.objects.get(pk=run.pk))

    def test_another_datasets_detector_is_not_there(
        self, dataset: Any, outsider: Any, label: Label, owner: Any
    ) -> None:
        theirs = outsider.memberships.get().dataset
        foreign = Detector.objects.create(
            name="Theirs",
            kind="trained",
            dataset=theirs,
            architecture="x",
            input_size=9,
            labels=[{"id": 1, "name": "A"}],
            folder="x",
        )
        with pytest.raises(services.Refusal):
            services.start_inference(
                dataset=dataset,
                user=owner,
                detector_id=foreign.pk,
                artwork_id=None,
                threshold=0.5,
                mapping={"1": label.pk},
            )


@pytest.mark.django_db
class TestLife:
    def run_row(self, dataset: Any, **fields: Any) -> Run:
        return Run.objects.create(dataset=dataset, kind="training", **fields)

    def test_a_waiting_run_is_cancelled_at_once(self, ready: Any) -> None:
        run = start(ready)
        services.cancel_run(run)
        run.refresh_from_db()
        assert run.state == "cancelled"
        assert not Run.objects.claim(run.pk, "late worker")

    def test_an_ended_run_cannot_be_cancelled(self, dataset: Any) -> None:
        with pytest.raises(services.Conflict):
            services.cancel_run(self.run_row(dataset, state="done"))

    def test_a_silent_worker_is_noticed_and_its_run_handed_out_again(self, dataset: Any) -> None:
        run = self.run_row(dataset)
        assert Run.objects.claim(run.pk, "first")
        Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        assert services.reap_stale_runs() == 1
        run.refresh_from_db()
        assert run.state == "queued"
        assert not Run.objects.keep_alive(run.pk, "first")
        assert Run.objects.claim(run.pk, "second")
        assert not services.end_run(run.pk, "first", Run.State.DONE)
        run.refresh_from_db()
        assert (run.state, run.worker, run.attempts) == ("running", "second", 2)

    def test_a_run_of_a_deleted_dataset_stops_and_waits_until_that_is_restored(self, dataset: Any) -> None:
        run = self.run_row(dataset)
        assert Run.objects.claim(run.pk, "first")
        Dataset.objects.filter(pk=dataset.pk).update(deleted_at=timezone.now())
        assert not Run.objects.keep_alive(run.pk, "first")
        services.interrupt_run(run, "stopped", orderly=True)
        Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        assert services.reap_stale_runs() == 0
        assert not Run.objects.claim(run.pk, "second")
        Dataset.objects.filter(pk=dataset.pk).update(deleted_at=None)
        assert services.reap_stale_runs() == 1
        assert Run.objects.claim(run.pk, "third")
        assert Run.objects.keep_alive(run.pk, "third")

    def test_a_run_that_kills_its_workers_is_given_up(self, dataset: Any) -> None:
        past = timezone.now() - timedelta(seconds=1)
        run = self.run_row(dataset, state="running", in_vain=settings.RUN_MAX_TRIES_IN_VAIN - 1, lease_until=past)
        services.reap_stale_runs()
        run.refresh_from_db()
        assert run.state == "interrupted"
        assert run.finished_at
        assert run.message.startswith("4 tries in a row") and run.message.endswith("then resume the run.")
        assert "worker was interrupted" in run.events.get(kind="log").payload["text"]

    def test_runs_that_the_queue_has_lost_come_back_in_their_order(
        self,
        dataset: Any,
        owner: Any,
        queue: Broker,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        past = timezone.now() - timedelta(seconds=1)
        others = [create_dataset(user=owner, name=name, description="") for name in ("second", "third")]
        runs = [self.run_row(each, lease_until=past) for each in (dataset, *others)]
        with django_capture_on_commit_callbacks(execute=True):
            assert services.reap_stale_runs() == 3
        assert queue.queue_size() == 3
        for run in runs:
            assert turns.next_of("training") == run.pk
            assert turns.claim(run.pk)

    def test_a_run_that_gets_further_each_time_is_never_given_up(self, dataset: Any) -> None:
        run = self.run_row(dataset)
        for step in range(10, 200, 10):
            assert Run.objects.claim(run.pk, "w")
            live.publish(run.pk, [("metrics", {"step": step})])
            run.refresh_from_db()
            services.interrupt_run(run, "killed")
        for _ in range(settings.RUN_MAX_TRIES_IN_VAIN):
            assert Run.objects.claim(run.pk, "w")
            live.publish(run.pk, [("metrics", {"step": 150})])
            run.refresh_from_db()
            services.interrupt_run(run, "killed")
        run.refresh_from_db()
        assert (run.state, run.attempts) == ("interrupted", 19 + settings.RUN_MAX_TRIES_IN_VAIN)

    def test_a_finished_stage_is_as_good_as_a_step(self, dataset: Any) -> None:
        run = self.run_row(dataset)
        for stage in ("augment", "augment", "tfrecord", "tfrecord", "configure"):
            live.publish(run.pk, [("stage", {"stage": stage, "state": "done"}), ("log", {"text": "x"})])
        assert run.furthest() == 3
        live.publish(run.pk, [("metrics", {"step": 12})])
        assert run.furthest() == 15

    def test_a_cancelled_run_whose_worker_died_is_cancelled(self, dataset: Any) -> None:
        past = timezone.now() - timedelta(seconds=1)
        run = self.run_row(dataset, state="running", cancel_requested=True, lease_until=past)
        services.reap_stale_runs()
        run.refresh_from_db()
        assert run.state == "cancelled"

    def test_a_run_that_the_queue_lost_is_handed_out_again(
        self, dataset: Any, queue: Broker, django_capture_on_commit_callbacks: Any
    ) -> None:
        self.run_row(dataset, lease_until=timezone.now() - timedelta(seconds=1))
        with django_capture_on_commit_callbacks(execute=True):
            assert services.reap_stale_runs() == 1
        assert queue.queue_size() == 1
        assert services.reap_stale_runs() == 0

    def test_a_cancelled_training_can_go_on(self, ready: Any) -> None:
        run = start(ready)
        services.cancel_run(run)
        services.resume_run(Run.objects.get(pk=run.pk))
        run.refresh_from_db()
        assert (run.state, run.cancel_requested, run.finished_at) == ("queued", False, None)
        states = [event.payload["state"] for event in Event.objects.filter(run=run, kind="status")]
        assert states == ["queued", "cancelled", "queued"]

    def test_it_does_not_go_on_beside_a_newer_training(self, ready: Any) -> None:
        run = start(ready)
        services.cancel_run(run)
        start(ready)
        with pytest.raises(services.Conflict) as refusal:
            services.resume_run(Run.objects.get(pk=run.pk))
        assert refusal.value.get_codes() == "busy"

    def test_a_new_detector_never_overwrites_an_older_one(self, ready: Any, tmp_path: Path) -> None:
        detectors = []
        for number in range(2):
            run = start(ready, name="The same name")
            made = tmp_path / str(number)
            made.mkdir()
            (made / "detector.json").write_text(
                json.dumps({"input_size": 256, "labels": [], "metrics": {"AP": number}})
            )
            detectors.append(services.register_trained(run, made))
            assert services.register_trained(run, made) == detectors[-1]
            services.cancel_run(run)
        assert detectors[0].folder != detectors[1].folder
        assert [detector.metrics["AP"] for detector in detectors] == [0, 1]


@pytest.mark.django_db(transaction=True)
class TestExactlyOnce:
    def test_one_of_many_workers_gets_a_run(self, dataset: Any) -> None:
        run = Run.objects.create(dataset=dataset, kind="inference")
        won: list[str] = []
        barrier = threading.Barrier(12)

        def claim(name: str) -> None:
            barrier.wait()
            if Run.objects.claim(run.pk, name):
                won.append(name)
            connection.close()

        threads = [threading.Thread(target=claim, args=(f"worker {n}",)) for n in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        run.refresh_from_db()
        assert won == [run.worker]
        assert run.attempts == 1

    def test_one_of_two_simultaneous_starts_becomes_a_training(self, ready: Any) -> None:
        outcomes: list[str] = []
        barrier = threading.Barrier(4)

        def press() -> None:
            barrier.wait()
            try:
                start(ready)
                outcomes.append("started")
            except services.Conflict as refusal:
                outcomes.append(str(refusal.get_codes()))
            connection.close()

        threads = [threading.Thread(target=press) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["busy", "busy", "busy", "started"]
        assert TrainingRun.objects.count() == 1
        assert InferenceRun.objects.count() == 0
