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


class Heartbeat:
    """The pulse of one cluster. `seconds` is the time between two beats; three without an answer is a hang."""

    def __init__(self, cluster: str, folder: Path, seconds: float) -> None:
        self.cluster, self.seconds = cluster, seconds
        self._file = folder / cluster
        self._sent_at = 0.0
        self._waiting_since: float | None = None

    def is_hung(self) -> bool:
        """Send the next beat if it is time, and say whether the cluster has let the last one lie."""
        now = time.time()
        if self._waiting_since is not None and self._answered_at() >= self._waiting_since:
            self._waiting_since = None
        if self._waiting_since is None or settings.REDIS_URL:
            if now - self._sent_at >= self.seconds:
                self._send(now)
            return False
        # On Redis the queue may be shared: another machine's cluster may have answered, in its own data folder.
        return not settings.REDIS_URL and now - self._waiting_since > 3 * self.seconds and not self._has_reason()

    def forgive(self) -> None:
        """Begin to wait anew, after the cluster was started or restarted: the beat is still in its queue."""
        if self._waiting_since is not None:
            self._waiting_since = time.time()

    def _send(self, now: float) -> None:
        async_task(TASK, self.cluster, cluster=self.cluster, save=False)
        self._sent_at = self._waiting_since = now

    def _answered_at(self) -> float:
        return self._file.stat().st_mtime if self._file.exists() else 0.0

    def _has_reason(self) -> bool:
        """Whether it works on a run, or has finished some other task a moment ago."""
        recently = timezone.now() - timedelta(seconds=3 * self.seconds)
        finished = Task.objects.filter(cluster=self.cluster, stopped__gte=recently)
        return services.cluster_is_busy(self.cluster) or finished.exists()
