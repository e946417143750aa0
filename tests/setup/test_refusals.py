"""`make run` on a machine that lacks something: one clear sentence that says what to do, and no traceback."""

import ast
import errno
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from webnet import bootstrap, machine

ROOT = Path(__file__).resolve().parent.parent.parent
SET_UP_FILES = ["webnet", "requirements", "package.json", "package-lock.json", "manage.py"]

Start = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A checkout in which nothing has been installed."""
    for name in SET_UP_FILES:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    return tmp_path


@pytest.fixture
def start(fresh: Path) -> Start:
    """`start(VARIABLE="value")`: run the bootstrap there, as `make run` does."""

    def run(python: str = sys.executable, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "WEBNET_DATA": str(fresh / "var"), "PORT": "0", **variables}
        command = [python, "-m", "webnet.bootstrap", "run"]
        return subprocess.run(command, cwd=fresh, env=environment, capture_output=True, text=True, timeout=200)

    return run


@pytest.fixture
def busy_port() -> Iterator[str]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield str(other.getsockname()[1])


def refusal_of(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence that a refused start ends with."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr.strip()


def test_it_refuses_a_busy_port_and_names_another(start: Start, busy_port: str) -> None:
    refusal = refusal_of(start(PORT=busy_port))
    assert f"Port {busy_port} is used" in refusal
    assert f"make run PORT={int(busy_port) + 1}" in refusal


@pytest.mark.parametrize("port", ["0", "70000", "http", "-1"])
def test_it_refuses_what_is_no_port(start: Start, port: str) -> None:
    assert "is no port number" in refusal_of(start(PORT=port))


def test_it_refuses_an_address_of_another_machine(start: Start) -> None:
    assert "HOST=203.0.113.7 is no address of this machine" in refusal_of(start(HOST="203.0.113.7", PORT="8123"))


def test_it_refuses_a_full_disk_before_it_installs_anything(start: Start, fresh: Path) -> None:
    refusal = refusal_of(start(PORT=_free_port(), WEBNET_MIN_FREE_GB="1000000"))
    assert "GB free and 1e+06 GB are needed: make room" in refusal
    assert not (fresh / ".venv").exists()


@pytest.mark.slow
def test_it_says_so_when_the_registry_cannot_be_reached(start: Start, fresh: Path) -> None:
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
        "PIP_NO_CACHE_DIR": "1",
    }
    refusal = refusal_of(start(PORT=_free_port(), PIP_CONFIG_FILE=os.devnull, **nowhere))
    assert "cannot be reached: check the network" in refusal
    assert "Connection" in (fresh / "var" / "logs" / "setup.log").read_text()


def test_it_refuses_a_data_folder_that_is_none(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    refusal = refusal_of(start(WEBNET_DATA=str(tmp_path / "file")))
    assert f"{tmp_path / 'file'} cannot be written" in refusal
    assert "WEBNET_DATA=/path" in refusal


@pytest.mark.parametrize("version", [(3, 6, 15), (3, 10, 13), (3, 14, 0)])
def test_an_unsupported_python_says_which_one_is_needed(
    version: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    monkeypatch.setattr(bootstrap, "another_python", lambda: None)
    assert bootstrap.main() == 1
    assert "needs Python 3.11, 3.12 or 3.13" in capsys.readouterr().err


def test_a_supported_python_beside_an_unsupported_one_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "python3.12").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(bootstrap, "VENV_PYTHON", tmp_path / "none")
    assert bootstrap.another_python() == str(tmp_path / "python3.12")


def test_the_bootstrap_can_be_read_by_an_old_python() -> None:
    """Python 3.6 knows no `from __future__ import annotations`; what came later does not parse."""
    source = Path(bootstrap.__file__).read_text()
    ast.parse(source, feature_version=(3, 6))
    assert "import annotations" not in source


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "The disk is full"), (errno.EACCES, "cannot be written"), (errno.EIO, "refused a step")],
)
def test_what_the_system_refuses_is_explained(number: int, words: str) -> None:
    assert words in machine.explain(OSError(number, os.strerror(number), "/some/file"))


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
