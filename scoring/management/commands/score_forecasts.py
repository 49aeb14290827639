"""Score the forecasts whose horizon has passed."""

from argparse import ArgumentParser
from typing import Any

from riskplatform.kernel.commands import ApplicationCommand, add_dry_run, add_json
from scoring.services.forecasts.skill import (
    MOST_AT_ONCE,
    count_due_forecasts,
    score_due_forecasts,
    write_missing_forecasts,
)
from scoring.services.registry.promotion import roll_back_failing_champions


class Command(ApplicationCommand):
    help = (
        "Score the forecasts whose horizon has passed against the events that came, "
        "and roll back champions that failed twice in a row, as the worker does now "
        "and then. Safe to repeat and to interrupt."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--limit", type=int, default=MOST_AT_ONCE, help="Forecasts at most."
        )
        add_dry_run(parser, "Count what is due, score nothing.")
        add_json(parser)

    def handle(self, *, limit: int, **options: Any) -> None:
        if options["dry_run"]:
            due = count_due_forecasts(limit=limit)
            self.report(f"{due} forecasts are due.", {"forecasts": due}, options)
            return
        write_missing_forecasts(limit=limit)
        count = score_due_forecasts(limit=limit)
        back = [(one.region.slug, str(one)) for one in roll_back_failing_champions()]
        lines = [f"{region} went back to {version}." for region, version in back]
        self.report(
            "\n".join([f"{count} forecasts scored.", *lines]),
            {"forecasts": count, "rolled_back": dict(back)},
            options,
        )
