"""Logs stay small, also that of a process that never ends, and one that is gone is nobody's fault."""

from pathlib import Path

import pytest

from webnet import serving


def test_a_long_log_begins_anew_while_its_process_goes_on_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "LOG_BYTES", 100)
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "access.log"
    # A service that is not there and not due yet.
    service = serving.Service("web", (), {}, log.with_name("web.log"), (log,), start_after=float("inf"))
    supervisor = serving.Supervisor([service], tmp_path, print)
    with log.open("ab") as written:
        written.write(b"early\n" * 20)
        written.flush()
        supervisor.tend()
        written.write(b"late\n")
        written.flush()
        supervisor.tend()  # not looked at again so soon
    assert log.read_bytes() == b"late\n"
    assert log.with_suffix(".log.1").read_bytes() == b"early\n" * 20
