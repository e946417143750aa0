"""Marks texts that a web page will translate; the pipeline itself speaks English."""


def gettext_noop(text: str) -> str:
    """Return `text` unchanged. Django's `makemessages` looks for this name; the pipeline need not import Django."""
    return text
