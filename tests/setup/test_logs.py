"""Logs stay small, also that of a process that never ends."""

from pathlib import Path

import pytest

from webnet import serving


def test_a_long_log_begins_anew_while_its_process_goes_on_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "LOG_BYTES", 100)
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "access.log"
    supervisor = serving.Supervisor([], tmp_path, print)
    with log.open("ab") as written:
        written.write(b"early\n" * 20)
        written.flush()
        supervisor.tend()
        written.write(b"late\n")
        written.flush()
        supervisor.tend()  # not looked at again so soon
    assert log.read_bytes() == b"late\n"
    assert log.with_suffix(".log.1").read_bytes() == b"early\n" * 20
