"""How the pipeline's process ends, and what it says of a fault."""

import contextlib
import errno
import os
from pathlib import Path
from typing import Any

import pytest

from training.pipeline import __main__ as program
from training.pipeline import stages
from training.pipeline.supervision import EXIT_FAILED, EXIT_STOPPED, Stop, is_held, json_lines


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
    missed = type("DeadlineExceededError", (Exception,), {})
    assert "came in time" in program.explain(missed("Barrier timed out. Id: x::0."))


def _end(error: Exception, workdir: Path, patch: pytest.MonkeyPatch, *, stop: bool = False) -> tuple[int, list[Any]]:
    """How a process ends whose stage raises this, and what it says."""

    def stage(*_: Any, **__: Any) -> None:
        raise error

    told: list[Any] = []
    wish = Stop()
    if stop:
        wish.set()
    patch.setattr(program, "_HELD", contextlib.ExitStack())
    patch.setattr(stages, "open_run", lambda *_, **__: None)
    patch.setattr(stages, "run_all", stage)
    code = program.run(workdir, told.append, wish)
    program._HELD.close()
    return code, told


@pytest.mark.parametrize("name", ["UnavailableError", "AbortedError", "CancelledError"])
def test_a_machine_that_goes_away_stops_a_training_and_does_not_fail_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = type(name, (Exception,), {})("Collective ops is aborted by: /job:worker/replica:0/task:1")
    for off in ("", "off"):
        monkeypatch.setenv("WEBNET_DISTRIBUTION", off)
        code, (told,) = _end(gone, tmp_path, monkeypatch)
        assert code == EXIT_FAILED and "unexpected fault" in told["payload"]["message"]
    for name in ("mirrored", "multi_worker_mirrored"):
        monkeypatch.setenv("WEBNET_DISTRIBUTION", name)
        code, (told,) = _end(gone, tmp_path, monkeypatch)
        assert code == EXIT_STOPPED and told["kind"] == "error"
        assert "has gone away" in told["payload"]["message"] and "task:1" in told["payload"]["detail"]
        # Where everything is shut down nobody went away by mistake.
        assert _end(gone, tmp_path, monkeypatch, stop=True) == (EXIT_STOPPED, [])
        assert _end(ValueError("ours"), tmp_path, monkeypatch)[0] == EXIT_FAILED
