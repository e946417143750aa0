"""The secret key of an installation: made once, kept beside its data, readable by its owner alone."""

import os
import secrets
from pathlib import Path


def secret_key(path: Path) -> str:
    """Return the key kept in `path`, making it first where there is none.

    Two processes that start together agree: the file is written aside and linked into place, and the link that
    comes second fails and reads the first one's key.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
        try:
            os.link(draft, path)
        except FileExistsError:
            # Another process was first: its key counts.
            draft.unlink()
            return path.read_text()
        draft.unlink()
    return path.read_text()
