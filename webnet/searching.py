"""Searching in SQLite as in PostgreSQL: letters of every alphabet are found in either case, and not only A to Z."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from django.db.backends.signals import connection_created

# What SQL's wild cards stand for: no letter is any of these.
_ANY, _ONE = object(), object()
_WILD = {"%": _ANY, "_": _ONE}


def install() -> None:
    """Give each connection to SQLite a LIKE that folds every letter's case."""
    connection_created.connect(_replace_like, dispatch_uid="webnet.searching")


def _replace_like(connection: Any, **_more: Any) -> None:
    if connection.vendor == "sqlite":
        for arguments in (2, 3):
            connection.connection.create_function("like", arguments, like, deterministic=True)


def like(pattern: Any, text: Any, escape: str = "") -> bool | None:
    """Whether `text` is like SQL's `pattern`, whatever the case of its letters; None where one of them is NULL."""
    if pattern is None or text is None:
        return None
    return _test(str(pattern), escape)(str(text).casefold())


@functools.lru_cache(maxsize=256)
def _test(pattern: str, escape: str) -> Callable[[str], bool]:
    """What tells whether a text, its case folded, is like `pattern`."""
    parts: list[object] = []
    letters = iter(pattern)
    for letter in letters:
        if letter == escape:
            parts.append(next(letters, "").casefold())
        else:
            parts.append(_WILD.get(letter) or letter.casefold())
    if len(parts) > 1 and parts[0] == parts[-1] == _ANY and not {_ANY, _ONE}.intersection(parts[1:-1]):
        # A word that occurs somewhere: asked of every text of a dataset, and many times as fast.
        word = "".join(map(str, parts[1:-1]))
        return lambda text: word in text
    expressions = {_ANY: ".*", _ONE: "."}
    compiled = re.compile("".join(expressions.get(part) or re.escape(str(part)) for part in parts), re.DOTALL)
    return lambda text: compiled.fullmatch(text) is not None
