"""Measure how good models were on the past of a region."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from signal import SIGINT
from typing import Any, Final

from django.conf import settings
from django.core.management.base import CommandError
from rich.console import Console
from rich.table import Table

from riskplatform.api.keys.access import FULL_ACCESS
from riskplatform.kernel.commands import ApplicationCommand, add_json
from scoring.engine.models.registry import KINDS
from scoring.evaluation.backtests.files import write_dump, write_plots
from scoring.evaluation.backtests.regions import load_record
from scoring.evaluation.backtests.running import (
    DEFAULT_KINDS,
    BacktestRequest,
    HorizonResult,
    Record,
    parse_horizons,
    parse_kinds,
    run_backtests,
)
from scoring.evaluation.interval_text import interval_text, number_text
from scoring.horizons import HORIZONS_SEC, horizon_label
from scoring.selectors.regions import get_region

STOPPED = "Stopped. Repeat the command with --resume to go on from here."
# What a figure is called and which way is good; the engine may add more figures.
LABELS: Final = {
    "hit_rate": "hit rate ↑",
    "accuracy_index": "PAI ↑",
    "efficiency_index": "PEI ↑",
    "brier": "Brier score ↓",
    "log_score": "log score, nats per event ↑",
    "dispersion_gain": "gain by dispersion, nats per event ↑",
    "mean_alpha": "mean dispersion",
    "crps": "CRPS ↓",
    "calibration_error": "ECE of P(N≥1) ↓",
    "coverage": "90 % interval coverage (0.90)",
    "level_bias": "forecast / observed (1.00)",
    "level_bias_by_quarter": "forecast / observed by quarter (1.00)",
    "consistency": "CSEP pass share (0.95)",
    "information_gain": "information gain (IGPE), nats per event ↑",
    "hit_ratio": "hits over those of the baseline ↑",
}
PARTS: Final = {
    "number": "N (NB)",
    "spatial": "S and CL (NB)",
    "spatial_poisson": "S and CL (Poisson)",
    "region": "region total",
}
# Curves are for the plots; what identifies a model heads its column.
NOT_FIGURES: Final = frozenset({"kind", "reliability"})
WIDTH: Final = 160


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
            by_horizon = {
                str(each.horizon_sec): {
                    **each.report.as_dict(),
                    "resumed": list(each.resumed),
                }
                for each in results
            }
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


def render_backtest(
    report: Mapping[str, Any], *, region: str, is_terminal: bool
) -> str:
    """Write what `BacktestReport.as_dict` gives as text, in colour on a terminal."""
    out = StringIO()
    console = Console(
        file=out, force_terminal=is_terminal, width=WIDTH, highlight=False
    )
    first, last = (
        datetime.fromtimestamp(report[name], tz=UTC).date()
        for name in ("first_origin_s", "last_origin_s")
    )
    console.print(
        f"\n[bold]{region}, next {horizon_label(int(report['horizon_s']))}[/bold]: "
        f"{report['n_origins']} origins from {first} to {last}, "
        f"{report['n_events']:,} events."
    )
    console.print(_skill_table(report["models"]))
    for table in _comparison_tables(report):
        console.print(table)
    return out.getvalue()


def figures_of(model: Mapping[str, Any]) -> dict[str, str]:
    """Every figure of a model as label and text, nested ones one by one."""
    return {
        label: text
        for name, value in model.items()
        if name not in NOT_FIGURES
        for label, text in _figures(LABELS.get(name, _words(name)), value)
    }


def _skill_table(models: list[Mapping[str, Any]]) -> Table:
    table = Table(
        title="Skill (↑ higher is better, ↓ lower; in brackets: what is right)"
    )
    table.add_column("")
    for index, model in enumerate(models):
        style = "" if index else "bold"
        heading = _words(model["kind"]).replace(" ", "\n")
        table.add_column(heading, justify="right", style=style)
    columns = [figures_of(model) for model in models]
    labels = dict.fromkeys(label for column in columns for label in column)
    for label in labels:
        table.add_row(label, *(column.get(label, "-") for column in columns))
    return table


def _comparison_tables(report: Mapping[str, Any]) -> Iterator[Table]:
    """Put into one table a comparison what the report says of each baseline."""
    for name, by_baseline in report.items():
        if not isinstance(by_baseline, dict) or not by_baseline:
            continue
        rows = {kind: dict(_figures("", value)) for kind, value in by_baseline.items()}
        tested = _words(report["kind"])
        table = Table(
            title=f"{LABELS.get(name, _words(name))}: {tested}, 95 % interval"
        )
        table.add_column("over")
        labels = dict.fromkeys(label for row in rows.values() for label in row)
        for label in labels:
            table.add_column(label or "gain", justify="right")
        for kind, row in rows.items():
            table.add_row(_words(kind), *(row.get(label, "-") for label in labels))
        yield table


def _figures(label: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and set(value) == {"value", "low", "high"}:
        yield label, interval_text(**value)
    elif isinstance(value, dict):
        for part, nested in value.items():
            yield from _figures(f"{label} {_part(part)}".strip(), nested)
    elif isinstance(value, list | tuple):
        ends = [number_text(end(value)) for end in (min, max)] if value else ["-"]
        yield label, " to ".join(ends)
    elif value is not None:
        yield label, number_text(value)


def _part(name: str) -> str:
    try:
        share = float(name)
    except ValueError:
        return PARTS.get(name, _words(name))
    return f"at {share * 100:g} % of area"


def _words(name: str) -> str:
    return name.replace("_", " ")
