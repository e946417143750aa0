"""`python -m benchmarks.startup`: how fast and how large is the web process, and how long does a second start take?

Starts an installation of its own several times. Time is from starting the process to the first answer of /login/;
memory is the resident set of the web process after some requests. Targets: under 3 s, under 200 MB, all under 10 s.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROUNDS = 5
PATHS = ("/login/", "/", "/api/schema/", "/admin/", "/jsi18n/")
DAPHNE = ["-m", "daphne", "--access-log", os.devnull, "--bind", "127.0.0.1", "--port"]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "WEBNET_DATA": folder, "PYTHONUNBUFFERED": "1"}
        manage(environment, "migrate", "--verbosity", "0")
        web = [start_web(environment) for _ in range(ROUNDS)]
        whole = [start_all(environment) for _ in range(ROUNDS)]
    report("web process to its first answer, s", [seconds for seconds, _ in web], 3)
    report("memory of the web process, MB", [megabytes for _, megabytes in web], 200)
    report("serve to its first answer, s", whole, 10)


def manage(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], env=environment, check=True)


def start_web(environment: dict[str, str]) -> tuple[float, float]:
    """Start daphne alone; seconds to its first answer, and its memory in MB (10^6 bytes) after some requests."""
    port = free_port()
    command = [sys.executable, *DAPHNE, str(port), "webnet.asgi:application"]
    started = time.perf_counter()
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        seconds = wait_for_answer(port, started)
        for path in PATHS * 5:
            ask(port, path)
        megabytes = resident(process.pid)
        process.terminate()
    return seconds, megabytes


def start_all(environment: dict[str, str]) -> float:
    """Start everything, as a second `make run` does; seconds to the first answer."""
    port = free_port()
    started = time.perf_counter()
    command = [sys.executable, "-m", "webnet.bootstrap", "run"]
    environment = {**environment, "PORT": str(port)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        seconds = wait_for_answer(port, started)
        process.terminate()
    return seconds


def wait_for_answer(port: int, started: float) -> float:
    """Seconds from `started` to the first answer. Raises TimeoutError after two minutes."""
    while not ask(port, "/login/"):
        if time.perf_counter() - started > 120:
            raise TimeoutError("The web process does not answer.")
        time.sleep(0.02)
    return time.perf_counter() - started


def ask(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return bool(answer.read())
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def resident(pid: int) -> float:
    """The resident set of a process in MB, from ps, which Linux and macOS have alike."""
    answer = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(answer.stdout) * 1024 / 1e6


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def report(title: str, values: list[float], limit: float) -> None:
    worst = max(values)
    verdict = "ok" if worst < limit else "MISSED"
    print(f"{title:36} median {statistics.median(values):7.2f}  worst {worst:7.2f}  limit {limit:5}  {verdict}")


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parent.parent)
    main()
