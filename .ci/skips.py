"""Read pytest's JUnit reports: fail where a test was left out (`skips.py REPORT...`), or count (`--count`)."""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def cases(reports: list[Path]) -> list[ElementTree.Element]:
    """Every test case of the reports that exist."""
    found = [report for report in reports if report.exists()]
    return [case for report in found for case in ElementTree.parse(report).iter("testcase")]


def is_left_out(case: ElementTree.Element) -> bool:
    """Whether a case was skipped; one that is expected to fail was run."""
    skipped = case.find("skipped")
    return skipped is not None and skipped.get("type") != "pytest.xfail"


def main(arguments: list[str]) -> int:
    """Print the count, or the cases left out; the exit code is 1 if there are any (or if nothing was run)."""
    counting = arguments[:1] == ["--count"]
    run = cases([Path(name) for name in arguments[counting:]])
    left_out = [case for case in run if is_left_out(case)]
    failed = [case for case in run if case.find("failure") is not None or case.find("error") is not None]
    if counting:
        print(f"{len(run) - len(failed) - len(left_out)} passed, {len(failed)} failed, {len(left_out)} skipped")
        return 0
    for case in left_out:
        skipped = case.find("skipped")
        reason = "" if skipped is None else skipped.get("message")
        print(f"left out: {case.get('classname')}.{case.get('name')}: {reason}")
    if not run:
        print("No test was run.")
    return 1 if left_out or not run else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
