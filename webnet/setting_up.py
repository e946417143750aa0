"""The order of a start: clear what a crash left, look at the machine, install what is missing, hand over to Django.

Standard library only: nothing is installed yet when this runs. A second run finds the stamps that the first one left
and is at its end within a tenth of a second.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from webnet import installing, machine, processes

BASE = Path(__file__).resolve().parent.parent


def data_folder() -> Path:
    """Where the database, the files and the logs are: `WEBNET_DATA`, or `var` in the checkout."""
    return Path(os.environ.get("WEBNET_DATA") or BASE / "var").resolve()


def run() -> None:
    """`make run`: set up what is missing, then become the process that serves."""
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    data = data_folder()
    with processes.claim(data):
        processes.clear_orphans(data)
    machine.check_port(host, port)
    install("run")
    hand_over("serve", "--prepare", "--host", host, "--port", port)


def test() -> None:
    """The first half of `make test`: everything that the tests need."""
    install("dev")
    hand_over("prepare", "--files")


def install(purpose: installing.Purpose) -> None:
    """Bring the virtual environment and the browser libraries up to date, if there is room on the disk."""
    kit = installing.Kit(BASE, purpose, data_folder() / "logs" / "setup.log")
    if not kit.is_complete():
        machine.check_disk(BASE, machine.GIGABYTES_TO_INSTALL)
        kit.install()
    machine.check_disk(data_folder(), machine.GIGABYTES_TO_RUN)


def hand_over(*arguments: str) -> None:
    """Become `manage.py` of the virtual environment, so that signals reach it without a go-between."""
    os.chdir(BASE)
    sys.stdout.flush()
    python = str(BASE / ".venv" / "bin" / "python")
    os.execv(python, [python, "manage.py", *arguments])


def main(arguments: Sequence[str]) -> int:
    """Run the step that is named; the exit code is 0 or, after one clear sentence, 1."""
    step = {"run": run, "test": test}[arguments[0] if arguments else "run"]
    try:
        step()
    except (machine.Refusal, processes.AlreadyRunning) as refusal:
        message = str(refusal)
    except OSError as error:
        message = machine.explain(error)
    except KeyboardInterrupt:
        message = "Stopped. The same command goes on from here."
    else:
        return 0
    sys.stderr.write(f"\n{message}\n")
    return 1
