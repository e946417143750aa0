"""Whose turn it is: the order is the database's, whatever the queue and busy machines keep."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from django_q.brokers import Broker
from django_q.tasks import async_task

from annotations.models import Label
from datasets.services import create_dataset
from tests.installation import meanwhile
from tests.training.starting import draw, start, start_looking
from training import services, turns
from training.models import Detector, Run

pytestmark = [pytest.mark.services, pytest.mark.timeout(240)]
PAST = timedelta(seconds=-1)


def waits(run: Run, since: timedelta = PAST) -> None:
    """As if it had been handed to the queue, which was to be over with it by `since` from now."""
    Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() + since)


@pytest.fixture
def runs(dataset: Any, owner: Any) -> list[Run]:
    """Three trainings of different datasets that nobody has taken, in their order."""
    others = [create_dataset(user=owner, name=name, description="") for name in ("second", "third")]
    later = timezone.now() + timedelta(seconds=60)
    return [Run.objects.create(dataset=each, kind="training", lease_until=later) for each in (dataset, *others)]


def do_turn(kind: str = "training") -> None:
    async_task(turns.TURN, kind, sync=True)


@pytest.mark.django_db
class TestOrder:
    def test_an_interrupted_run_goes_on_before_those_that_came_after_it(self, runs: list[Run]) -> None:
        first, second, third = (run.pk for run in runs)
        for expected in (first, second):
            assert turns.next_of("training") == expected
            assert turns.claim(expected)
        for pk in (second, first):
            services.interrupt_run(Run.objects.get(pk=pk), "killed")
        for expected in (first, second, third):
            assert turns.next_of("training") == expected
            assert turns.claim(expected)
        assert turns.next_of("training") is None

    def test_a_run_that_somebody_resumes_goes_on_after_those_that_wait(self, runs: list[Run]) -> None:
        services.cancel_run(runs[0])
        services.resume_run(Run.objects.get(pk=runs[0].pk))
        seen = []
        while (pk := turns.next_of("training")) and turns.claim(pk):
            seen.append(pk)
        assert seen == [runs[1].pk, runs[2].pk, runs[0].pk]

    def test_trainings_and_inferences_wait_apart(self, runs: list[Run], dataset: Any) -> None:
        assert turns.next_of("inference") is None
        waiting = Run.objects.create(dataset=dataset, kind="inference", lease_until=timezone.now())
        assert turns.next_of("inference") == waiting.pk

    def test_a_run_that_was_not_handed_to_the_queue_is_its_callers(self, dataset: Any) -> None:
        """As on the command line, which does the run itself."""
        Run.objects.create(dataset=dataset, kind="training")
        assert turns.next_of("training") is None

    def test_a_cancelled_run_and_one_of_a_deleted_dataset_are_nobodys_turn(self, runs: list[Run]) -> None:
        services.cancel_run(runs[0])
        type(runs[1].dataset).objects.filter(pk=runs[1].dataset_id).update(deleted_at=timezone.now())
        assert turns.next_of("training") == runs[2].pk


@pytest.mark.django_db
class TestSeveralMachines:
    def test_a_free_machine_gets_the_run_whose_turn_a_busy_one_has_taken(
        self, runs: list[Run], queue: Broker, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            turns.give(runs[1])
        time.sleep(0.01)
        assert queue.dequeue(), "what the cluster of a busy machine does with any task that it finds"
        assert turns.claim(runs[0].pk), "so it is busy"
        waits(runs[1])
        with django_capture_on_commit_callbacks(execute=True):
            assert services.reap_stale_runs() == 1
        assert queue.queue_size() == 1

    def test_turns_do_not_pile_up_behind_a_run_of_hours(
        self, runs: list[Run], queue: Broker, django_capture_on_commit_callbacks: Any
    ) -> None:
        assert turns.claim(runs[0].pk)
        given = []
        for _ in range(5):
            for run in runs[1:]:
                waits(run)
            with django_capture_on_commit_callbacks(execute=True):
                given.append(services.reap_stale_runs())
        assert given == [2, 0, 0, 0, 0]
        assert queue.queue_size() == 2


@contextmanager
def beating(run: Run) -> Iterator[None]:
    """A worker somewhere that keeps the lease of this run, for as long as the block lasts."""

    def beat(over: threading.Event) -> None:
        while not over.wait(0.2):
            Run.objects.keep_alive(run.pk, "elsewhere")
        connection.close()

    assert Run.objects.claim(run.pk, "elsewhere")
    with meanwhile(beat):
        yield


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_folders_of_earlier_runs", "queue")
class TestTurns:
    @pytest.fixture
    def trainings(
        self, ready: Any, owner: Any, make_artwork: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> list[Run]:
        """Two that fail as soon as they are tried, for want of weights, so that nobody has to wait for them."""
        monkeypatch.setattr(settings, "WEIGHTS_DIR", tmp_path / "no-weights")
        other = create_dataset(user=owner, name="other", description="")
        label = Label.objects.create(dataset=other, name="Thing", colour="#112233")
        for seed in range(6):
            draw(make_artwork(other, seed), label)
        return [start(each) for each in (ready, other)]

    def test_a_run_whose_worker_was_killed_a_moment_ago_goes_on_before_the_next_one(self, trainings: list[Run]) -> None:
        """The cluster starts another worker in half a second, which finds the next run's turn in its hand."""
        first, second = trainings
        assert turns.claim(first.pk)
        waits(first, timedelta(seconds=1.5))
        do_turn()
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.state, first.attempts, second.state) == ("failed", 2, "queued")
        do_turn()
        second.refresh_from_db()
        assert (second.state, second.attempts) == ("failed", 1)
        do_turn()

    def test_a_run_that_another_machine_works_on_is_not_waited_for(self, trainings: list[Run]) -> None:
        first, second = trainings
        with beating(first):
            began = time.monotonic()
            turns.listen("training")
            assert time.monotonic() - began < settings.RUN_LEASE_SECONDS / 2
            do_turn()
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.state, first.worker, second.state) == ("running", "elsewhere", "failed")

    def test_each_turn_does_one_run_in_their_order(
        self, dataset: Any, owner: Any, label: Label, make_artwork: Any, pretrained: Detector
    ) -> None:
        works = [make_artwork(dataset, seed) for seed in range(2)]
        looks = [start_looking(dataset, owner, pretrained, label, artwork_id=work.pk, enqueue=True) for work in works]
        states = [["queued", "queued"], ["done", "queued"], ["done", "done"], ["done", "done"]]
        for expected in states:
            assert (
                list(
                    Run.objects.filter(pk__in=[run.pk for run in looks]).order_by("pk").values_list("state", flat=True)
                )
                == expected
            )
            do_turn("inference")

    def test_a_task_of_an_earlier_version_does_the_run_that_it_names(
        self, dataset: Any, owner: Any, label: Label, make_artwork: Any, pretrained: Detector
    ) -> None:
        works = [make_artwork(dataset, seed) for seed in range(2)]
        first, second = (
            start_looking(dataset, owner, pretrained, label, artwork_id=work.pk, enqueue=True) for work in works
        )
        async_task("training.tasks.infer", second.pk, sync=True)
        second.refresh_from_db()
        assert (second.state, turns.next_of("inference")) == ("done", first.pk)

    def test_many_who_are_free_at_once_do_each_run_once(self, runs: list[Run]) -> None:
        barrier = threading.Barrier(6)
        taken: list[int] = []

        def take() -> None:
            barrier.wait()
            while run_id := turns.next_of("training"):
                if turns.claim(run_id):
                    taken.append(run_id)
                    break
            connection.close()

        threads = [threading.Thread(target=take) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(taken) == [run.pk for run in runs]
        assert set(Run.objects.values_list("attempts", flat=True)) == {1}
