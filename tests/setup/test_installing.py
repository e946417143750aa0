"""What is installed once is not installed again, and what a tool says becomes a sentence."""

import sys
from pathlib import Path

import pytest

from webnet.installing import Kit, _sentence
from webnet.progress import PipProgress, run_logged


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "requirements").mkdir()
    for name in ("constraints", "base", "ml", "dev"):
        (tmp_path / "requirements" / f"{name}.txt").write_text(f"{name}\n")
    (tmp_path / "package-lock.json").write_text("{}")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    return tmp_path


def kit(checkout: Path, purpose: str) -> Kit:
    return Kit(checkout, purpose, checkout / "setup.log")


def stamp(checkout: Path, purpose: str) -> None:
    """What a finished installation leaves behind."""
    made = kit(checkout, purpose)
    made._packages_stamp.write_text(made._wanted_packages())
    made._libraries_stamp.write_text(made._wanted_libraries())


def test_a_finished_installation_is_complete(checkout: Path) -> None:
    assert not kit(checkout, "run").is_complete()
    stamp(checkout, "run")
    assert kit(checkout, "run").is_complete()
    assert not kit(checkout, "dev").is_complete()


def test_what_the_tests_need_serves_a_run_as_well(checkout: Path) -> None:
    stamp(checkout, "dev")
    assert kit(checkout, "run").is_complete()


@pytest.mark.parametrize("changed", ["requirements/constraints.txt", "requirements/base.txt", "package-lock.json"])
def test_a_changed_requirement_asks_for_a_new_installation(checkout: Path, changed: str) -> None:
    stamp(checkout, "dev")
    (checkout / changed).write_text("something else")
    assert not kit(checkout, "dev").is_complete()


def test_an_environment_whose_python_is_gone_is_not_complete(checkout: Path) -> None:
    stamp(checkout, "run")
    (checkout / ".venv" / "bin" / "python").unlink()
    (checkout / ".venv" / "bin" / "python").symlink_to(checkout / "removed")
    assert not kit(checkout, "run").is_complete()


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("OSError: [Errno 28] No space left on device", "filled the disk: make room"),
        ("after connection broken by 'NewConnectionError'", "cannot be reached: check the network"),
        ("npm error code EAI_AGAIN", "cannot be reached: check the network"),
        ("Error: the command '-m', 'ensurepip' returned 1", "sudo apt install python3."),
        ("ERROR: No matching distribution found for x==1", "No matching distribution found for x==1. The whole output"),
        ("", "no reason was given"),
    ],
)
def test_a_failed_tool_becomes_a_sentence(output: str, words: str) -> None:
    sentence = _sentence("Installing", output, Path("setup.log"))
    assert words in sentence
    assert "\n" not in sentence


def test_the_progress_of_pip_is_read_from_its_output(tmp_path: Path) -> None:
    progress = PipProgress(tmp_path)
    assert progress.text() == "looking them up"
    for line in ("Collecting tensorflow==2.20.0", "  Downloading tensorflow-2.20.0-cp311.whl (620.7 MB)"):
        progress.read(line)
    progress.read("Progress 310000000 of 620000000")
    assert progress.text() == "1 found, reading tensorflow, 310 of 620 MB"
    progress.read("Installing collected packages: six, numpy, tensorflow")
    (tmp_path / "six-1.0.dist-info").mkdir()
    assert progress.has_begun_to_install
    assert progress.text() == "installing 1 of 3"


def test_the_output_of_a_command_is_kept_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "setup.log"
    code, output = run_logged([sys.executable, "-c", "print('one'); exit(3)"], log=log, tick=lambda seconds: None)
    assert (code, output) == (3, "one\n")
    assert "one\n" in log.read_text()
