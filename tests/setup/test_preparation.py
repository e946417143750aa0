"""What `manage.py prepare` does between installed packages and a first start."""

import gettext
import io
import os
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from webnet import preparation

PO = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Dataset"
msgstr "Raccolta"

#, fuzzy
msgid "Box"
msgstr "Scatola?"
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "it" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(PO)
    return folder / "django.po"


def test_a_translation_is_compiled_without_gettexts_tools(source: Path) -> None:
    assert preparation.compile_translation(source)
    with source.with_suffix(".mo").open("rb") as file:
        catalog = gettext.GNUTranslations(file)
    assert catalog.gettext("Dataset") == "Raccolta"
    assert catalog.gettext("Box") == "Box"


def test_a_compiled_translation_is_left_alone_until_it_changes(source: Path) -> None:
    preparation.compile_translation(source)
    assert not preparation.compile_translation(source)
    source.write_text(PO.replace("Raccolta", "Collezione"))
    later = source.with_suffix(".mo").stat().st_mtime + 5
    os.utime(source, (later, later))
    assert preparation.compile_translation(source)


def test_missing_weights_are_refused_with_what_to_do(tmp_path: Path) -> None:
    with override_settings(WEIGHTS_DIR=tmp_path / "weights", BASE_DIR=tmp_path), pytest.raises(CommandError) as refusal:
        call_command("prepare", "--files", stdout=io.StringIO())
    assert "Install the npm package @mediapipe/objectron" in str(refusal.value)
