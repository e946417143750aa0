"""How long a worker is believed to live: by the database's clock, whatever those of the machines say."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from training import services
from training.models import Fetch, Run

pytestmark = [pytest.mark.services, pytest.mark.django_db, pytest.mark.usefixtures("queue")]
HOUR = timedelta(hours=1)


@contextmanager
def another_machine(ahead: timedelta) -> Iterator[None]:
    """What happens in this block happens on a machine whose clock is so far ahead."""
    right = timezone.now
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: right() + ahead)
        yield


@pytest.mark.parametrize("ahead", [HOUR, -HOUR], ids=["ahead", "behind"])
class TestClocks:
    def test_a_worker_whose_clock_is_wrong_keeps_its_run(self, dataset: Any, ahead: timedelta) -> None:
        run = Run.objects.create(dataset=dataset, kind="training")
        with another_machine(ahead):
            assert Run.objects.claim(run.pk, "there:1")
        assert services.reap_stale_runs() == 0
        assert services.cluster_is_busy("training", "there")
        with another_machine(ahead):
            assert Run.objects.keep_alive(run.pk, "there:1")
            services.end_run(run.pk, "there:1", Run.State.DONE)
        run.refresh_from_db()
        assert run.finished_at and abs(run.finished_at - timezone.now()) < HOUR / 2

    def test_its_death_is_noticed_when_its_lease_has_passed(
        self, dataset: Any, settings: Any, ahead: timedelta
    ) -> None:
        settings.RUN_LEASE_SECONDS = 0
        run = Run.objects.create(dataset=dataset, kind="training")
        with another_machine(ahead):
            assert Run.objects.claim(run.pk, "worker")
        time.sleep(0.05)
        assert services.reap_stale_runs() == 1

    def test_a_waiting_run_gets_no_other_turn_before_it_is_time(self, dataset: Any, ahead: timedelta) -> None:
        run = Run.objects.create(dataset=dataset, kind="training")
        with another_machine(ahead):
            services.turns.give(run)
        assert services.turns.give_again() == 0
        with another_machine(ahead):
            assert services.turns.give_again() == 0

    def test_a_fetch_is_seen_as_it_is(self, ahead: timedelta) -> None:
        fetch = Fetch.objects.create(key="x")
        with another_machine(ahead):
            assert Fetch.objects.claim(fetch.pk, "worker")
        for where in (timedelta(), ahead):
            with another_machine(where):
                assert Fetch.objects.with_seen_state().get().seen_state == "running"
                assert not Fetch.objects.idle().exists()
