"""The first thing that `make` runs: `python3 -m webnet.bootstrap run|test`, with whatever Python the machine has.

This module keeps to the standard library and to syntax that Python 3.6 reads, so that an old Python can still say which
one is needed. What follows (`webnet.setting_up`) may use the language of today.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Optional, Sequence

VENV_PYTHON = Path(__file__).resolve().parent.parent / ".venv" / "bin" / "python"
SUPPORTED = ("3.11", "3.12", "3.13")


def is_supported(version: Sequence[int]) -> bool:
    """Whether TensorFlow 2.20 has wheels for this version of Python."""
    return "{}.{}".format(*version[:2]) in SUPPORTED


def another_python() -> Optional[str]:
    """A supported Python beside the one that runs: the one of the virtual environment, or one on the PATH."""
    candidates = [str(VENV_PYTHON)] + ["python" + version for version in SUPPORTED]
    for found in filter(None, map(shutil.which, candidates)):
        question = "import sys, venv, ensurepip; sys.exit('%d.%d' % sys.version_info[:2] not in {})".format(SUPPORTED)
        if subprocess.call([found, "-c", question], stderr=subprocess.DEVNULL) == 0:
            return found
    return None


def main() -> int:
    """Go on with a supported Python; the exit code is 0 or, after one clear sentence, another."""
    if is_supported(sys.version_info[:3]):
        from webnet import setting_up

        return setting_up.main(sys.argv[1:])
    python = another_python()
    if python is None:
        sys.stderr.write(
            "WebNet Trainer needs Python 3.11, 3.12 or 3.13 (TensorFlow has no packages for others) and this is Python "
            "{}.{}.{}: install one of them, then run the same command again.\n".format(*sys.version_info[:3])
        )
        return 1
    return os.execv(python, [python, "-m", "webnet.bootstrap"] + sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
