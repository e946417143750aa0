"""What the tests in a browser share: one installation per module, and things to put into it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Server, free_port


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
