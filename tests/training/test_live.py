"""Events: numbered without gaps, delivered in order and once, to those who may see them."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.db import OperationalError, connection

from tests.installation import free_port
from tests.sockets import at_work, break_off, lose_redis
from tests.training.sockets import collect, make_run, socket
from training import consumers, live
from training.consumers import FORBIDDEN
from training.models import Event, Run

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


def logs(*texts: Any) -> list[tuple[str, dict[str, Any]]]:
    return [("log", {"text": str(text)}) for text in texts]


publish = database_sync_to_async(live.publish)


def test_numbers_have_no_gap_and_no_double_when_several_write_at_once(dataset: Any) -> None:
    run = make_run(dataset)

    def write() -> None:
        for n in range(20):
            live.publish(run.pk, logs(n, n))
        connection.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(Event.objects.filter(run=run).values_list("seq", flat=True)) == list(range(1, 161))
    run.refresh_from_db()
    assert run.last_seq == 160


def test_events_of_a_run_that_is_gone_are_refused(dataset: Any) -> None:
    with pytest.raises(Run.DoesNotExist):
        live.publish(987654, logs("into the void"))


@pytest.mark.asyncio
async def test_a_late_listener_gets_the_whole_past_and_then_the_news(dataset: Any, viewer: Any) -> None:
    run = await database_sync_to_async(make_run)(dataset)
    await publish(run.pk, logs(*range(50)))
    async with socket(viewer, dataset.pk, run.pk) as listener:
        await publish(run.pk, logs(*range(50, 100)))
        events = await collect(listener, 100)
    assert [event["seq"] for event in events] == list(range(1, 101))
    assert [event["payload"]["text"] for event in events] == [str(n) for n in range(100)]


@pytest.mark.asyncio
async def test_a_listener_who_comes_back_gets_only_what_it_missed(dataset: Any, viewer: Any) -> None:
    run = await database_sync_to_async(make_run)(dataset)
    await publish(run.pk, logs(*range(10)))
    async with socket(viewer, dataset.pk, run.pk, f"?after={run.pk}:7") as listener:
        events = await collect(listener, 3)
    assert [event["seq"] for event in events] == [8, 9, 10]


@pytest.mark.asyncio
async def test_who_has_seen_what_a_power_cut_took_hears_what_gets_its_numbers(dataset: Any, viewer: Any) -> None:
    run = await database_sync_to_async(make_run)(dataset)
    await publish(run.pk, logs(*range(10)))
    async with socket(viewer, dataset.pk, run.pk, f"?after={run.pk}:13") as listener:
        state = await listener.receive_json_from(timeout=10)
        assert (state["runs"][0]["last_seq"], state["runs"][0]["events"]) == (10, [])
        await publish(run.pk, logs("anew"))
        (event,) = await collect(listener, 1)
    assert (event["seq"], event["payload"]) == (11, {"text": "anew"})


@pytest.mark.asyncio
async def test_two_listeners_hear_everything_that_is_written_while_they_join(dataset: Any, viewer: Any) -> None:
    run = await database_sync_to_async(make_run)(dataset)

    async def write() -> None:
        for n in range(60):
            await publish(run.pk, logs(n))

    async def listen(delay: float) -> list[int]:
        await asyncio.sleep(delay)
        async with socket(viewer, dataset.pk) as listener:
            return [event["seq"] for event in await collect(listener, 60)]

    _, first, second = await asyncio.gather(write(), listen(0), listen(0.15))
    assert first == second == list(range(1, 61))


@pytest.mark.asyncio
async def test_a_dataset_socket_hears_of_a_run_that_begins_later(dataset: Any, viewer: Any) -> None:
    async with socket(viewer, dataset.pk) as listener:
        assert await listener.receive_json_from(timeout=10) == {"type": "state", "runs": []}
        run = await database_sync_to_async(make_run)(dataset)
        await publish(run.pk, logs("hello"))
        (event,) = await collect(listener, 1)
    assert (event["run"], event["run_kind"], event["payload"]) == (run.pk, "inference", {"text": "hello"})


@pytest.mark.asyncio
async def test_a_socket_hears_of_news_long_before_the_net_below_the_nudge(
    dataset: Any, viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With Redis; without it the tailer looks often by itself."""
    monkeypatch.setattr(live, "NUDGED_POLL_SECONDS", 60.0)
    run = await database_sync_to_async(make_run)(dataset)
    async with socket(viewer, dataset.pk) as listener:
        await listener.receive_json_from(timeout=10)
        # The tailer looks once when it starts.
        assert await listener.receive_nothing(timeout=1)
        for text in ("first", "second"):
            await publish(run.pk, logs(text))
            message = await listener.receive_json_from(timeout=5)
            assert [event["payload"]["text"] for event in message["events"]] == [text]


def test_what_a_run_says_is_kept_while_redis_is_away(dataset: Any, settings: Any) -> None:
    settings.REDIS_URL = address = f"redis://127.0.0.1:{free_port()}/0"
    backend = "channels_redis.core.RedisChannelLayer"
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend, "CONFIG": {"hosts": [address]}}}
    run = make_run(dataset)
    assert [live.publish(run.pk, logs(text)) for text in ("one", "two")] == [1, 2]
    assert list(Event.objects.filter(run=run).values_list("payload__text", flat=True)) == ["one", "two"]


@pytest.mark.asyncio
async def test_a_page_that_redis_drops_leaves_nothing_behind(
    dataset: Any, viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes back by itself, as another socket: what stayed of this one would ask for its rights for good."""
    away = lose_redis(monkeypatch)
    async with socket(viewer, dataset.pk) as listener:
        await listener.receive_json_from(timeout=10)
        assert live.tailer()._listeners and at_work("LiveConsumer._forward") == 1
        await break_off(listener, away)
        assert not live.tailer()._listeners and at_work("LiveConsumer._forward") == 0


@pytest.mark.asyncio
async def test_a_page_whose_state_cannot_be_read_leaves_nothing_behind(
    dataset: Any, viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: Any) -> Any:
        raise OperationalError("the database is restarted")

    monkeypatch.setattr(consumers.LiveConsumer, "_runs", away)
    async with socket(viewer, dataset.pk) as listener:
        with pytest.raises(OperationalError):
            await listener.wait(timeout=10)
        assert not live.tailer()._listeners


@pytest.mark.asyncio
async def test_nobody_hears_of_another_dataset(dataset: Any, outsider: Any, viewer: Any) -> None:
    other = await database_sync_to_async(lambda: outsider.memberships.get().dataset)()
    run = await database_sync_to_async(make_run)(other)
    async with socket(viewer, dataset.pk) as listener:
        await listener.receive_json_from(timeout=10)
        await publish(run.pk, logs("private"))
        assert await listener.receive_nothing(timeout=0.5)


@pytest.mark.asyncio
@pytest.mark.parametrize("who", ["outsider", "anonymous"])
async def test_sockets_are_closed_to_those_without_rights(who: str, dataset: Any, outsider: Any) -> None:
    user = AnonymousUser() if who == "anonymous" else outsider
    async with socket(user, dataset.pk) as listener:
        message = await listener.receive_output(timeout=10)
    assert message == {"type": "websocket.close", "code": FORBIDDEN}


@pytest.mark.asyncio
async def test_a_run_of_another_dataset_is_no_way_in(dataset: Any, outsider: Any, viewer: Any) -> None:
    other = await database_sync_to_async(lambda: outsider.memberships.get().dataset)()
    run = await database_sync_to_async(make_run)(other)
    async with socket(viewer, dataset.pk, run.pk) as listener:
        message = await listener.receive_output(timeout=10)
    assert message["code"] == FORBIDDEN


@pytest.mark.asyncio
async def test_what_a_client_sends_is_ignored(dataset: Any, viewer: Any) -> None:
    async with socket(viewer, dataset.pk, query="?after=x:1,5:,99999999999999999999999999:1,:2") as listener:
        await listener.receive_json_from(timeout=10)
        await listener.send_to(text_data="{not json")
        run = await database_sync_to_async(make_run)(dataset)
        await publish(run.pk, logs("still here"))
        assert len(await collect(listener, 1)) == 1
