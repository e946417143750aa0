"""Some of a dataset's own artworks as a training would see them, before it is started."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from annotations.models import Box, Label
from annotations.querysets import BoxQuerySet
from datasets import storing
from datasets.files import path_of
from datasets.models import Artwork, Dataset
from datasets.refusals import Conflict, Refusal
from training import snapshots
from training.pipeline.config import AUGMENTATIONS, RunConfig

PICTURES = 6
SIDE = 320  # pixels; sharp enough for six side by side
# Six pictures take about three seconds; most of it is loading the libraries.
SECONDS = 30
# One at a time: a process of them takes 130 MB and a core.
_one = threading.Lock()


def preview(
    dataset: Dataset, *, preset: str, seed: int, copies: bool = True, labels: list[int] | None = None
) -> dict[str, Any]:
    """Artworks that have confirmed boxes, taken by chance, varied by a preset: the same for the same seed.

    `labels`: ids of the concepts that are to be learnt, None for all; others are left out, as in a training.
    Without `copies` they are only zoomed and, where the preset says so, mirrored, as where artworks are many for the
    time. Where there are few artworks, each is shown in several variations; a dataset without boxes gives no
    pictures. Boxes are in pixels of the picture. Raises Conflict while others are being made, and Refusal where the
    process fails.
    """
    wanted = Box.objects.confirmed().filter(artwork__dataset=dataset)
    wanted = wanted if labels is None else wanted.filter(label__in=labels)
    artworks = _chosen(dataset, wanted, random.Random(seed))  # noqa: S311  not for secrets
    pictures = _with_files(artworks, _boxes(artworks, wanted))
    variety = AUGMENTATIONS[preset]
    seen = {"flip": variety.flip, "scale_min": RunConfig.scale_min, "scale_max": RunConfig.scale_max, "size": SIDE}
    request = {"preset": preset if copies else "none", "seed": seed, **seen, "pictures": pictures}
    made = _made(request) if pictures else []
    titles = {artwork.pk: str(artwork) for artwork in artworks}
    for picture in made:
        picture["artwork"] = picture.pop("id")
        picture["title"] = titles[picture["artwork"]]
    known = Label.objects.filter(dataset=dataset).values("id", "name", "colour")
    return {"preset": preset, "seed": seed, "pictures": made, "labels": list(known)}


def _chosen(dataset: Dataset, wanted: BoxQuerySet, dice: random.Random) -> list[Artwork]:
    ids = list(snapshots.artworks_of(dataset).filter(pk__in=wanted.values("artwork")).values_list("pk", flat=True))
    chosen = dice.sample(ids, min(PICTURES, len(ids)))
    found = Artwork.objects.in_bulk(chosen)
    rows = [found[number] for number in chosen if number in found]
    return (rows * PICTURES)[:PICTURES]


def _boxes(artworks: Sequence[Artwork], wanted: BoxQuerySet) -> dict[int, list[dict[str, Any]]]:
    rows: dict[int, list[dict[str, Any]]] = defaultdict(list)
    shown = wanted.filter(artwork__in={artwork.pk for artwork in artworks})
    for box in shown.order_by("created_at", "pk").values("artwork", "label", "x", "y", "width", "height"):
        rows[box["artwork"]].append({name: box[name] for name in ("label", "x", "y", "width", "height")})
    return rows


def _with_files(artworks: Sequence[Artwork], boxes: dict[int, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """What the process needs of each artwork; one whose file is gone is left out."""
    rows = []
    for artwork in artworks:
        try:
            file = storing.local_copy(path_of(artwork, "display"))
        except FileNotFoundError:
            continue
        size = {"width": artwork.width, "height": artwork.height}
        rows.append({"id": artwork.pk, "file": str(file), **size, "boxes": boxes[artwork.pk]})
    return rows


def _made(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Have the pictures made by `training.pipeline.preview`, whose libraries would burden the web process."""
    if not _one.acquire(timeout=SECONDS):
        raise Conflict(_("Other examples are being made right now. Try again in a moment."), code="busy")
    try:
        command = [sys.executable, "-m", "training.pipeline.preview"]
        options: dict[str, Any] = {"capture_output": True, "text": True, "check": True, "cwd": settings.BASE_DIR}
        child = subprocess.run(command, input=json.dumps(request), timeout=SECONDS, **options)
        return list(json.loads(child.stdout.splitlines()[-1])["pictures"])
    except (subprocess.SubprocessError, OSError, ValueError, LookupError):
        message = _("The examples could not be made. The training is not affected; try again later.")
        raise Refusal(message, code="no_preview", status_code=503) from None
    finally:
        _one.release()
