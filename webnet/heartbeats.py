"""Notice a queue cluster that hangs: alive, but taking no task.

django-q2 hangs when an idle worker is killed (it dies holding the lock of the task queue). So a small task is sent
through each cluster; a cluster that lets it lie although it has nothing else to do is to be restarted.
"""

import time
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django_q.models import Task
from django_q.tasks import async_task

from training import services

TASK = "training.tasks.heartbeat"
# A cluster on a busy machine may take this long from its start to its first task.
SECONDS_TO_START = 20.0


class Heartbeat:
    """The pulse of one cluster. `seconds` is the time between two beats; three without an answer is a hang."""

    def __init__(self, cluster: str, folder: Path, seconds: float) -> None:
        self.cluster, self.seconds = cluster, seconds
        self._file = folder / cluster
        self._sent_at = 0.0
        self._started_at = time.time()
        self._waiting_since: float | None = None

    def is_hung(self) -> bool:
        """Send the next beat if it is time, and say whether the cluster has let the last one lie."""
        now = time.time()
        if self._waiting_since is not None and self._answered_at() >= self._waiting_since:
            self._waiting_since = None
        # On Redis the queue may be shared: another machine's cluster may have answered, in its own data folder.
        if self._waiting_since is None or settings.REDIS_URL:
            if now - self._sent_at >= self.seconds:
                self._send(now)
            return False
        patient_until = max(self._waiting_since, self._started_at + SECONDS_TO_START) + 3 * self.seconds
        return now > patient_until and not self._has_reason()

    def forgive(self) -> None:
        """Begin anew because the cluster is started again; the beat that it had taken is lost with it."""
        self._started_at = time.time()
        self._waiting_since = None

    def _send(self, now: float) -> None:
        self._sent_at = now
        if settings.REDIS_URL and services.cluster_is_busy(self.cluster):
            # Nobody may take it for hours, and a night's worth of beats would delay the run after the next. What else a
            # beat is for is done here.
            services.reap_stale_runs()
            return
        self._waiting_since = now
        async_task(TASK, self.cluster, cluster=self.cluster, save=False)

    def _answered_at(self) -> float:
        return self._file.stat().st_mtime if self._file.exists() else 0.0

    def _has_reason(self) -> bool:
        """Whether it works on a run, or has finished some other task a moment ago."""
        recently = timezone.now() - timedelta(seconds=3 * self.seconds)
        finished = Task.objects.filter(cluster=self.cluster, stopped__gte=recently)
        return services.cluster_is_busy(self.cluster) or finished.exists()
