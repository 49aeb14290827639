"""The main job from nothing: tables, a first member of staff, the demo's report."""

from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command

from riskplatform.management.first_admin import USERNAME, ensure_first_admin
from scoring.demo.portfolio import join_demo_organisation
from scoring.management.commands.load_demo import Command as LoadDemo


class Command(LoadDemo):
    help = (
        "Bring the tables up to date, load the demo and print its report; also written "
        "to demo.json in the data folder. Safe to repeat and to interrupt."
    )

    def handle(self, **options: Any) -> None:
        self.say("Bringing the tables up to date")
        call_command("prepare", no_static=True, stdout=StringIO())
        if settings.EMBEDDED and (password := ensure_first_admin(settings.VAR_DIR)):
            self.say(f"Staff signs in at /admin/ as {USERNAME}, password in {password}")
        super().handle(**options)
        if settings.EMBEDDED:
            join_demo_organisation(USERNAME)
