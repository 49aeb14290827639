"""The main job from nothing: tables, demo events, forecasts, a report."""

from argparse import ArgumentParser
from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from riskplatform.management.first_admin import USERNAME, ensure_first_admin


class Command(BaseCommand):
    help = (
        "Bring the tables up to date, load the demo and print its report; also written "
        "to demo.json in the data folder. Safe to repeat and to interrupt."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--synthetic",
            action="store_true",
            help="Use made-up events, for machines without a package registry.",
        )
        parser.add_argument(
            "--json", action="store_true", help="Print the report as JSON."
        )

    def handle(self, *, synthetic: bool, **options: Any) -> None:
        self.stderr.write("Bringing the tables up to date", self.style.NOTICE)
        call_command("prepare", no_static=True, stdout=StringIO())
        if settings.EMBEDDED and (password := ensure_first_admin(settings.VAR_DIR)):
            self.stderr.write(
                f"Staff signs in at /admin/ as {USERNAME}, password in {password}",
                self.style.NOTICE,
            )
        call_command(
            "load_demo",
            synthetic=synthetic,
            json=options["json"],
            stdout=self.stdout,
            stderr=self.stderr,
        )
