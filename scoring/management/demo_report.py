"""The demo's report for people: what came in, what came out, how good it is."""

from io import StringIO
from typing import Any

from rich.console import Console
from rich.table import Table

from scoring.evaluation.interval_text import interval_text, signed_text
from scoring.horizons import horizon_label


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
    """Print what `CityReport.as_dict` gives."""
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
