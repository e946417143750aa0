"""Marks texts that a web page will translate; the pipeline itself speaks English."""


def gettext_noop(text: str) -> str:
    """Return `text` unchanged. Under this name Django's `makemessages` finds it without the pipeline importing Django."""
    return text
