"""Bring accepted events to ClickHouse."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from analytics.inbox.backlog import measure_backlog
from analytics.shipping.shipper import ship_due
from riskplatform.kernel.commands import ApplicationCommand, add_dry_run, add_json


class Command(ApplicationCommand):
    help = (
        "Bring accepted events from the inbox to ClickHouse, as the worker does all "
        "the time. Safe to interrupt, to repeat and to run several times at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once",
            action="store_true",
            required=True,
            help="Ship what is due now, then end; manage.py run_worker goes on.",
        )
        add_dry_run(parser, "Count what waits, and end.")
        add_json(parser)

    def handle(self, **options: Any) -> None:
        if options["dry_run"]:
            waiting = measure_backlog().waiting_count
            self.report(f"{waiting} events wait.", {"waiting": waiting}, options)
            return
        report = ship_due()
        self.report(
            f"{report.event_count} events shipped in {report.shipment_count} inserts, "
            f"{report.parked_count} parked.",
            {
                "events": report.event_count,
                "inserts": report.shipment_count,
                "parked": report.parked_count,
            },
            options,
        )
        if report.has_failed:
            raise CommandError("ClickHouse did not take a shipment; it stays waiting.")
