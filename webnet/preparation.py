"""What an installation needs besides packages before it can serve: weights, translations, database, demo."""

import io
import os
from collections.abc import Callable
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import Error as DatabaseError

from training.pipeline import weights
from training.services import register_pretrained

Tell = Callable[[str], None]


def prepare_files(tell: Tell) -> None:
    """Unpack and verify the offline weights and compile the translations; both are quick where nothing changed."""
    try:
        weights.prepare(settings.WEIGHTS_DIR, node_modules=settings.BASE_DIR / "node_modules")
    except weights.WeightsError as error:
        raise CommandError(str(error)) from None
    compiled = sum(compile_translation(source) for folder in settings.LOCALE_PATHS for source in folder.rglob("*.po"))
    if compiled:
        tell(f"Compiled {compiled} translations.")


def compile_translation(source: Path) -> bool:
    """Write the .mo file beside a .po file if it is missing or older; whether it was written.

    With Babel, for gettext's msgfmt, which Django calls, is missing on many machines.
    """
    target = source.with_suffix(".mo")
    if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
        return False
    with source.open("rb") as file:
        catalog = read_po(file, locale=source.parent.parent.name)
    # Aside and then into place: a process that starts now never reads half a file.
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    with draft.open("wb") as file:
        write_mo(file, catalog)
    draft.replace(target)
    return True


def prepare_database(tell: Tell) -> None:
    """Bring the tables up to date."""
    output = io.StringIO()
    try:
        call_command("migrate", interactive=False, verbosity=1, stdout=output)
    except DatabaseError as error:
        raise CommandError(database_problem(error)) from None
    applied = output.getvalue().count(" OK")
    if applied:
        tell(f"Database ready ({applied} migrations applied).")


def database_problem(error: DatabaseError) -> str:
    """One sentence for what the database refused."""
    reason = str(error).strip().partition("\n")[0]
    if "disk is full" in reason:
        return "The disk is full: make room and run the same command again."
    return (
        f"The database cannot be used ({reason}): check DATABASE_URL and that its server runs, or leave DATABASE_URL"
        " out to use the file in the data folder."
    )


def prepare_detectors(tell: Tell) -> None:
    """Make the unpacked pretrained detectors known to the database."""
    found = sorted(Path(settings.WEIGHTS_DIR).glob("*/detector.json"))
    for description in found:
        register_pretrained(description.parent)
    if not found:
        tell(f"No pretrained detector in {settings.WEIGHTS_DIR}: `manage.py prepare` unpacks it.")


def prepare_demo() -> None:
    """Make the demo account and the demo dataset where they are missing."""
    call_command("setup_demo")
