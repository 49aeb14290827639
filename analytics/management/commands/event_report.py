"""`manage.py event_report`: a report on a region's events, as a table or as JSON."""

from collections.abc import Sequence
from typing import Any

import orjson
from django.core.management.base import CommandParser

from analytics.api.reading import parse_cells
from analytics.reads.report_queries import REPORTS
from analytics.reads.reports import (
    DEFAULT_DAYS,
    ReportWindow,
    days_between,
    note_on_report,
    rows_of,
    run_report,
)
from riskplatform.kernel.commands import ApplicationCommand, read_moment


class Command(ApplicationCommand):
    help = (
        "Run one of the reports about a region's events. Reads only;"
        " safe to run at any time. Days are days of UTC."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        known = "; ".join(f"{one.name}: {one.description}" for one in REPORTS.values())
        parser.add_argument("name", choices=sorted(REPORTS), help=known)
        parser.add_argument("--region", required=True, help="Slug of the region.")
        parser.add_argument(
            "--from",
            dest="since",
            type=read_moment,
            help=f"First day; {DEFAULT_DAYS} days before --to by default.",
        )
        parser.add_argument(
            "--to",
            dest="until",
            type=read_moment,
            help="Day after the last; tomorrow by default.",
        )
        parser.add_argument("--event-type", help="Count events of this type only.")
        parser.add_argument(
            "--cells",
            default="",
            help="H3 cells separated by commas, for neighbourhood-counts.",
        )
        parser.add_argument(
            "--rings", type=int, default=1, help="Rings around each of the cells."
        )
        parser.add_argument("--limit", type=int, default=20, help="Rows of top-cells.")
        parser.add_argument("--json", action="store_true", help="Write JSON.")

    def handle(self, *, name: str, **options: Any) -> None:
        window = _window(options)
        columns = run_report(name, window)
        rows = list(rows_of(columns))
        if options["json"]:
            self.stdout.write(orjson.dumps(rows).decode())
            return
        note = note_on_report(window, columns)
        for line in _table(rows) if note is None else [note]:
            self.stdout.write(line)


def _window(options: dict[str, Any]) -> ReportWindow:
    since, until = days_between(options["since"], options["until"])
    return ReportWindow(
        region=options["region"],
        since=since,
        until=until,
        event_type=options["event_type"],
        cells=parse_cells(options["cells"], "--cells"),
        rings=options["rings"],
        limit=options["limit"],
    )


def _table(rows: Sequence[dict[str, Any]]) -> list[str]:
    texts = [list(rows[0]), *([_text(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return [
        "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))
        for row in texts
    ]


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
