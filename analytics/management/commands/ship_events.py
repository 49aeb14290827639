"""Bring accepted events to ClickHouse."""

from argparse import ArgumentParser

from django.core.management.base import CommandError

from analytics.shipping.shipper import ship_due
from riskplatform.kernel.commands import ApplicationCommand


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

    def handle(self, **_options: object) -> None:
        report = ship_due()
        self.stdout.write(
            f"{report.event_count} events shipped in {report.shipment_count} inserts, "
            f"{report.parked_count} parked."
        )
        if report.has_failed:
            raise CommandError("ClickHouse did not take a shipment; it stays waiting.")
