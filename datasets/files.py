"""Where the files of an artwork lie in the storage, and what they are."""

from datasets.formats import FORMATS
from datasets.models import Artwork

DISPLAY = "display.jpg"
THUMBNAIL = "thumbnail.webp"
PYRAMID = "pyramid.tif"
KINDS = ("thumbnail", "display", "original")
# What an artwork may have in its folder; only large ones have a pyramid, and it is delivered in tiles only.
STORED = (*KINDS, "pyramid")


def path_of(artwork: Artwork, kind: str) -> str:
    """Path in the storage of its `thumbnail`, `display` image, `original` or `pyramid`; KeyError for another kind."""
    names = {
        "thumbnail": THUMBNAIL,
        "display": DISPLAY,
        "original": f"original.{FORMATS[artwork.format][0]}",
        "pyramid": PYRAMID,
    }
    return f"{artwork.stored_in}/{names[kind]}"


def content_type(artwork: Artwork, kind: str) -> str:
    """Content type of one of its files."""
    types = {"thumbnail": "image/webp", "display": "image/jpeg"}
    return types.get(kind) or FORMATS[artwork.format][1]
