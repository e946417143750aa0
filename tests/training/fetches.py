"""Fetching what the catalogue offers, as a worker does it."""

from __future__ import annotations

from typing import Any

from django_q.tasks import async_task

from training import fetching
from training.models import Fetch


def work(user: Any, key: str) -> Fetch:
    """Ask for a detector, and let a worker do it here; the detector's own queue entry is never taken."""
    fetching.start_fetch(key=key, user=user)
    fetch = Fetch.objects.get(key=key)
    async_task("training.tasks.fetch", fetch.pk, sync=True)
    fetch.refresh_from_db()
    return fetch
