"""Run a long command with its whole output in a log and one moving line on the terminal. Standard library only."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

# Where there is no terminal (a log, CI), a new line this often is enough.
SECONDS_WITHOUT_TERMINAL = 15.0


class Line:
    """One line of the terminal that is overwritten; a line now and then where there is no terminal."""

    def __init__(self) -> None:
        self._live = sys.stdout.isatty()
        self._shown, self._last = "", 0.0

    def show(self, text: str) -> None:
        """Replace what stands there by `text`."""
        if text == self._shown:
            return
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            print("\r" + text[:width].ljust(width), end="", flush=True)
        elif time.monotonic() - self._last < SECONDS_WITHOUT_TERMINAL:
            return
        else:
            print(text, flush=True)
        self._shown, self._last = text, time.monotonic()

    def finish(self, text: str) -> None:
        """Leave `text` standing and go to the next line."""
        self._last = 0.0
        self.show(text)
        if self._live:
            print(flush=True)


class PipProgress:
    """What `pip install --progress-bar raw` is doing, read from its output line by line."""

    def __init__(self, packages: Path) -> None:
        self._packages = packages
        self._collected, self._file, self._share = 0, "", ""
        self._installing, self._present = 0, 0

    def read(self, line: str) -> None:
        """Take in one line of pip's output."""
        if line.startswith("Collecting "):
            self._collected += 1
        elif found := re.match(r"\s+(?:Downloading|Using cached) (\S+?)-\d", line):
            self._file, self._share = found[1], ""
        elif found := re.match(r"Progress (\d+) of (\d+)", line):
            done, total = int(found[1]) / 1e6, int(found[2]) / 1e6
            self._share = f", {done:.0f} of {total:.0f} MB" if total >= 10 else ""
        elif line.startswith("Installing collected packages: "):
            self._installing, self._present = line.count(",") + 1, self._count()

    @property
    def has_begun_to_install(self) -> bool:
        """Whether the environment is being changed, so that an interruption would leave it half filled."""
        return self._installing > 0

    def text(self) -> str:
        """The state in a few words."""
        if self._installing:
            done = min(max(self._count() - self._present, 0), self._installing)
            return f"installing {done} of {self._installing}"
        return f"{self._collected} found, reading {self._file}{self._share}" if self._file else "looking them up"

    def _count(self) -> int:
        return sum(1 for _ in self._packages.glob("*.dist-info"))


def run_logged(
    command: Sequence[str],
    *,
    log: Path,
    tick: Callable[[float], None],
    read: Callable[[str], None] = lambda line: None,
    folder: Path | None = None,
    environment: dict[str, str] | None = None,
) -> tuple[int, str]:
    """Run `command` to its end; its exit code and output.

    It runs in `folder` with the variables of `environment` added. `read` gets every line of the output (from another
    thread), `tick` the seconds passed, about three times a second.
    """
    started, lines = time.monotonic(), []
    with log.open("a", encoding="utf-8") as file:
        file.write(f"\n$ {' '.join(command)}\n")
        process = _piped(command, folder, {**os.environ, **(environment or {})})

        def follow() -> None:
            for line in process.stdout or ():
                lines.append(line)
                if not line.startswith("Progress "):
                    file.write(line)
                read(line)

        reader = threading.Thread(target=follow, daemon=True)
        reader.start()
        while reader.is_alive():
            tick(time.monotonic() - started)
            reader.join(0.3)
        return process.wait(), "".join(lines)


def _piped(command: Sequence[str], folder: Path | None, environment: dict[str, str]) -> "subprocess.Popen[str]":
    """Start a command whose output and errors come through one pipe."""
    output, errors = subprocess.PIPE, subprocess.STDOUT
    return subprocess.Popen(
        command, stdout=output, stderr=errors, text=True, errors="replace", cwd=folder, env=environment
    )
