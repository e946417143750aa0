"""`python -m tests.seed [ARTWORKS]`: fill the installation of the environment with a small dataset that can be learnt.

Each artwork shows one to three discs and bars of plain colour on a plain ground, with their boxes confirmed. Prints
JSON: the ids of dataset and labels.
"""

from __future__ import annotations

import json
import os
import random
import sys
from typing import Any

LABELS = (("Disc", "#cc3311"), ("Bar", "#0077bb"))
WIDTH, HEIGHT = 320, 256


def main(count: int) -> dict[str, Any]:
    from django.contrib.auth import get_user_model
    from django.core.files.uploadedfile import SimpleUploadedFile

    from annotations.models import Label
    from annotations.services import import_boxes
    from datasets.services import add_artwork, create_dataset
    from tests.installation import PASSWORD

    users = get_user_model().objects
    user = users.filter(username="olga").first() or users.create_superuser("olga", password=PASSWORD)
    dataset = create_dataset(user=user, name="Discs and bars", description="")
    labels = [Label.objects.create(dataset=dataset, name=name, colour=colour).pk for name, colour in LABELS]
    for seed in range(count):
        image, places = shapes(random.Random(seed))
        artwork = add_artwork(dataset=dataset, user=user, upload=SimpleUploadedFile(f"work {seed}.png", image))
        import_boxes(artwork=artwork, boxes=[(labels[kind], *place) for kind, *place in places], user=user)
    return {"dataset": dataset.pk, "labels": labels}


def shapes(dice: random.Random) -> tuple[bytes, list[tuple[int, float, float, float, float]]]:
    """A picture and its (kind, x, y, width, height): one shape per third of the width."""
    import pyvips

    ground = [dice.randint(190, 250) for _ in range(3)]
    image = (pyvips.Image.black(WIDTH, HEIGHT, bands=3) + ground).cast("uchar").copy(interpretation="srgb")
    places: list[tuple[int, float, float, float, float]] = []
    for column in range(dice.randint(1, 3)):
        kind, left, top = dice.randint(0, 1), 10 + column * 105, dice.randint(10, 140)
        ink = [dice.randint(0, 90) for _ in range(3)]
        if kind == 0:
            radius = dice.randint(28, 45)
            image = image.draw_circle(ink, left + radius, top + radius, radius, fill=True)
            places.append((0, left, top, 2 * radius + 1, 2 * radius + 1))
        else:
            width, height = dice.randint(25, 40), dice.randint(80, 100)
            image = image.draw_rect(ink, left, top, width, height, fill=True)
            places.append((1, left, top, width, height))
    return bytes(image.write_to_buffer(".png")), places


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webnet.settings")
    import django

    django.setup()
    print(json.dumps(main(int(sys.argv[1]) if len(sys.argv) > 1 else 12)))
