"""`manage.py purge`: remove for good what was deleted over 30 days ago, and uploaded archives older than a day."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from datasets import services


class Command(BaseCommand):
    help = "Remove for good what was deleted over 30 days ago, with its files, and archives older than a day."

    def handle(self, *args: Any, **options: Any) -> None:
        gone = services.purge()
        self.stdout.write(
            f"Removed: {gone['datasets']} datasets, {gone['artworks']} artworks, {gone['archives']} archives."
        )
