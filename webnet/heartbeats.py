"""Notice a queue cluster that hangs: alive, but taking no task.

django-q2 hangs when an idle worker is killed (it dies holding the lock of the task queue). So a small task is sent
through each cluster; a cluster that lets it lie although it has nothing else to do is to be restarted.
"""

import socket
import time
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django_q.models import Task
from django_q.tasks import async_task

from training import services
from webnet import brokers

TASK = "training.tasks.heartbeat"
# A cluster on a busy machine may take this long from its start to its first task.
SECONDS_TO_START = 20.0


class Heartbeat:
    """The pulse of one cluster of this machine.

    `seconds` is the time between two beats; three without an answer is a hang. `folder` may be shared with others.
    """

    def __init__(self, cluster: str, folder: Path, seconds: float) -> None:
        self.cluster, self.seconds = cluster, seconds
        self._host = socket.gethostname()
        self._file = folder / f"{cluster}-{self._host}"
        self._sent_at = 0.0
        self._started_at = time.time()
        # When to look for a reason why the last beat is not answered; None where it is.
        self._patient_until: float | None = None
        self._in_doubt = False

    def is_hung(self) -> bool:
        """Send the next beat if it is time, and say whether the cluster has let the last one lie."""
        now = time.time()
        if self._patient_until is not None and self._answered_at() >= self._sent_at:
            self._patient_until = None
        if self._patient_until is None:
            if now - self._sent_at >= self.seconds:
                self._send(now)
            return False
        if now <= self._patient_until:
            return False
        if self._has_reason():
            self._wait_from(now)
            return False
        if self._in_doubt:
            return True
        # What it worked on may have ended a moment ago: the beat is next, but not there yet.
        self._in_doubt, self._patient_until = True, now + self.seconds
        return False

    def forgive(self) -> None:
        """Begin anew because the cluster is started again; the beat that it had taken is lost with it."""
        self._started_at = time.time()
        self._patient_until = None

    def _send(self, now: float) -> None:
        self._sent_at = now
        self._wait_from(max(now, self._started_at + SECONDS_TO_START))
        # The queue in Redis is shared with other machines, whose clusters would answer for a hung one.
        broker = brokers.Own(self.cluster) if settings.REDIS_URL else None
        async_task(TASK, self._file.name, now, cluster=self.cluster, broker=broker, save=False)

    def _wait_from(self, then: float) -> None:
        self._in_doubt, self._patient_until = False, then + 2 * self.seconds

    def _answered_at(self) -> float:
        """When the beat was sent that was answered last."""
        # Some file systems know the time to the microsecond only.
        return self._file.stat().st_mtime + 0.001 if self._file.exists() else 0.0

    def _has_reason(self) -> bool:
        """Whether it works on a run, or has finished some other task a moment ago."""
        if services.cluster_is_busy(self.cluster, self._host):
            return True
        if settings.REDIS_URL:
            # Nobody knows which machine has finished a task. None of them takes long, and a beat overtakes those that
            # wait in the shared queue.
            return False
        recently = timezone.now() - timedelta(seconds=3 * self.seconds)
        return bool(Task.objects.filter(cluster=self.cluster, stopped__gte=recently).exists())
