"""A small process in the place of the pipeline, for the tests of supervision: says what its work folder tells it to."""

import json
import os
import signal
import sys
import time
from pathlib import Path


def main(workdir: Path) -> int:
    plan = json.loads((workdir / "plan.json").read_text())
    if plan.get("deaf"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for event in plan["says"]:
        sys.stdout.write((json.dumps(event) if isinstance(event, dict) else event) + "\n")
        sys.stdout.flush()
        time.sleep(plan.get("pauses", 0))
    if plan.get("listens"):
        # The lifeline: ends when the supervisor dies.
        sys.stdin.read()
        (workdir / "noticed").touch()
        return 3
    if plan.get("kills"):
        os.kill(os.getpid(), plan["kills"])
    time.sleep(plan.get("sleeps", 0))
    return int(plan.get("exits", 0))


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
