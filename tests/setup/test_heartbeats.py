"""When a cluster's pulse is felt."""

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from training.models import Run
from webnet import heartbeats
from webnet.heartbeats import Heartbeat

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("redis", "beats"), [("redis://127.0.0.1/0", 1), ("", 2)])
def test_beats_do_not_pile_up_on_redis_behind_a_training_of_hours(
    dataset: Any, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, redis: str, beats: int
) -> None:
    """Without Redis the next one waits for the answer to the last; with it, it is not known who answers where."""
    sent: list[str] = []
    reaped: list[float] = []
    monkeypatch.setattr(heartbeats.services, "reap_stale_runs", lambda: reaped.append(time.time()))
    monkeypatch.setattr(heartbeats, "async_task", lambda *_, cluster, **__: sent.append(cluster))
    settings.REDIS_URL = redis

    def answer() -> None:
        (tmp_path / "training").touch()
        os.utime(tmp_path / "training", (time.time() + 1,) * 2)  # the file system's clock is a little behind

    pulse = Heartbeat("training", tmp_path, seconds=0.0)
    assert not pulse.is_hung() and sent == ["training"]
    answer()
    later = timezone.now() + timedelta(seconds=60)
    run = Run.objects.create(dataset=dataset, kind="training", state="running", lease_until=later)
    assert not pulse.is_hung() and len(sent) == beats
    assert len(reaped) == bool(redis), "who died is still looked for"
    Run.objects.filter(pk=run.pk).update(state="done")
    answer()
    assert not pulse.is_hung() and len(sent) == beats + 1
