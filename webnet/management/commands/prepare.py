"""`manage.py prepare`: everything between installed packages and a first start."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from webnet import preparation


class Command(BaseCommand):
    help = "Unpack weights, compile translations, migrate the database, register detectors, make the demo."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--files", action="store_true", help="only weights and translations, as the tests need")
        parser.add_argument("--no-demo", action="store_true", help="leave the demo account and dataset out")

    def handle(self, *args: Any, **options: Any) -> None:
        preparation.prepare_files(self.stdout.write)
        if options["files"]:
            return
        preparation.prepare_database(self.stdout.write)
        preparation.prepare_detectors(self.stdout.write)
        if not options["no_demo"]:
            preparation.prepare_demo()
