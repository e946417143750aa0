"""Install what is missing: the virtual environment, Python packages, Node where there is none, browser libraries.

Standard library only. Each part leaves a stamp, the hash of the files that asked for it, and is skipped while the stamp
fits. The whole output of pip and npm is in the log.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from webnet.machine import Refusal
from webnet.progress import Line, PipProgress, run_logged

Purpose = Literal["run", "dev"]
PIP = "pip==26.3"
OLDEST_NODE = 18
NETWORK = re.compile(
    r"NewConnectionError|ConnectTimeout|timed out|name resolution|getaddrinfo|ProxyError"
    r"|Connection ?(Refused|Reset|Error)|Network is unreachable|ECONNREFUSED|ENOTFOUND|EAI_AGAIN"
    r"|ETIMEDOUT|ERR_SOCKET_TIMEOUT",
    re.IGNORECASE,
)
FULL = re.compile(r"No space left on device|ENOSPC|Disk quota exceeded", re.IGNORECASE)


class Kit:
    """Everything that is installed for one purpose: "run" to serve and train, "dev" to test as well."""

    def __init__(self, base: Path, purpose: Purpose, log: Path) -> None:
        self.base, self.purpose, self.log = base, purpose, log
        self.venv, self.modules = base / ".venv", base / "node_modules"
        self.python = self.venv / "bin" / "python"
        self._packages_stamp, self._libraries_stamp = self.venv / f".webnet-{purpose}", self.modules / ".webnet"
        self._half_filled = self.venv / ".webnet-half-filled"

    def is_complete(self) -> bool:
        """Whether an earlier run finished with the same requirements."""
        return self._has_packages() and self._has_libraries()

    def install(self) -> None:
        """Install what is missing, with progress; `Refusal` with a plain sentence if that cannot be done."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if not self._has_packages():
            print("Setting WebNet Trainer up; the first time this takes some minutes and 4 GB.", flush=True)
            self._make_environment()
            # The one that Python brings is too old to tell its progress.
            self._pip("Installer", PIP)
            self._install_packages()
            self._packages_stamp.write_text(self._wanted_packages())
        if not self._has_libraries():
            self._install_libraries()
            self._libraries_stamp.write_text(self._wanted_libraries())

    # --- stamps ---

    def _has_packages(self) -> bool:
        """What was installed for "dev" serves "run" as well."""
        stamps = {_text(self._packages_stamp), _text(self.venv / ".webnet-dev")}
        return _runs(self.python) and self._wanted_packages() in stamps

    def _has_libraries(self) -> bool:
        return _text(self._libraries_stamp) == self._wanted_libraries()

    def _wanted_packages(self) -> str:
        return _digest(self.base / "requirements" / f"{name}.txt" for name in ("constraints", "base", "ml", "dev"))

    def _wanted_libraries(self) -> str:
        return _digest([self.base / "package-lock.json"])

    # --- Python ---

    def _make_environment(self) -> None:
        """A virtual environment of this Python; one that an interruption left half filled is made anew."""
        if _runs(self.python) and not self._half_filled.exists():
            return
        Line().finish("Virtual environment: making .venv")
        # The interpreter that runs this may be the one in .venv, which cannot clear itself away.
        python = getattr(sys, "_base_executable", sys.executable)
        command = [python, "-m", "venv", "--clear", str(self.venv)]
        code, output = run_logged(command, log=self.log, tick=lambda seconds: None)
        if code:
            raise Refusal(_sentence("Making the virtual environment", output, self.log))

    def _install_packages(self) -> None:
        name = "ml.txt" if self.purpose == "run" else "dev.txt"
        folder = self.base / "requirements"
        self._pip("Python packages", "-r", str(folder / name), "-c", str(folder / "constraints.txt"))

    def _pip(self, title: str, *what: str) -> None:
        line = Line()
        progress = PipProgress(next((self.venv / "lib").glob("python3*")) / "site-packages")

        def tick(seconds: float) -> None:
            if progress.has_begun_to_install:
                self._half_filled.touch()
            line.show(f"{title}: {progress.text()} ({seconds:.0f} s)")

        options = ["--disable-pip-version-check", "--retries", "2", "--no-input"]
        raw = [] if PIP in what else ["--progress-bar", "raw"]
        command = [str(self.python), "-m", "pip", "install", *options, *raw, *what]
        started = time.monotonic()
        code, output = run_logged(command, log=self.log, tick=tick, read=progress.read)
        if code:
            line.finish(f"{title}: failed")
            raise Refusal(_sentence("Installing the Python packages", output, self.log))
        self._half_filled.unlink(missing_ok=True)
        line.finish(f"{title}: ready ({time.monotonic() - started:.0f} s)")

    # --- the browser's libraries ---

    def _install_libraries(self) -> None:
        npm = self._npm()
        line = Line()
        command = [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        code, output = run_logged(
            command,
            folder=self.base,
            log=self.log,
            tick=lambda seconds: line.show(f"Browser libraries: npm ci ({seconds:.0f} s)"),
            environment={"PATH": f"{npm.parent}{os.pathsep}{os.environ.get('PATH', '')}"},
        )
        if code:
            line.finish("Browser libraries: failed")
            raise Refusal(_sentence("Installing the browser libraries", output, self.log))
        line.finish("Browser libraries: ready")

    def _npm(self) -> Path:
        """The npm beside a Node that is recent enough: the system's, or one from PyPI in the environment."""
        for folder in (None, str(self.venv / "bin")):
            node, npm = shutil.which("node", path=folder), shutil.which("npm", path=folder)
            if node and npm and _node_version(node) >= OLDEST_NODE:
                return Path(npm)
        self._pip("Node", "-r", str(self.base / "requirements" / "node.txt"))
        return self.venv / "bin" / "npm"


def _sentence(step: str, output: str, log: Path) -> str:
    """What a person can do about a failed step, from what the tool printed."""
    if FULL.search(output):
        return f"{step} filled the disk: make room (6 GB for the first run) and run the same command again."
    if NETWORK.search(output):
        return (
            f"{step} needs the package registry, which cannot be reached: check the network (and, where you use them,"
            " the proxy and PIP_INDEX_URL or the npm registry) and run the same command again."
        )
    if "ensurepip" in output:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return f"This Python lacks venv: install it (Debian: sudo apt install python{version}-venv) and try again."
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"error", line, re.IGNORECASE)]
    reason = (errors or lines or ["no reason was given"])[-1].rstrip(".")
    return f"{step} failed: {reason}. The whole output is in {log}."


def _digest(files: Iterable[Path]) -> str:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return hashlib.sha256(version.encode() + b"\0".join(file.read_bytes() for file in files)).hexdigest()


def _text(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def _runs(python: Path) -> bool:
    """Whether the environment's interpreter is of this version and can run (it breaks when its base is removed)."""
    question = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    return python.exists() and subprocess.call([python, "-c", question], stderr=subprocess.DEVNULL) == 0


def _node_version(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
    found = re.match(r"v(\d+)", answer)
    return int(found[1]) if found else 0
