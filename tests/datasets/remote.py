"""A storage without paths, as remote ones are."""

from django.core.files.storage import InMemoryStorage, Storage


class RemoteStorage(InMemoryStorage):
    """Keeps files in memory, and like S3's has no path to give."""

    path = Storage.path
