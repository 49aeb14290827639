"""`manage.py set_event_retention`: how long the events of each region are stored."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from analytics.reads.retention import set_retention
from riskplatform.kernel.commands import ApplicationCommand


class Command(ApplicationCommand):
    help = (
        "Keep the events of the named regions for so many days, and those of all"
        " other regions for ever. The list replaces the one before; an empty list"
        " keeps everything. ClickHouse DELETES what is older, for good."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "rules",
            nargs="*",
            metavar="REGION=DAYS",
            help="Region and days, such as chicago=3650.",
        )

    def handle(self, *, rules: list[str], **_options: Any) -> None:
        days = dict(map(_parse, rules))
        set_retention(days)
        for region, count in sorted(days.items()):
            self.stdout.write(f"{region}: {count:,} days")
        self.stdout.write("All other events are kept for ever.")


def _parse(rule: str) -> tuple[str, int]:
    region, _, days = rule.partition("=")
    if not region or not days.isdecimal():
        raise CommandError(f"{rule!r} is no rule. Write REGION=DAYS.")
    return region, int(days)
