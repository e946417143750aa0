"""Login, CSRF, throttling and headers: the predecessor had none of them (fault 12)."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpRequest
from django.test import Client

from tests.contracts.conftest import Scene
from tests.contracts.test_permissions import TABLE
from tests.installation import PASSWORD

CHANGES = [(method, pattern) for method, pattern, needed, *_rest in TABLE if method != "GET" and needed != "nobody"]


@pytest.fixture(autouse=True)
def no_memory_of_other_tests() -> Iterator[None]:
    """Throttles count in the cache."""
    cache.clear()
    yield
    cache.clear()


@pytest.mark.parametrize(("method", "pattern"), CHANGES)
def test_a_session_changes_nothing_without_its_csrf_token(
    scene: Scene, client_of: Callable[..., Any], method: str, pattern: str
) -> None:
    client = client_of(scene.people["administrator"], enforce_csrf_checks=True)
    response = client.generic(method, scene.path(pattern), "{}", content_type="application/json")
    assert response.status_code == 403 and "CSRF" in response.json()["message"]


def test_with_its_csrf_token_it_does(scene: Scene, client_of: Callable[..., Any]) -> None:
    client = client_of(scene.people["administrator"], enforce_csrf_checks=True)
    client.get(f"/datasets/{scene.dataset.pk}/")
    token = client.cookies["csrftoken"].value
    response = client.post(
        "/api/datasets/", {"name": "Mine"}, content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert response.status_code == 201


def test_the_login_form_wants_its_csrf_token(owner: Any) -> None:
    form = {"username": "olga", "password": PASSWORD}
    assert Client(enforce_csrf_checks=True).post("/login/", form).status_code == 403


def test_guessing_passwords_is_stopped_even_with_the_right_one_in_the_end(owner: Any) -> None:
    client = Client()
    guesses = [client.post("/login/", {"username": "olga", "password": f"guess {n}"}).status_code for n in range(9)]
    assert guesses[0] == 200 and guesses[-1] == 429
    assert client.post("/login/", {"username": "olga", "password": PASSWORD}).status_code == 429
    assert "_auth_user_id" not in client.session


def test_guessing_tokens_is_stopped(owner: Any) -> None:
    client = Client()
    answers = [
        client.post("/api/token/", {"username": "olga", "password": f"guess {n}"}, content_type="application/json")
        for n in range(12)
    ]
    assert answers[0].status_code == 400 and answers[-1].status_code in (403, 429)
    assert answers[-1].json()["message"]


def test_everybody_changes_their_password_and_stays_logged_in_here_alone(viewer: Any) -> None:
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        client.post("/login/", {"username": "vera", "password": PASSWORD})
    assert 'href="/password/"' in here.get("/").content.decode()
    new = {"old_password": PASSWORD, "new_password1": "staple battery horse", "new_password2": "staple battery horse"}
    assert "Password changed" in here.post("/password/", new, follow=True).content.decode()
    assert here.get("/").status_code == 200 and elsewhere.get("/").status_code == 302
    assert Client().login(request=HttpRequest(), username="vera", password="staple battery horse")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"old_password": "a guess"}, "old password was entered incorrectly"),
        ({"new_password2": "another one"}, "password fields didn’t match"),
        ({"new_password1": "12345678", "new_password2": "12345678"}, "This password is too common"),
    ],
)
def test_a_password_is_not_changed_without_the_old_one_or_to_a_weak_one(
    viewer: Any, client_of: Callable[..., Any], wrong: dict[str, str], said: str
) -> None:
    new = {"old_password": PASSWORD, "new_password1": "staple battery horse", "new_password2": "staple battery horse"}
    answer = client_of(viewer).post("/password/", new | wrong)
    assert answer.status_code == 200 and said in html.unescape(answer.content.decode())
    viewer.refresh_from_db()
    assert viewer.check_password(PASSWORD)


# --- behind a reverse proxy, which adds the address that it has seen to what the client says of itself ----------------
@pytest.fixture
def proxied(settings: Any) -> None:
    """The counting of WEBNET_HTTPS, without its redirections."""
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}


def log_in(password: str, forwarded: str) -> int:
    form = {"username": "olga", "password": password}
    return Client().post("/login/", form, headers={"X-Forwarded-For": forwarded}).status_code


def ask_for_token(password: str, forwarded: str) -> int:
    form = {"username": "olga", "password": password}
    headers = {"X-Forwarded-For": forwarded}
    return Client().post("/api/token/", form, content_type="application/json", headers=headers).status_code


def test_who_guesses_behind_a_proxy_locks_out_nobody_else(owner: Any, proxied: None) -> None:
    assert [log_in(f"guess {n}", "203.0.113.5") for n in range(9)][-1] == 429
    assert log_in(PASSWORD, "203.0.113.5") == 429
    assert log_in(PASSWORD, "203.0.113.9") == 302


def test_who_invents_addresses_behind_a_proxy_is_stopped_all_the_same(owner: Any, proxied: None) -> None:
    assert [log_in(f"guess {n}", f"198.51.100.{n}, 203.0.113.5") for n in range(9)][-1] == 429
    tokens = [ask_for_token(f"guess {n}", f"198.51.100.{n}, 203.0.113.6") for n in range(12)]
    assert tokens[0] == 400 and tokens[-1] == 429
    assert ask_for_token(PASSWORD, "203.0.113.7") == 200


def test_without_a_proxy_nobody_is_who_they_say(owner: Any) -> None:
    assert [log_in(f"guess {n}", f"198.51.100.{n}") for n in range(9)][-1] == 429
    tokens = [ask_for_token(f"guess {n}", f"198.51.100.{n}") for n in range(12)]
    assert tokens[0] == 400 and tokens[-1] == 429


@pytest.mark.parametrize("forwarded", ["nonsense", "203.0.113.5:4711", "", "203.0.113.5, "])
def test_a_header_that_holds_no_address_counts_for_the_connection(owner: Any, proxied: None, forwarded: str) -> None:
    assert [log_in(f"guess {n}", forwarded) for n in range(9)][-1] == 429


def test_a_token_opens_the_api_without_session_or_csrf(owner: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    form = {"username": "olga", "password": PASSWORD}
    token = client.post("/api/token/", form, content_type="application/json").json()["token"]
    headers = {"Authorization": f"Token {token}"}
    assert client.get("/api/me/", headers=headers).json()["username"] == "olga"
    made = client.post("/api/datasets/", json.dumps({"name": "N"}), content_type="application/json", headers=headers)
    assert made.status_code == 201


def test_a_wrong_token_opens_nothing(db: None) -> None:
    assert Client().get("/api/me/", headers={"Authorization": "Token nonsense"}).status_code in (401, 403)


@pytest.mark.parametrize(
    "path", ["/login/", "/", "/datasets/{dataset_id}/", "/datasets/{dataset_id}/artworks/{artwork_id}/"]
)
def test_pages_carry_a_policy_without_inline_or_eval(scene: Scene, client_of: Callable[..., Any], path: str) -> None:
    person = None if path == "/login/" else scene.people["viewer"]
    response = client_of(person).get(path.format(**scene.ids))
    policy = response["Content-Security-Policy"]
    assert "script-src 'self';" in policy + ";" and "unsafe" not in policy
    assert response["X-Frame-Options"] == "DENY" and response["X-Content-Type-Options"] == "nosniff"
    page = response.content.decode()
    assert " style=" not in page and " onclick=" not in page


def test_a_foreign_host_is_refused(db: None) -> None:
    assert Client().get("/login/", headers={"Host": "evil.example"}).status_code == 400


def test_nobody_is_sent_elsewhere_after_login(owner: Any) -> None:
    form = {"username": "olga", "password": PASSWORD, "next": "https://evil.example/"}
    assert Client().post("/login/", form)["Location"] == "/"
