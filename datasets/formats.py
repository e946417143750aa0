"""The image formats that are taken in, told by how a file begins and never by its name. Imports nothing."""

# Format → (suffix of the stored original, content type, how the file begins).
FORMATS: dict[str, tuple[str, str, tuple[bytes, ...]]] = {
    "jpeg": ("jpg", "image/jpeg", (b"\xff\xd8\xff",)),
    "png": ("png", "image/png", (b"\x89PNG\r\n\x1a\n",)),
    "webp": ("webp", "image/webp", (b"RIFF",)),
    "tiff": ("tif", "image/tiff", (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
}
HEAD = 12  # bytes that are needed to tell


def format_of(head: bytes) -> str | None:
    """The format of a file that begins with `head` (its first 12 bytes), or None for any other kind of file."""
    for name, (_suffix, _type, signs) in FORMATS.items():
        if head.startswith(signs) and (name != "webp" or head[8:HEAD] == b"WEBP"):
            return name
    return None


def least_size(format: str, head: bytes) -> int:
    """How many bytes a file must have by its own first 12 bytes; a shorter one is cut off.

    WebP names its length (RIFF container); a classic TIFF the offset of its directory, which is mostly at the end.
    """
    if format == "webp":
        return int.from_bytes(head[4:8], "little") + 8
    if format == "tiff" and head[2:4] in (b"*\0", b"\0*"):
        return int.from_bytes(head[4:8], "little" if head[:2] == b"II" else "big") + 2
    return 0
