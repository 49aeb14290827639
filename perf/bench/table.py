"""A report as tables for people; colour only where the output shows it."""

from collections.abc import Iterable, Mapping
from io import StringIO
from shutil import get_terminal_size

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table

from perf.bench.measurement import Direction
from perf.bench.registry import Suite
from perf.bench.report import BenchmarkReport, Row

LEAST_WIDTH = 110


def render_report(
    report: BenchmarkReport, *, descriptions: Mapping[str, str], is_coloured: bool
) -> str:
    """Draw the machine line and one table for each suite."""
    tables = [
        _make_suite_table(f"{name} - {descriptions[name]}", rows)
        for name, rows in report.suites.items()
    ]
    return _draw(f"Machine: {report.machine}", *tables, is_coloured=is_coloured)


def render_suites(suites: Iterable[Suite], *, is_coloured: bool) -> str:
    table = Table("Suite", "What it measures", box=box.SIMPLE)
    for suite in suites:
        table.add_row(suite.name, suite.description)
    return _draw(table, is_coloured=is_coloured)


def _make_suite_table(title: str, rows: Iterable[Row]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE)
    table.add_column("Measurement", overflow="fold")
    table.add_column("Unit")
    for heading in ("Before (min-max)", "After (min-max)", "Ratio", "Target"):
        table.add_column(heading, justify="right", overflow="fold")
    table.add_column("Met")
    table.add_column("Rounds", justify="right")
    for row in rows:
        table.add_row(
            row.name,
            row.unit,
            _format_spread(row.before, row.before_min, row.before_max),
            _format_spread(row.after, row.after_min, row.after_max),
            "-" if row.ratio is None else f"{_format_figure(row.ratio)}x",
            _format_target(row),
            "yes" if row.met else "no",
            str(row.repeats),
            style=None if row.met else "bold red",
        )
    return table


def _format_spread(middle: float | None, low: float | None, high: float | None) -> str:
    if middle is None or low is None or high is None:
        return "-"
    bounds = f"{_format_figure(low)}-{_format_figure(high)}"
    return f"{_format_figure(middle)} ({bounds})"


def _format_target(row: Row) -> str:
    if row.ratio is not None:
        return f">= {row.target:g}x"
    sign = "<=" if row.direction is Direction.LOWER else ">="
    return f"{sign} {row.target:,.12g} {row.unit}"


def _format_figure(figure: float) -> str:
    """Show three digits or more, so that a ratio can be checked by eye."""
    if figure >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.1f}" if figure >= 10 else f"{figure:.3g}"


def _draw(*parts: RenderableType, is_coloured: bool) -> str:
    out = StringIO()
    width = max(get_terminal_size().columns, LEAST_WIDTH)
    # A name is shown as it is, brackets included.
    console = Console(
        file=out,
        width=width,
        force_terminal=is_coloured,
        markup=False,
        highlight=False,
        emoji=False,
    )
    console.print(*parts, sep="\n", soft_wrap=True)
    return out.getvalue().rstrip()
