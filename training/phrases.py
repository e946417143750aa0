"""What runs and events say, in the language of whoever reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

# The field of an event's payload that holds its sentence.
SPOKEN = {"stage": "message", "status": "message", "error": "message", "log": "text"}


def translated(phrase: Mapping[str, Any], english: str) -> str:
    """A phrase (`pipeline.translation.phrase_json`) in the active language; `english` where there is none."""
    if not phrase:
        return english
    text = _(phrase["template"])
    return text % phrase["values"] if phrase["values"] else text


def translated_event(event: dict[str, Any]) -> dict[str, Any]:
    """An event (`live.EventJson`) with its sentence in the active language."""
    payload = event["payload"]
    if not payload.get("phrase"):
        return event
    rest = {name: value for name, value in payload.items() if name != "phrase"}
    field = SPOKEN[event["kind"]]
    return {**event, "payload": {**rest, field: translated(payload["phrase"], payload[field])}}
