"""What the tests in a browser share: one installation per module, and things to put into it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.desk import Desk, Open
from tests.conftest import log_in
from tests.installation import Server, free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One installation for all tests of a module, which share `olga`, who may do everything."""
    folder = tmp_path_factory.mktemp("installation")
    env = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    server = Server(f"http://127.0.0.1:{free_port()}", folder, env | {"WEBNET_DATA": str(folder)}, {})
    server.manage("migrate", "--verbosity", "0")
    server.start_web()
    server.add_user("olga", superuser=True)
    yield server
    server.stop()


@pytest.fixture
def new_dataset(server: Server) -> Callable[..., dict[str, Any]]:
    """`new_dataset("Icons")`: the JSON of a fresh dataset."""

    def make(name: str) -> dict[str, Any]:
        return dict(server.api("datasets/", {"name": name, "description": ""}))

    return make


@pytest.fixture
def image_files(tmp_path: Path, picture: Callable[..., bytes]) -> Callable[[int], list[Path]]:
    """`image_files(n)`: n JPEG files with different contents."""

    def make(count: int, first: int = 0) -> list[Path]:
        files = [tmp_path / f"work {first + i}.jpg" for i in range(count)]
        for i, file in enumerate(files):
            file.write_bytes(picture(seed=first + i))
        return files

    return make


# --- the annotation page ----------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def dataset(server: Server) -> dict[str, Any]:
    return server.seed(24)


@pytest.fixture(scope="module")
def fresh(server: Server, dataset: dict[str, Any]) -> Iterator[int]:
    """Ids of artworks that no other test has touched."""
    return iter([row["id"] for row in server.api(f"datasets/{dataset['dataset']}/artworks/?sort=added")["results"]])


@pytest.fixture(scope="module")
def contexts(browser: Browser, server: Server) -> Iterator[Callable[[str], BrowserContext]]:
    """`contexts(name)`: the browser of a person of that name, logged in once for all tests."""
    made: dict[str, BrowserContext] = {}

    def context_of(name: str) -> BrowserContext:
        if name not in made:
            server.add_user(name, superuser=name != "vito")
            made[name] = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=server.url)
            page = made[name].new_page()
            log_in(page, name)
            page.close()
        return made[name]

    yield context_of
    for context in made.values():
        context.close()


@pytest.fixture
def open_desk(
    contexts: Callable[[str], BrowserContext], server: Server, dataset: dict[str, Any], fresh: Iterator[int]
) -> Iterator[Open]:
    """`open_desk(name="olga", artwork=None, query="")`: somebody's page of an artwork, by default an untouched one."""
    faults: list[str] = []
    desks: list[Desk] = []

    def make(name: str = "olga", *, artwork: int | None = None, query: str = "") -> Desk:
        page = contexts(name).new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        desks.append(Desk(page, server, dataset["dataset"], artwork or next(fresh), query))
        return desks[-1]

    yield make
    for desk in desks:
        desk.page.close(run_before_unload=False)
    assert not faults, faults
