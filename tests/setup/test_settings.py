"""What variables and folders of any kind make of the settings."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.installation import ROOT
from webnet.management.commands import serve

TOLD = """
import json
from django.conf import settings
told = {"NAME": settings.DATABASES["default"]["NAME"], "HOSTS": settings.ALLOWED_HOSTS, "TRAINERS": settings.TRAINERS}
print(json.dumps(told))
"""


def settings_of(**variables: str) -> Any:
    outside = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL")}
    environment = {**outside, "DJANGO_SETTINGS_MODULE": "webnet.settings", **variables}
    done = subprocess.run(
        [sys.executable, "-c", TOLD], cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


def test_the_folder_of_the_data_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "c++ #1? 50%20"
    assert settings_of(WEBNET_DATA=str(folder))["NAME"] == str(folder / "db.sqlite3")


def test_blanks_around_names_are_nobodys(tmp_path: Path) -> None:
    trainers = {"WEBNET_DISTRIBUTION": "multi_worker_mirrored", "WEBNET_TRAINERS": "one:1, two:2,"}
    told = settings_of(WEBNET_DATA=str(tmp_path), WEBNET_ALLOWED_HOSTS="a.example, b.example ", **trainers)
    assert (told["HOSTS"], told["TRAINERS"]) == (["a.example", "b.example"], ["one:1", "two:2"])


def test_an_address_that_is_asked_for_is_answered(settings: Any) -> None:
    settings.ALLOWED_HOSTS = list(serve.LOCAL_NAMES)
    assert "WEBNET_ALLOWED_HOSTS" not in serve.web_process("127.0.0.1", "8000").environment
    for host, name in {"192.0.2.7": "192.0.2.7", "2001:db8::5": "[2001:db8::5]"}.items():
        assert serve.web_process(host, "8000").environment["WEBNET_ALLOWED_HOSTS"].endswith(f",{name}")


@pytest.mark.parametrize(
    ("host", "allowed", "said"),
    [("0.0.0.0", [], True), ("0.0.0.0", ["museum.example"], False), ("127.0.0.1", [], False)],
)
def test_who_listens_everywhere_is_told_that_names_are_missing(
    host: str, allowed: list[str], said: bool, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = [*serve.LOCAL_NAMES, *allowed]
    assert ("WEBNET_ALLOWED_HOSTS" in serve.advice(host)) == said
