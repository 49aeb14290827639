"""What the commands of all apps have in common."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError, _ArgumentGroup
from collections.abc import Mapping
from datetime import UTC, date, datetime
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from riskplatform.kernel.errors import ApplicationError

PROGRESS_EVERY_S = 5.0


class ApplicationCommand(BaseCommand):
    """Ends with the sentence of the platform's own errors, not with a traceback.

    So it does where a database was not prepared for this version.
    """

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except ApplicationError as error:
            raise CommandError(error.message) from error
        except DatabaseError as error:
            if not _lacks_migrations():
                raise
            raise CommandError(
                "The database is not prepared for this version: run manage.py prepare."
            ) from error

    def report(
        self, text: str, facts: Mapping[str, object], options: Mapping[str, Any]
    ) -> None:
        """Print what was done, or would be: a sentence, or with --json the facts."""
        told = {**facts, "is_dry_run": options["dry_run"]}
        self.stdout.write(json.dumps(told, default=str) if options["json"] else text)


def _lacks_migrations() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    # It does not answer, or a transaction is open that broke.
    except DatabaseError:
        return False


class Pace:
    """Lets a command report its progress every few seconds at most."""

    def __init__(self) -> None:
        self._next_s = monotonic() + PROGRESS_EVERY_S

    def is_due(self) -> bool:
        """Say whether to report now; the next report is due a few seconds later."""
        if monotonic() < self._next_s:
            return False
        self._next_s = monotonic() + PROGRESS_EVERY_S
        return True


def read_day(text: str) -> date:
    """Read a day given as an option, such as 2024-01-31.

    Raises
    ------
    ArgumentTypeError
        It is none; says why.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"not a date: {error}. Write 2024-01-31.") from None


def read_moment(text: str) -> datetime:
    """Read a day, or a time, of UTC where it names no offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(
            f"not a time: {error}. Write 2024-01-31 or 2024-01-31T12:00:00Z."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def add_yes(parser: ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="Do not ask.")


def confirm(what: str, is_confirmed: bool) -> None:  # noqa: FBT001 - the option --yes
    """Go on if a person at a terminal agrees, or has agreed by --yes.

    Raises
    ------
    CommandError
        They do not, or there is nobody to ask.
    """
    if is_confirmed:
        return
    if not sys.stdin.isatty():
        raise CommandError(f"{what} Repeat it with --yes, or with --dry-run to look.")
    if input(f"{what} Go on? [y/N] ").strip().lower() not in {"y", "yes"}:
        raise CommandError("Nothing was changed.")


def add_json(parser: ArgumentParser | _ArgumentGroup) -> None:
    parser.add_argument("--json", action="store_true", help="Print the report as JSON.")


def add_dry_run(
    parser: ArgumentParser | _ArgumentGroup,
    what: str = "Check every row, store nothing.",
) -> None:
    parser.add_argument("--dry-run", action="store_true", help=what)
