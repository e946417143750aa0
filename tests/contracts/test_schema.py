"""The API's own description, and what happens when requests are made up from it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import requests
import schemathesis
from django.core.cache import cache
from django.core.management import call_command
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some

from tests.contracts.conftest import Scene
from tests.contracts.test_permissions import TABLE

EXAMPLES = 15


def test_the_schema_is_described_without_a_warning(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))
    assert "Warning" not in capsys.readouterr().err


def _operations() -> list[tuple[str, str]]:
    return [(method, pattern) for method, pattern, *_rest in TABLE if pattern not in ("schema/", "docs/")]


@pytest.fixture(scope="module")
def described() -> Any:
    """The schema as the web page shows it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return schemathesis.openapi.from_dict(
            json.loads(json.dumps(SchemaGenerator().get_schema(public=True), default=str))
        )


@pytest.mark.parametrize(("method", "pattern"), _operations())
def test_no_request_made_up_from_the_schema_makes_the_server_fail(
    scene: Scene, client_of: Callable[..., Any], described: Any, method: str, pattern: str
) -> None:
    client = client_of(scene.people["administrator"], raise_request_exception=False)
    operation = described["/api/" + pattern][method]

    @given(case=operation.as_strategy(), real=some.sampled_from([True, True, True, False]))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        derandomize=True,
    )
    def send(case: Any, real: bool) -> None:
        if real:
            case.path_parameters = {name: scene.ids[name] for name in case.path_parameters or {}}
        cache.clear()
        with transaction.atomic():
            response = _sent(client, case)
            transaction.set_rollback(True)
        assert response.status_code < 500, response.content[:300]

    send()


def _sent(client: Any, case: Any) -> Any:
    """The made-up request through Django's own client."""
    made = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
    kind = made.headers.get("Content-Type", "application/json")
    return client.generic(case.method, made.path_url, made.body or b"", content_type=kind)
