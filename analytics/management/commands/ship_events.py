"""Bring accepted events to ClickHouse."""

import logging
import signal
import threading
import time
from argparse import ArgumentParser
from datetime import timedelta
from types import FrameType

from django.core.management.base import BaseCommand, CommandError
from django.db import Error, close_old_connections

from analytics.shipping.shipper import ShippingReport, ship_due
from riskplatform.api.idempotency.services import forget_old_answers

POLL_S = 0.5
AFTER_DATABASE_ERROR_S = 2.0
TIDY_EVERY_S = 600.0

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Bring accepted events from the inbox to ClickHouse until asked to stop. Safe "
        "to interrupt, to repeat and to run several times at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="Ship what is due now, then end."
        )

    def handle(self, *, once: bool, **_options: object) -> None:
        if once:
            self._ship_once()
        else:
            Loop().run()

    def _ship_once(self) -> None:
        report = ship_due(linger=timedelta(0))
        self.stdout.write(
            f"{report.event_count} events shipped in {report.shipment_count} inserts, "
            f"{report.parked_count} parked."
        )
        if report.has_failed:
            raise CommandError("ClickHouse did not take a shipment; it stays waiting.")


class Loop:
    """Ships, and waits when there is nothing to ship."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._tidied_s = float("-inf")

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self._stopping.is_set():
            self._stopping.wait(self._work())

    def _work(self) -> float:
        """Do what is due; give the seconds to wait then."""
        close_old_connections()
        try:
            self._tidy()
            report = ship_due()
        except Error:
            logger.exception("the database does not answer; shipping waits")
            return AFTER_DATABASE_ERROR_S
        return 0.0 if _has_progressed(report) else POLL_S

    def _tidy(self) -> None:
        if time.monotonic() - self._tidied_s > TIDY_EVERY_S:
            self._tidied_s = time.monotonic()
            forget_old_answers()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping.set()


def _has_progressed(report: ShippingReport) -> bool:
    return report.shipment_count > 0 and not report.has_failed
