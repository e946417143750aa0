"""Behind a proxy with TLS the real web process counts by the address that the proxy has seen."""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from tests.installation import Server, wait_for

pytestmark = pytest.mark.slow


def ask_for_token(server: Server, forwarded: str) -> int:
    """What a wrong password gets, sent as a proxy in front would pass it on; 0 before the server is up."""
    headers = {"Content-Type": "application/json", "X-Forwarded-Proto": "https", "X-Forwarded-For": forwarded}
    body = json.dumps({"username": "olga", "password": "a guess"}).encode()
    try:
        urllib.request.urlopen(urllib.request.Request(f"{server.url}/api/token/", body, headers), timeout=20)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0
    return 200


def test_with_https_the_last_forwarded_address_counts(make_server: Callable[..., Server]) -> None:
    server = make_server(web=False, WEBNET_HTTPS="1", WEBNET_TOKEN_RATE="3/min")
    server.start("serve", sys.executable, "manage.py", "serve", "--port", server.url.rpartition(":")[2])
    wait_for(lambda: ask_for_token(server, "203.0.113.1"), 60, "the web process")
    answers = [ask_for_token(server, f"198.51.100.{n}, 203.0.113.5") for n in range(5)]
    assert answers == [400, 400, 400, 429, 429]
    assert ask_for_token(server, "203.0.113.9") == 400


def test_without_it_no_forwarded_address_counts(make_server: Callable[..., Server]) -> None:
    server = make_server(WEBNET_TOKEN_RATE="3/min")
    assert [ask_for_token(server, f"203.0.113.{n}") for n in range(5)] == [400, 400, 400, 429, 429]
