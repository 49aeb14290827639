"""Measure how good models were on the past of a region."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from signal import SIGINT
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from riskplatform.api.keys.access import FULL_ACCESS
from riskplatform.kernel.commands import ApplicationCommand, add_json
from scoring.engine.models.registry import KINDS
from scoring.evaluation.backtests.files import write_dump, write_plots
from scoring.evaluation.backtests.running import (
    DEFAULT_KINDS,
    BacktestRequest,
    HorizonResult,
    Record,
    load_record,
    parse_horizons,
    parse_kinds,
    run_backtests,
)
from scoring.horizons import HORIZONS_SEC
from scoring.management.backtest_report import render_backtest
from scoring.selectors.regions import get_region

STOPPED = "Stopped. Repeat the command with --resume to go on from here."


class Command(ApplicationCommand):
    help = (
        "Forecast the last windows of a region's record from what was known before "
        "each, and score it. Every model is fitted on the time before these windows "
        "alone. Safe to repeat and to interrupt: finished models are kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--region", required=True, help="Slug of the region.")
        parser.add_argument(
            "--models",
            default=",".join(DEFAULT_KINDS),
            help="The model under test, then its baselines (default: %(default)s). "
            f"There are: {', '.join(KINDS)}.",
        )
        parser.add_argument(
            "--origins",
            type=int,
            default=60,
            help="Windows to forecast, up to the end of the record (%(default)s).",
        )
        parser.add_argument(
            "--horizon",
            default="1d,7d",
            help="How far ahead, such as 1d,7d (%(default)s). "
            f"There are: {', '.join(HORIZONS_SEC)}.",
        )
        add_json(parser)
        parser.add_argument(
            "--plot", type=Path, metavar="DIR", help="Write SVG plots into a folder."
        )
        parser.add_argument(
            "--dump",
            type=Path,
            metavar="DIR",
            help="Write one npz of forecasts and outcomes a model and horizon.",
        )
        parser.add_argument(
            "--resume",
            action="store_true",
            help="Use the models that an earlier run on the same events finished.",
        )

    def handle(self, *, region: str, **options: Any) -> None:
        try:
            results = list(self._results(region, options))
        except KeyboardInterrupt as error:
            raise CommandError(STOPPED, returncode=128 + SIGINT) from error
        if options["json"]:
            by_horizon = dict(_as_json(result) for result in results)
            report = {"region": region, "horizons": by_horizon}
            self.stdout.write(json.dumps(report, indent=2))
            return
        for result in results:
            text = render_backtest(
                asdict(result.report),
                region=region,
                is_terminal=self.stdout.isatty(),
            )
            self.stdout.write(text)

    def _results(self, slug: str, options: dict[str, Any]) -> Iterator[HorizonResult]:
        request = BacktestRequest(
            kinds=parse_kinds(options["models"]),
            horizons_sec=parse_horizons(options["horizon"]),
            n_origins=options["origins"],
        )
        region = get_region(slug, access=FULL_ACCESS)
        self.stderr.write("Reading the events of the region")
        record = load_record(region)
        for note in record.notes:
            self.stderr.write(f"Note: {note}", self.style.WARNING)
        for result in run_backtests(
            record,
            request,
            root=Path(settings.VAR_DIR) / "backtests",
            resume=options["resume"],
            on_progress=lambda progress: self.stderr.write(str(progress)),
        ):
            self._write_files(result, record, region.name, options)
            yield result

    def _write_files(
        self, result: HorizonResult, record: Record, name: str, options: dict[str, Any]
    ) -> None:
        written: list[Path] = []
        if (folder := options["dump"]) is not None:
            written += [
                write_dump(table, record.grid, folder=folder) for table in result.tables
            ]
        if (folder := options["plot"]) is not None:
            written += write_plots(result, record.grid, region=name, folder=folder)
        for path in written:
            self.stderr.write(f"Wrote {path}")


def _as_json(result: HorizonResult) -> tuple[str, dict[str, Any]]:
    body = {**result.report.as_dict(), "resumed": list(result.resumed)}
    return str(result.horizon_sec), body
