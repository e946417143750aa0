"""What people are told where the disk is full, in a worker or in its database."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from django.db import OperationalError
from django_q.tasks import async_task

from annotations.models import Label
from tests.training.starting import start_looking
from training import files, services
from training.models import Detector, Event, Run

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(120),
    pytest.mark.usefixtures("no_folders_of_earlier_runs"),
]


@pytest.mark.parametrize(
    "fault", [OSError(errno.ENOSPC, "No space left on device"), OperationalError("database or disk is full")]
)
def test_a_full_disk_is_said_and_the_run_can_be_resumed(
    dataset: Any,
    owner: Any,
    label: Label,
    artwork: Any,
    pretrained: Detector,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
) -> None:
    run = start_looking(dataset, owner, pretrained, label)

    def full(*_: Any) -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(files, "fetch_image", full)
        with pytest.raises(type(fault)):
            async_task("training.tasks.infer", run.pk, sync=True)
    run = Run.objects.get(pk=run.pk)
    assert (run.state, run.message) == ("failed", "The disk is full. Make room, then resume this run.")
    told = Event.objects.get(run=run, kind="error").payload
    assert told["message"] == run.message and told["phrase"]
    services.resume_run(run)
    async_task("training.tasks.infer", run.pk, sync=True)
    assert Run.objects.get(pk=run.pk).state == "done"
