"""Texts that people read: the pipeline speaks English and keeps what is needed to say it in another language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def gettext_noop(text: str) -> str:
    """Return `text` unchanged. Django's `makemessages` looks for this name; the pipeline need not import Django."""
    return text


class Phrase(str):
    """An English sentence that remembers its `template` (a `gettext_noop` text) and the `values` filled into it."""

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, **values: Any) -> Phrase:
        phrase = super().__new__(cls, template % values if values else template)
        phrase.template, phrase.values = template, values
        return phrase


def phrase_json(text: str) -> dict[str, Any]:
    """Template and values of a phrase as JSON; of any other text, which cannot be translated, nothing."""
    return {"template": text.template, "values": text.values} if isinstance(text, Phrase) else {}


def phrase_from(english: str, phrase: Mapping[str, Any] | None) -> str:
    """The text that `phrase_json` was made of, a phrase again where it was one."""
    return Phrase(phrase["template"], **phrase["values"]) if phrase else english
