"""The main job from nothing: tables, a first member of staff, the demo's report."""

import secrets
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command

from scoring.demo.portfolio import join_demo_organisation
from scoring.management.commands.load_demo import Command as LoadDemo

USERNAME = "admin"


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


def ensure_first_admin(folder: Path) -> Path | None:
    """Create a superuser if there is none; returns the file with the password.

    The file is readable by its owner only; None means that staff exists already.
    """
    if User.objects.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(12)
    path = folder / "admin-password"
    path.touch(mode=0o600)
    path.write_text(password, encoding="ascii")
    User.objects.create_superuser(USERNAME, password=password)
    return path
