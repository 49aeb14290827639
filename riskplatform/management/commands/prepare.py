"""Bring databases and static files up to date; `up` runs it before anything else."""

import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand

from riskplatform.management.first_admin import ensure_first_admin


class Command(BaseCommand):
    help = "Migrate both databases and collect static files if they have changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--no-static", action="store_true", help="leave the static files alone"
        )

        parser.add_argument(
            "--first-admin",
            action="store_true",
            help="create a first member of staff where there is none",
        )

    def handle(self, **options: Any) -> None:
        call_command("migrate", interactive=False, stdout=self.stdout)
        # Other apps' migrations are not written for ClickHouse.
        call_command(
            "migrate",
            "analytics",
            database="clickhouse",
            interactive=False,
            stdout=self.stdout,
        )
        if not options["no_static"]:
            self._collect_static()
        if options["first_admin"]:
            ensure_first_admin(Path(settings.VAR_DIR))

    def _collect_static(self) -> None:
        digest = static_digest()
        root = Path(settings.STATIC_ROOT)
        stamp = root.with_name(f"{root.name}.digest")
        known = root.is_dir() and stamp.exists()
        if known and stamp.read_text(encoding="ascii") == digest:
            self.stdout.write("The static files are unchanged.")
            return
        call_command("collectstatic", interactive=False, stdout=self.stdout)
        stamp.write_text(digest, encoding="ascii")


def static_digest() -> str:
    """Return a fingerprint of all static files: names, sizes and times."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list(None):
            stat = Path(storage.path(path)).stat()
            digest.update(f"{path} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
