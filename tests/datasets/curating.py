"""What tests of the curators' admin share."""

from typing import Any

import pytest

from datasets import services
from datasets.models import Artwork

LIST = "/admin/datasets/artwork/"


def page(client: Any, url: str) -> str:
    """The HTML of a page that there is."""
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def race(monkeypatch: pytest.MonkeyPatch, artwork: Artwork, **columns: Any) -> None:
    """Let somebody else change `artwork` between the form's look at it and the save."""
    save = services.update_metadata

    def be_late(**given: Any) -> Artwork:
        if given["artwork"].pk == artwork.pk:
            Artwork.objects.filter(pk=artwork.pk).update(**columns)
        return save(**given)

    monkeypatch.setattr(services, "update_metadata", be_late)
