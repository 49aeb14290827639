"""`manage.py refresh_rollups`: bring the rollups of events up to date."""

import threading
from typing import Any

from django.core.management.base import CommandParser

from analytics.store.clickhouse import close_connection
from analytics.store.rollups import RollupKeeper, refresh_rollups
from riskplatform.kernel.commands import ApplicationCommand


class Command(ApplicationCommand):
    help = (
        "Compute the years of the rollups that lag behind the events. Safe to repeat,"
        " to interrupt and to run twice at once; reports are right without it, only"
        " slower."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--every",
            type=float,
            metavar="SECONDS",
            help="Go on for ever, with this rest in between.",
        )

    def handle(self, *, every: float | None, **_options: Any) -> None:
        if every is None:
            self._report(refresh_rollups())
            return
        keeper, stopped = RollupKeeper(rest_s=every), threading.Event()
        while not stopped.wait(every):
            if count := keeper.refresh_if_due():
                self._report(count)
            close_connection()

    def _report(self, count: int) -> None:
        self.stdout.write(f"{count} partitions computed.")
