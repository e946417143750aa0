"""What this machine must offer before anything is installed or started. Standard library only.

Every refusal is one sentence or two for a person who has just typed `make run`: what is wrong and what to do.
"""

import errno
import os
import shutil
import socket
from pathlib import Path

# 3.3 GB of packages; pip's cache and its unpacking need the rest.
GIGABYTES_TO_INSTALL = 6.0
GIGABYTES_TO_RUN = 0.5


class Refusal(Exception):
    """Set-up cannot go on; the text says what is wrong and what to do."""


def check_disk(folder: Path, gigabytes: float) -> None:
    """Refuse when the disk that holds `folder` has less than `gigabytes` (10^9 bytes) free.

    `WEBNET_MIN_FREE_GB` replaces the figure, for who knows better.
    """
    needed = float(os.environ.get("WEBNET_MIN_FREE_GB") or gigabytes)
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    if free < needed:
        raise Refusal(
            f"The disk of {folder} has {free:.1f} GB free and {needed:g} GB are needed: make room there and run the"
            " same command again."
        )


def check_port(host: str, port: str) -> None:
    """Refuse an address that the web process could not listen on."""
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise Refusal(f"PORT={port} is no port number: choose one from 1024 to 65535, as in `make run PORT=8001`.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        raise Refusal(_port_problem(host, int(port), error)) from None


def _port_problem(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else 8000
        return (
            f"Port {port} is used by another program: stop that program, or choose another port,"
            f" as in `make run PORT={other}`."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} is reserved for the system: choose one above 1023, as in `make run PORT=8000`."
    return f"HOST={host} is no address of this machine: leave HOST out, or use 127.0.0.1 or 0.0.0.0."


def explain(error: OSError) -> str:
    """One sentence for what the operating system refused while things were set up or started."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk is full: make room (the first run needs {GIGABYTES_TO_INSTALL:g} GB) and run the same command"
            " again."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EEXIST):
        return (
            f"{error.filename} cannot be written: give yourself the right to, or choose a folder of yours for the data"
            " with WEBNET_DATA=/path."
        )
    return f"The operating system refused a step: {error}. Put that right and run the same command again."
