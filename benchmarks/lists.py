"""`python -m benchmarks.lists`: does a page cost the same with 100 and with 10,000 artworks?

Fills an installation of its own with both, asks for the grid, the annotation page and the API's lists in turn (the two
sizes alternate, so that a noisy machine disturbs both), and prints queries, median server time and their ratio.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from typing import Any

SMALL, LARGE = 100, 10_000
ROUNDS = 40
WARM_UP = 5


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"WEBNET_DATA": folder, "DJANGO_SETTINGS_MODULE": "webnet.settings"}
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        measure()


def measure() -> None:
    from django.contrib.auth import get_user_model
    from django.test import Client

    user = get_user_model().objects.create_superuser("bench", password=None)
    client = Client(headers={"host": "localhost"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    small, large = fill(user, SMALL), fill(user, LARGE)
    print(f"{'page':34}{'queries':>9}{f'{SMALL} (ms)':>12}{f'{LARGE} (ms)':>13}{'ratio':>8}")
    for name, path in pages().items():
        few, many = path.format(**small), path.format(**large)
        times, queries = alternate(client, few, many)
        assert queries[0] == queries[1], f"{name}: {queries[0]} and {queries[1]} queries"
        first, second = (statistics.median(column) * 1000 for column in times)
        print(f"{name:34}{queries[0]:>9}{first:>12.1f}{second:>13.1f}{second / first:>8.2f}")


def pages() -> dict[str, str]:
    dataset = "/datasets/{dataset}/"
    api = "/api/datasets/{dataset}/"
    return {
        "grid": dataset,
        "grid, second page by creator": f"{dataset}?page=2&sort=creator",
        "grid, to review": f"{dataset}?state=suggested",
        "grid, by number of boxes": f"{dataset}?sort=-boxes",
        "annotation page": f"{dataset}artworks/{{artwork}}/",
        "API: artworks": f"{api}artworks/",
        "API: artworks, newest first": f"{api}artworks/?sort=-added",
        "API: boxes of an artwork": f"{api}artworks/{{artwork}}/boxes/",
        "API: concepts": f"{api}labels/",
    }


def alternate(client: Any, few: str, many: str) -> tuple[list[list[float]], list[int]]:
    """Ask for both addresses in turn; the times of each and the number of queries of each."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    times: list[list[float]] = [[], []]
    queries = [0, 0]
    for number in range(ROUNDS + WARM_UP):
        for column, path in enumerate((few, many)):
            with CaptureQueriesContext(connection) as captured:
                began = time.perf_counter()
                answer = client.get(path)
                answer.getvalue()
                seconds = time.perf_counter() - began
            assert answer.status_code == 200, (path, answer.status_code)
            queries[column] = len(captured)
            if number >= WARM_UP:
                times[column].append(seconds)
    return times, queries


def fill(user: Any, count: int) -> dict[str, int]:
    """A dataset of `count` artworks with three boxes each (rows only: no page measured here opens a file)."""
    from annotations.models import Box, Label
    from datasets.models import Artwork
    from datasets.services import create_dataset

    dice = random.Random(count)
    dataset = create_dataset(user=user, name=f"{count} artworks", description="")
    labels = [Label.objects.create(dataset=dataset, name=f"Concept {n}", colour="#336699") for n in range(8)]
    artworks = Artwork.objects.bulk_create(Artwork(dataset=dataset, **row(n, count, dice)) for n in range(count))
    sides = {"width": 100, "height": 100, "image_width": 800, "image_height": 600}
    Box.objects.bulk_create(
        Box(
            artwork=artwork,
            label=dice.choice(labels),
            x=dice.randrange(500),
            y=dice.randrange(400),
            state="suggested" if artwork.state == "suggested" else "confirmed",
            **sides,
        )
        for artwork in artworks
        if artwork.state != "todo"
        for _ in range(3)
    )
    return {"dataset": dataset.pk, "artwork": artworks[count // 2].pk}


def row(number: int, count: int, dice: random.Random) -> dict[str, Any]:
    """The fields of an artwork. Four of five are to review, so that this page of the grid is full at both sizes."""
    state = ("suggested", "suggested", "suggested", "suggested", "annotated" if number % 2 else "todo")[number % 5]
    return {
        "title": f"Work {dice.randrange(10**6)}",
        "creator": f"Painter {dice.randrange(200)}",
        "file_name": f"{number}.jpg",
        "format": "JPEG",
        "byte_size": 1,
        "sha256": f"{count:016x}{number:048x}",
        "width": 800,
        "height": 600,
        "display_width": 800,
        "display_height": 600,
        "confirmed": 3 if state == "annotated" else 0,
        "suggested": 3 if state == "suggested" else 0,
        "state": state,
    }


if __name__ == "__main__":
    main()
