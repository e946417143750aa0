"""What a run says reaches each reader in their own language: pages and API by request, sockets by their address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async

from tests.training.sockets import collect, make_run, socket
from training import live, services
from training.models import Run
from training.pipeline import events
from training.pipeline.translation import Phrase, gettext_noop, phrase_from, phrase_json

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

GOING_ON = Phrase(gettext_noop("Going on after step %(step)d."), step=40)
FULL = Phrase(gettext_noop("The disk is full. Make room, then resume the training."))


@pytest.fixture(autouse=True)
def compiled(italian_catalogue: None) -> None:
    """The Italian texts, compiled."""


def test_a_phrase_is_its_english_sentence_and_survives_json() -> None:
    assert GOING_ON == "Going on after step 40."
    again = phrase_from(str(GOING_ON), phrase_json(GOING_ON))
    assert (again, phrase_json(again)) == (GOING_ON, phrase_json(GOING_ON))
    assert phrase_from("a file's name", phrase_json("a file's name")) == "a file's name"


def test_the_same_run_is_told_in_english_and_in_italian(
    dataset: Any, owner: Any, client_of: Callable[..., Any]
) -> None:
    run = make_run(dataset)
    Run.objects.filter(pk=run.pk).update(worker="w")
    assert services.end_run(run.pk, "w", Run.State.FAILED, FULL)
    address = f"/api/datasets/{dataset.pk}/runs/{run.pk}/"
    told = {
        language: client_of(owner, headers={"Accept-Language": language}).get(address).json()["message"]
        for language in ("en", "it")
    }
    assert told == {"en": str(FULL), "it": "Il disco è pieno. Libera spazio, poi riprendi l’addestramento."}
    answer = client_of(owner, headers={"Accept-Language": "it"}).get(f"{address}events/").json()
    assert answer["results"][-1]["payload"] == {"state": "failed", "message": told["it"]}


async def test_two_sockets_hear_one_event_in_the_languages_of_their_pages(dataset: Any, owner: Any) -> None:
    run = await database_sync_to_async(make_run)(dataset)
    line = events.log(GOING_ON)
    publish = database_sync_to_async(live.publish)
    await publish(run.pk, [(line["kind"], line["payload"])])
    async with (
        socket(owner, dataset.pk, query="?language=it") as italian,
        socket(owner, dataset.pk, query="?language=xx") as other,
    ):
        await publish(run.pk, [(line["kind"], line["payload"])])
        heard = [[event["payload"] for event in await collect(one, 2)] for one in (italian, other)]
    assert heard == [[{"text": "Si riprende dopo il passo 40."}] * 2, [{"text": "Going on after step 40."}] * 2]
