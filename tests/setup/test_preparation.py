"""What `manage.py prepare` does between installed packages and a first start."""

import gettext
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from tests.installation import ROOT, free_port
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


@pytest.mark.django_db
def test_a_demo_account_that_was_deleted_does_not_come_back(
    tmp_path: Path, settings: Any, django_user_model: Any
) -> None:
    settings.DATA_DIR = tmp_path
    (tmp_path / "demo-made").touch()
    (tmp_path / "demo-password").write_text("first-password")
    told = io.StringIO()
    django_user_model.objects.create_user("olga")
    call_command("setup_demo", stdout=told)
    assert django_user_model.objects.count() == 1 and told.getvalue() == ""
    user = django_user_model.objects.create_user("demo", password="first-password")
    call_command("setup_demo", stdout=told)
    assert "first-password" in told.getvalue()
    user.set_password("another-one")
    user.save()
    told.truncate(0)
    call_command("setup_demo", stdout=told)
    assert "password" not in told.getvalue(), "a password that is not right any more is of no use"


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


@pytest.mark.parametrize("command", [("prepare", "--no-demo"), ("serve", "--prepare")])
def test_a_database_that_is_away_is_refused_with_what_to_do(command: tuple[str, ...], tmp_path: Path) -> None:
    if command[0] == "serve":
        command = (*command, "--port", str(free_port()))
    environment = {**os.environ, "WEBNET_DATA": str(tmp_path), "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none"}
    done = subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 1
    assert "check DATABASE_URL and that its server runs" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_institution_gets_everything_but_the_demo(tmp_path: Path) -> None:
    """As the README says: weights, translations, tables and detectors; accounts are the institution's own."""
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    environment |= {"WEBNET_DATA": str(tmp_path)}
    look = (
        "from training.models import Detector as D; from datasets.models import Dataset as S;"
        "from django.contrib.auth.models import User as U;"
        "print(D.objects.get().name, S.objects.count(), U.objects.count())"
    )
    for command in (("prepare", "--no-demo"), ("shell", "--no-imports", "-c", look)):
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["OpenImages", "0", "0"]
    assert (tmp_path / "weights" / "openimages_ssd" / "model.tflite").is_file()
