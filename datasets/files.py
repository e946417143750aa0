"""Where the files of an artwork lie in the storage, and what they are."""

from datasets.formats import FORMATS
from datasets.models import Artwork

DISPLAY = "display.jpg"
THUMBNAIL = "thumbnail.webp"
KINDS = ("thumbnail", "display", "original")


def path_of(artwork: Artwork, kind: str) -> str:
    """Path in the storage of its `thumbnail`, `display` image or `original`; KeyError for another kind."""
    names = {"thumbnail": THUMBNAIL, "display": DISPLAY, "original": f"original.{FORMATS[artwork.format][0]}"}
    return f"{artwork.folder}/{names[kind]}"


def content_type(artwork: Artwork, kind: str) -> str:
    """Content type of one of its files."""
    types = {"thumbnail": "image/webp", "display": "image/jpeg"}
    return types.get(kind) or FORMATS[artwork.format][1]
