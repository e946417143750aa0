"""A storage without paths, as remote ones are."""

from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage


class RemoteStorage(Storage):
    """Keeps files in memory; like that of S3 it has no path to give."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def _open(self, name: str, mode: str = "rb") -> Any:
        if name not in self.kept:
            raise FileNotFoundError(name)
        return ContentFile(self.kept[name], name)

    def _save(self, name: str, content: Any) -> str:
        self.kept[name] = content.read()
        return name

    def exists(self, name: str) -> bool:
        return name in self.kept

    def delete(self, name: str) -> None:
        self.kept.pop(name, None)
