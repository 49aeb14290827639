"""`manage.py refresh_rollups`: bring the rollups of events up to date."""

import threading
from typing import Any

from django.core.management.base import CommandParser

from analytics.store.clickhouse import close_connection
from analytics.store.rollups import RollupKeeper, find_stale, refresh_rollups
from riskplatform.kernel.commands import ApplicationCommand, add_dry_run, add_json


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
        add_dry_run(parser, "Count what lags behind, and end.")
        add_json(parser)

    def handle(self, *, every: float | None, **options: Any) -> None:
        if options["dry_run"]:
            count = len(find_stale())
            text = f"{count} partitions would be computed."
            self.report(text, {"partitions": count}, options)
            return
        if every is None:
            self._report(refresh_rollups(), options)
            return
        keeper, stopped = RollupKeeper(rest_s=every), threading.Event()
        while not stopped.wait(every):
            if count := keeper.refresh_if_due():
                self._report(count, options)
            close_connection()

    def _report(self, count: int, options: dict[str, Any]) -> None:
        self.report(f"{count} partitions computed.", {"partitions": count}, options)
