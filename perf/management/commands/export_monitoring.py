"""Write what Prometheus, Grafana and people read, from what the code promises."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from perf.monitoring.files import generated_files, outdated, write


class Command(BaseCommand):
    help = (
        "Write objectives, rules of Prometheus, dashboards of Grafana, runbooks and "
        "the list of metrics from the code. Safe to repeat."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="Write nothing; fail if a file is not what the code says.",
        )
        parser.add_argument(
            "--into",
            type=Path,
            default=settings.BASE_DIR,
            metavar="FOLDER",
            help="Where to write, instead of this checkout.",
        )

    def handle(self, *, check: bool, into: Path, **_options: Any) -> None:
        try:
            wanted = generated_files()
        except ImportError as error:
            raise CommandError(
                f"{error.name} is not installed; it builds the dashboards. "
                "`make setup-dev` installs it."
            ) from error
        if check:
            self._check(into, wanted)
            return
        changed = write(into, wanted)
        for path in changed:
            self.stdout.write(str(path))
        self.stdout.write(f"{len(changed)} of {len(wanted)} files written.")

    def _check(self, root: Path, wanted: dict[Path, str]) -> None:
        wrong = outdated(root, wanted)
        if wrong:
            listed = "\n".join(wrong)
            raise CommandError(f"{listed}\nRun manage.py export_monitoring.")
        self.stdout.write(f"All {len(wanted)} files are as the code says.")
