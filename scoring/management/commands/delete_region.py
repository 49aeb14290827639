"""Delete a region with everything that hangs on it."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from riskplatform.api.keys.access import FULL_ACCESS
from riskplatform.kernel.commands import ApplicationCommand, add_json, add_yes, confirm
from scoring.selectors.regions import get_region
from scoring.services.region_removal import count_of_region, delete_region


class Command(ApplicationCommand):
    help = (
        "Delete a region with everything that hangs on it: events, cells, models, "
        "forecasts, assessments and alert rules. Portfolios stay. It cannot be undone; "
        "--dry-run says what would go, and --yes does not ask. Safe to repeat and to "
        "interrupt."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("region", help="Slug of the region.")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Count what would go, delete nothing.",
        )
        add_yes(parser)
        add_json(parser)

    def handle(self, *, region: str, **options: Any) -> None:
        found = get_region(region, access=FULL_ACCESS)
        is_dry_run = options["dry_run"]
        counts = count_of_region(found)
        if not is_dry_run:
            confirm(
                f"Delete region {region} with {_listed(counts)}? It cannot be undone.",
                options["yes"],
            )
            counts = delete_region(found)
        if options["json"]:
            report = {"region": region, "is_dry_run": is_dry_run, "counts": counts}
            self.stdout.write(json.dumps(report))
            return
        verb = "would be deleted" if is_dry_run else "is deleted"
        self.stdout.write(f"Region {region} {verb}, with {_listed(counts)}.")


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())
