"""Score the forecasts whose horizon has passed."""

from argparse import ArgumentParser

from riskplatform.kernel.commands import ApplicationCommand
from scoring.services.forecasts.skill import (
    MOST_AT_ONCE,
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

    def handle(self, *, limit: int, **_options: object) -> None:
        write_missing_forecasts(limit=limit)
        count = score_due_forecasts(limit=limit)
        self.stdout.write(f"{count} forecasts scored.")
        for champion in roll_back_failing_champions():
            self.stdout.write(f"{champion.region.slug} went back to {champion}.")
