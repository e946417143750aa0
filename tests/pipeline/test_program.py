"""How the pipeline's process ends, and what it says of a fault."""

import contextlib
import errno
import os
from pathlib import Path

import pytest

from training.pipeline import __main__ as program
from training.pipeline.supervision import EXIT_FAILED, Stop, is_held, json_lines


def test_the_folder_stays_locked_until_the_process_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Freeing the memory of a detector took seconds on a busy machine, in which a second process had begun."""
    monkeypatch.setattr(program, "_HELD", contextlib.ExitStack())
    assert program.run(tmp_path, lambda event: None, Stop()) == EXIT_FAILED
    assert is_held(tmp_path / "lock")
    program._HELD.close()
    assert not is_held(tmp_path / "lock")


def test_events_that_nobody_reads_do_not_keep_a_trainer_from_saving() -> None:
    """With an error it would end in disorder, its worker being gone, and free the folder long before it is gone."""
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    emit = json_lines(stream)
    for text in "xy":
        emit({"kind": "log", "payload": {"text": text}})
    with contextlib.suppress(BrokenPipeError):  # what was not read is still there
        stream.close()


def test_a_fault_nobody_foresaw_is_told_in_a_sentence() -> None:
    assert "disk is full" in program.explain(OSError(errno.ENOSPC, "no space"))
    assert "memory" in program.explain(MemoryError())
    # Both are one class of TensorFlow's.
    exhausted = type("ResourceExhaustedError", (Exception,), {})
    assert "memory" in program.explain(exhausted("OOM when allocating tensor with shape[8,96,96,96]"))
    assert "disk is full" in program.explain(exhausted("/runs/7/model.tmp; No space left on device"))
    assert program.explain(KeyError("x")) == "The training stopped because of an unexpected fault: 'x'"
