"""Bodies of requests never fill the memory of the web process, and what is too large gets an answer."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.installation import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

MEGABYTE = b"\0" * 1024**2


@pytest.fixture
def small_server(make_server: Callable[..., Server]) -> Server:
    server: Server = make_server(WEBNET_MAX_UPLOAD_MB="150")
    server.add_user("olga")
    return server


def post(server: Server, path: str, megabytes: int, *, chunked: bool = False, **headers: str) -> tuple[int, Any]:
    """Send zeros; return the status and the JSON (or text) of the answer."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    body: Iterator[bytes] = (MEGABYTE for _ in range(megabytes))
    known = {} if chunked else {"Content-Length": str(megabytes * len(MEGABYTE))}
    connection.request("POST", path, body, headers={**known, **headers}, encode_chunked=chunked)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, json.loads(text) if text.startswith("{") else text


def resident(server: Server) -> int:
    """Most megabytes of memory that the web process has had."""
    status = Path(f"/proc/{server.processes['web'].pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) // 1024


FORM = {"Content-Type": "multipart/form-data; boundary=x"}
JSON = {"Content-Type": "application/json", "Cookie": "sessionid=invented"}


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/api/token/", JSON, (413, "too_large", "larger than the 8 MB")),
        ("/api/token/", {**JSON, "Upgrade": "h2c"}, (413, "too_large", "larger than the 8 MB")),
        ("/api/datasets/1/artworks/", FORM, (401, "not_authenticated", "Log in")),
        ("/api/datasets/1/artworks/", {**FORM, "Accept-Language": "it"}, (401, "not_authenticated", "Accedi")),
    ],
    ids=["json", "upgrade", "form", "italian"],
)
def test_what_no_page_sends_is_refused_before_it_fills_the_memory(
    small_server: Server, path: str, headers: dict[str, str], expected: tuple[int, str, str]
) -> None:
    status, told = post(small_server, path, 100, **headers)
    assert (status, told["code"]) == expected[:2]
    assert expected[2] in told["message"]
    assert resident(small_server) < 200


def test_a_websocket_has_no_body(small_server: Server) -> None:
    headers = {**FORM, "Cookie": "sessionid=invented", "Upgrade": "websocket", "Connection": "Upgrade"}
    status, told = post(small_server, "/ws/datasets/1/", 100, **headers)
    assert (status, told["code"]) == (413, "too_large")
    assert resident(small_server) < 200


def test_another_upgrade_than_to_a_websocket_is_a_request_like_any_other(small_server: Server) -> None:
    small_server.api("datasets/", {"name": "Scans"})  # which needs a token
    headers = {**FORM, "Authorization": f"Token {small_server.tokens['olga']}", "Upgrade": "h2c"}
    status, told = post(small_server, "/api/datasets/999/artworks/", 140, **headers)
    assert (status, told["code"]) == (404, "not_found")
    assert resident(small_server) < 200


@pytest.mark.parametrize("chunked", [False, True])
def test_who_is_not_logged_in_cannot_send_much(small_server: Server, chunked: bool) -> None:
    headers = {"Transfer-Encoding": "chunked"} if chunked else {}
    status, told = post(small_server, "/login/", 100, chunked=chunked, **headers)
    assert (status, told["code"]) == (413, "too_large")
    assert resident(small_server) < 200
    assert small_server.answers()


def test_a_large_upload_stays_on_disk_and_one_that_is_too_large_is_told_so(small_server: Server) -> None:
    dataset = small_server.api("datasets/", {"name": "Scans"})["id"]
    path = f"/api/datasets/{dataset}/artworks/"
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    headers = {
        "Authorization": f"Token {small_server.tokens['olga']}",
        "Content-Type": "multipart/form-data; boundary=x",
    }
    connection = http.client.HTTPConnection(urlsplit(small_server.url).netloc, timeout=60)
    whole = form + MEGABYTE * 140 + b"\r\n--x--\r\n"
    connection.request("POST", path, whole, headers=headers)
    answer = connection.getresponse()
    # All of it has been read: 140 MB of zeros are no picture.
    assert (answer.status, json.loads(answer.read())["code"]) == (400, "unsupported")
    assert resident(small_server) < 200
    status, told = post(small_server, path, 200, **headers)
    assert (status, told["code"]) == (413, "too_large")
    assert "150 MB" in told["message"]
    assert not [path for path in (small_server.folder / "uploads").iterdir() if path.is_file()]
