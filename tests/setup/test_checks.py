"""What Django refuses to start with, and says why."""

from pathlib import Path
from typing import Any

import pytest

from webnet import checks


@pytest.mark.parametrize(
    ("name", "refused"), [("a museum, [its] data", True), ("a\\b", True), ("a museum, 2026", False)]
)
def test_a_folder_in_which_tensorflow_finds_no_checkpoint_is_refused(
    settings: Any, tmp_path: Path, name: str, refused: bool
) -> None:
    settings.DATA_DIR = tmp_path / name
    found = checks.data_folder_is_one_that_tensorflow_can_read(None)
    assert [one.id for one in found] == (["webnet.E002"] if refused else [])
    assert all(name in one.msg and "WEBNET_DATA" in str(one.hint) for one in found)
