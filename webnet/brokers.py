"""The queue in Redis, and beside it one for each machine: what only this machine's cluster can answer goes there."""

import socket

from django_q.brokers.redis_broker import Redis


class SharedAndOwn(Redis):
    """What the clusters of all machines take tasks from; each looks into its machine's own queue first."""

    @property
    def own_key(self) -> str:
        """The key in Redis of this machine's queue."""
        return f"{self.list_key}:{socket.gethostname()}"

    def dequeue(self) -> list[tuple[None, bytes]] | None:
        """The next task, as django-q2 wants it; None where a second brings none."""
        task = self.connection.blpop([self.own_key, self.list_key], 1)
        return [(None, task[1])] if task else None


class Own(SharedAndOwn):
    """For whoever sends a task to this machine's cluster alone."""

    def enqueue(self, task: bytes) -> int:
        """Put a packed task at the end; return how many wait."""
        return int(self.connection.rpush(self.own_key, task))
