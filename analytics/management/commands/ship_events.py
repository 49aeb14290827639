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
from django.utils import timezone

from analytics.inbox.pruning import prune_inbox, retention
from analytics.shipping.forming import MAX_ROWS
from analytics.shipping.shipper import ShippingReport, ship_due
from analytics.shipping.waiting import Waiter
from riskplatform.kernel.heartbeat import heartbeat

# An insert costs a part on the disk, so small shipments keep a distance.
SPACING_S = 0.2
AFTER_DATABASE_ERROR_S = 2.0
TIDY_EVERY_S = 600.0
# A round without an insert asks the database some times, and may wait for each.
ROUND_S = 90.0

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
        self._waiter = Waiter(self._stopping)
        self._tidied_s = float("-inf")
        self._may_prune = False

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        heartbeat.start()
        while not self._stopping.is_set():
            heartbeat.expect(within_s=ROUND_S)
            close_old_connections()
            try:
                self._work()
            except Error:
                logger.exception("the database does not answer; shipping waits")
                self._stopping.wait(AFTER_DATABASE_ERROR_S)

    def _work(self) -> None:
        """Ship what is due, and wait for more."""
        started_s = time.monotonic()
        self._waiter.listen()
        self._tidy()
        report = ship_due(linger=timedelta(0))
        if self._may_prune:
            # One batch at a time, so that shipping never waits for long.
            before = timezone.now() - retention()
            pruned = prune_inbox(shipped_before=before, max_batches=1)
            self._may_prune = pruned.batch_count > 0
        elif not _has_progressed(report):
            self._waiter.wait()
        elif report.event_count < MAX_ROWS:
            self._stopping.wait(SPACING_S - (time.monotonic() - started_s))

    def _tidy(self) -> None:
        if time.monotonic() - self._tidied_s > TIDY_EVERY_S:
            self._tidied_s = time.monotonic()
            self._may_prune = True

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping.set()


def _has_progressed(report: ShippingReport) -> bool:
    return report.shipment_count > 0 and not report.has_failed
