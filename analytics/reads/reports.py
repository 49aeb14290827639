"""Reports about a region's events, each answered within milliseconds.

Years in which the rollups are stale are read from the events themselves, so that an
answer is never behind what is stored.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from analytics.errors import ReportWindowError, UnknownReportError
from analytics.reads.event_lists import list_types, note_on_window
from analytics.reads.features import region_extent
from analytics.reads.report_queries import REPORTS, YEAR_BEFORE_DAYS, Report
from analytics.store.clickhouse import (
    Budget,
    Columns,
    SqlValue,
    fetch_columns,
    from_milliseconds,
)
from analytics.store.query_cache import cached_answer
from analytics.store.rollups import stale_years
from riskplatform.api.keys.access import EVERYBODY, EventOwners
from riskplatform.kernel.instants import utc_text

REPORT = Budget(
    max_seconds=5,
    max_rows=200_000_000,
    max_query_bytes=1 << 22,
    max_result_rows=200_000,
)
QUANTILES = (0.5, 0.9, 0.99)
QUANTILE_NAMES = tuple(f"q{quantile * 100:g}" for quantile in QUANTILES)
MAX_RINGS = 10
DEFAULT_DAYS = 28
# No event has it: names have no control characters.
NO_TYPE = "\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportWindow:
    """What a report is about: since <= day < until, in days of UTC.

    `cells` and `rings` are for the neighbourhood, `limit` for the top cells.
    """

    region: str
    since: date
    until: date
    event_type: str | None = None
    cells: Sequence[int] = ()
    rings: int = 1
    limit: int = 20


def run_report(
    name: str, window: ReportWindow, *, owners: EventOwners = EVERYBODY
) -> Columns:
    """Answer a report as columns, one row an hour, a day, a type or a cell.

    All events count. Types that no event of `owners` has are shown as `other`, and
    requested by name they have no events.
    """
    report = get_report(name)
    check_window(report, window)
    shown = None
    if not owners.is_everybody and (report.tells_types or window.event_type):
        shown = list_types(window.region, owners)
        if window.event_type not in {None, *shown}:
            window = replace(window, event_type=NO_TYPE)
    if not report.tells_types:
        shown = None

    def read() -> Columns:
        stale = stale_years([report.rollup], _years(window))
        return fetch_columns(
            f"report_{name.replace('-', '_')}",
            report.sql(has_stale=bool(stale)),
            report_parameters(window, stale=stale, shown_types=shown),
            budget=REPORT,
        )

    return cached_answer(
        f"report_{name}",
        (report.sql(has_stale=True), *astuple(window), shown),
        read,
        regions=[window.region],
    )


def days_between(since: datetime | None, until: datetime | None) -> tuple[date, date]:
    """Give the first day and the day after the last, in UTC, around two moments.

    Without an end it is tomorrow, without a beginning `DEFAULT_DAYS` before the end.
    """
    end = until or timezone.now()
    last = (end.astimezone(UTC) - timedelta(microseconds=1)).date()
    after = last + timedelta(days=1)
    if since is None:
        return after - timedelta(days=DEFAULT_DAYS), after
    return since.astimezone(UTC).date(), after


def note_on_report(window: ReportWindow, columns: Columns) -> str | None:
    """Say of an empty report where the newest event of its region is."""
    if any(len(values) for values in columns.values()):
        return None
    since, until = (
        datetime.combine(day, time.min, tzinfo=UTC)
        for day in (window.since, window.until)
    )
    newest = region_extent(window.region).last_occurred_at
    return note_on_window(since, until, newest)


def rows_of(columns: Columns) -> Iterator[dict[str, Any]]:
    """Make one mapping a row; what is not known, such as no mean, is None."""
    lists = (values.tolist() for values in columns.values())
    for values in zip(*lists, strict=True):
        yield _row(dict(zip(columns, values, strict=True)))


def _row(values: dict[str, Any]) -> dict[str, Any]:
    if "hour_ms" in values:
        hour = from_milliseconds(values.pop("hour_ms"))
        return {"hour": utc_text(hour), **values}
    if "cell" in values:
        cell = values.pop("cell")
        return {"cell_id": str(cell), "cell_hex": f"{cell:x}", **values}
    if "day" in values:
        return {**values, "day": values["day"].isoformat()}
    quantiles = dict(zip(QUANTILE_NAMES, values.pop("severity_quantiles"), strict=True))
    return {name: _known(value) for name, value in {**values, **quantiles}.items()}


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def get_report(name: str) -> Report:
    try:
        return REPORTS[name]
    except KeyError:
        raise UnknownReportError(
            f"There is no report {name!r}. There are: {', '.join(REPORTS)}.",
            known=sorted(REPORTS),
        ) from None


def report_parameters(
    window: ReportWindow,
    *,
    stale: Sequence[str],
    shown_types: Sequence[str] | None = None,
) -> dict[str, SqlValue]:
    """Name what the queries bind; `stale` are the years not to take from rollups."""
    days = {
        "since": window.since,
        "until": window.until,
        "before_since": _year_before(window.since),
        "before_until": _year_before(window.until),
    }
    return {
        "region": window.region,
        "event_type": window.event_type or "",
        **{name: day.isoformat() for name, day in days.items()},
        **{f"{name}_at": f"{day} 00:00:00.000" for name, day in days.items()},
        "year_before_days": YEAR_BEFORE_DAYS,
        # One text is bound faster than a list of numbers.
        "cells": ",".join(map(str, window.cells)),
        "rings": window.rings,
        "limit": window.limit,
        "folds": int(shown_types is not None),
        # An event without a type gives nothing away.
        "shown_types": ["", *(shown_types or ())],
        # An empty list cannot be bound.
        "stale": stale or ["none"],
    }


def check_window(report: Report, window: ReportWindow) -> None:
    days = (window.until - window.since).days
    if not 0 < days <= report.max_days:
        raise ReportWindowError(
            f"The report {report.name} covers 1 to {report.max_days:,} days, not"
            f" {days:,}. Choose other dates.",
            report=report.name,
        )
    if report.needs_cells and not window.cells:
        raise ReportWindowError(
            f"The report {report.name} needs cells to look around. Name some.",
            report=report.name,
        )
    if not 0 <= window.rings <= MAX_RINGS:
        raise ReportWindowError(
            f"A neighbourhood has 0 to {MAX_RINGS} rings, not {window.rings}.",
            report=report.name,
        )


def _years(window: ReportWindow) -> range:
    """Give the years that a report may touch, with those it compares to."""
    return range(_year_before(window.since).year, window.until.year + 1)


def _year_before(day: date) -> date:
    return day - timedelta(days=YEAR_BEFORE_DAYS)
