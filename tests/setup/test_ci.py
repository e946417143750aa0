"""CI counts a test that was left out as a failure: what it reads that from."""

import subprocess
import sys
from pathlib import Path

from tests.installation import ROOT

REPORT = """<?xml version="1.0"?><testsuites><testsuite name="pytest">
<testcase classname="tests.a" name="test_it_passes" />{more}</testsuite></testsuites>"""
SKIPPED = (
    '<testcase classname="tests.a" name="test_pages"><skipped type="pytest.skip" message="no Chromium" /></testcase>'
)
FAILED = '<testcase classname="tests.a" name="test_boxes"><failure message="assert" /></testcase>'
EXPECTED = '<testcase classname="tests.a" name="test_later"><skipped type="pytest.xfail" message="known" /></testcase>'


def skips(tmp_path: Path, more: str, *options: str) -> subprocess.CompletedProcess[str]:
    report = tmp_path / "report.xml"
    report.write_text(REPORT.format(more=more))
    command = [sys.executable, ROOT / ".ci" / "skips.py", *options, report]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_a_skipped_test_fails_the_run_and_is_named(tmp_path: Path) -> None:
    done = skips(tmp_path, SKIPPED)
    assert done.returncode == 1
    assert "left out: tests.a.test_pages: no Chromium" in done.stdout


def test_a_run_without_skips_passes(tmp_path: Path) -> None:
    assert skips(tmp_path, EXPECTED).returncode == 0


def test_a_run_of_nothing_fails(tmp_path: Path) -> None:
    command = [sys.executable, ROOT / ".ci" / "skips.py", tmp_path / "none.xml"]
    assert subprocess.run(command, capture_output=True, timeout=30).returncode == 1


def test_the_summary_counts(tmp_path: Path) -> None:
    assert skips(tmp_path, SKIPPED + FAILED, "--count").stdout == "1 passed, 1 failed, 1 skipped\n"
