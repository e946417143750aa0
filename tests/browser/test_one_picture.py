"""A concept on one artwork alone is refused by the page of training, until it is one particular thing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.installation import Server

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = [pytest.mark.browser, pytest.mark.slow]
# Who draws it does so in the page of annotation, which has tests of its own.
DRAW = """
from annotations.models import Label
from annotations.services import import_boxes
from datasets.models import Artwork
artwork = Artwork.objects.filter(dataset={dataset}).first()
label = Label.objects.create(dataset=artwork.dataset, name="Our Vermeer")
import_boxes(artwork=artwork, boxes=[(label.pk, 5, 5, 300, 240)], user=artwork.dataset.created_by)
"""


def test_one_particular_thing_may_be_on_one_artwork(contexts: Callable[[str], BrowserContext], server: Server) -> None:
    from playwright.sync_api import expect

    dataset = server.seed(8)["dataset"]
    server.shell(DRAW.format(dataset=dataset))
    page = contexts("olga").new_page()
    page.goto(f"/datasets/{dataset}/training/")
    refused, accepted = page.locator("#not-ready"), page.locator("#lonely")
    start = page.get_by_role("button", name="Start the training")
    expect(refused).to_contain_text("“Our Vermeer” is on 1 artwork only")
    expect(accepted).to_be_hidden()
    expect(start).to_be_disabled()
    page.get_by_label("One particular thing").check()
    expect(refused).to_be_hidden()
    expect(accepted).to_contain_text("tested on simulated photographs")
    expect(start).to_be_enabled()
    page.get_by_role("radio", name="Gentle").check()
    expect(refused).to_be_visible()
    expect(accepted).to_be_hidden()
    expect(start).to_be_disabled()
    # Without the concept, any variation will do; the server judges that again.
    page.get_by_label("Our Vermeer").uncheck()
    expect(start).to_be_enabled()
    page.close()
