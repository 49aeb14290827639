"""`manage.py set_event_retention`: how long the events of each region are stored."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from analytics.reads.retention import count_too_old, read_retention, set_retention
from riskplatform.kernel.commands import ApplicationCommand, add_json, add_yes, confirm


class Command(ApplicationCommand):
    help = (
        "Keep the events of the named regions for so many days; the rules of other "
        "regions stay as they are, and without a rule events are kept for ever. "
        "ClickHouse DELETES what is older, for good: --dry-run counts it. Without "
        "anything named it lists the rules."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "rules",
            nargs="*",
            metavar="REGION=DAYS",
            help="Such as chicago=3650; REGION=ever takes a rule back.",
        )
        parser.add_argument("--list", action="store_true", help="Only list the rules.")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Count what would go, change nothing.",
        )
        add_yes(parser)
        add_json(parser)

    def handle(self, *, rules: list[str], **options: Any) -> None:
        before = read_retention()
        changed = {} if options["list"] else dict(map(_parse, rules))
        limited = {region: days for region, days in changed.items() if days is not None}
        counts = count_too_old(limited)
        after = {
            region: days
            for region, days in (before | changed).items()
            if days is not None
        }
        if not options["dry_run"] and after != before:
            n_events = sum(counts.values())
            if n_events:
                confirm(f"This deletes {n_events:,} events for good.", options["yes"])
            set_retention(after)
        self._show(after, counts, options)

    def _show(
        self, days: dict[str, int], counts: dict[str, int], options: dict[str, Any]
    ) -> None:
        if options["json"]:
            report = {
                "days": days,
                "too_old": counts,
                "is_dry_run": options["dry_run"],
            }
            self.stdout.write(json.dumps(report))
            return
        verb = "would go" if options["dry_run"] else "go"
        for region, count in sorted(days.items()):
            gone = f", {counts[region]:,} events {verb}" if region in counts else ""
            self.stdout.write(f"{region}: {count:,} days{gone}")
        self.stdout.write("All other events are kept for ever.")


def _parse(rule: str) -> tuple[str, int | None]:
    region, _, days = rule.partition("=")
    if not region or not (days.isdecimal() or days == "ever"):
        raise CommandError(f"{rule!r} is no rule. Write REGION=DAYS or REGION=ever.")
    return region, None if days == "ever" else int(days)
