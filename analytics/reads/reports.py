"""Reports about a region's events, each answered within milliseconds.

Years in which the rollups are stale are read from the events themselves, so that an
answer is never behind what is stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import UTC, date, datetime, timedelta

from analytics.errors import ReportWindowError, UnknownReportError
from analytics.reads.event_lists import list_types
from analytics.reads.report_queries import (
    CELLS_TOP,
    HOURLY_COUNTS,
    NEIGHBOURHOOD_COUNTS,
    SEVERITY_QUANTILES,
    TREND,
    Rolled,
)
from analytics.store.clickhouse import Budget, Columns, SqlValue, fetch_columns
from analytics.store.query_cache import cached_answer
from analytics.store.rollups import CELL_DAYS, DAYS, HOURS, stale_years
from riskplatform.api.keys.access import EVERYBODY, EventOwners

REPORT = Budget(
    max_seconds=5,
    max_rows=200_000_000,
    max_query_bytes=1 << 22,
    max_result_rows=200_000,
)
QUANTILES = (0.5, 0.9, 0.99)
# Whole weeks, so that weekdays meet weekdays.
YEAR_BEFORE_DAYS = 364
MAX_RINGS = 10
# No event has it: names have no control characters.
NO_TYPE = "\0"
MIDNIGHT = datetime.min.time()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A named query over rollups; `max_days` bounds the window and the answer."""

    name: str
    description: str
    query: Rolled
    rollups: tuple[str, ...]
    max_days: int
    needs_cells: bool = False
    tells_types: bool = False


REPORTS: Mapping[str, Report] = {
    report.name: report
    for report in (
        Report(
            name="hourly-counts",
            description="Events of each type in each hour that saw any.",
            query=HOURLY_COUNTS,
            rollups=(HOURS,),
            max_days=92,
            tells_types=True,
        ),
        Report(
            name="top-cells",
            description="The cells with the most events.",
            query=CELLS_TOP,
            rollups=(CELL_DAYS,),
            max_days=36_525,
        ),
        Report(
            name="trend",
            description="Events of each day beside those 52 weeks before.",
            query=TREND,
            rollups=(DAYS,),
            max_days=YEAR_BEFORE_DAYS,
        ),
        Report(
            name="severity-quantiles",
            description="Counts, mean and quantiles of severity by type of event,"
            " the quantiles to one per cent.",
            query=SEVERITY_QUANTILES,
            rollups=(DAYS,),
            max_days=36_525,
            tells_types=True,
        ),
        Report(
            name="neighbourhood-counts",
            description="Events in each of some cells, and within some rings of it.",
            query=NEIGHBOURHOOD_COUNTS,
            rollups=(CELL_DAYS,),
            max_days=36_525,
            needs_cells=True,
        ),
    )
}


def run_report(
    name: str, window: ReportWindow, *, owners: EventOwners = EVERYBODY
) -> Columns:
    """Answer a report as columns, one row an hour, a day, a type or a cell.

    All events count. Types that no event of `owners` has are shown as `other`, and
    requested by name they have no events.
    """
    report = get_report(name)
    check_window(report, window)
    shown = _shown_types(report, window, owners)
    if shown is not None and window.event_type not in {None, *shown}:
        window = replace(window, event_type=NO_TYPE)
    if not report.tells_types:
        shown = None
    return cached_answer(
        f"report_{name}",
        (*astuple(report.query), *astuple(window), shown),
        lambda: _read(report, window, shown),
        regions=[window.region],
    )


def _shown_types(
    report: Report, window: ReportWindow, owners: EventOwners
) -> list[str] | None:
    """List the types that may be named; None where all may, or none is."""
    is_about_types = report.tells_types or window.event_type is not None
    if owners.is_everybody or not is_about_types:
        return None
    return list_types(window.region, owners)


def _read(report: Report, window: ReportWindow, shown: Sequence[str] | None) -> Columns:
    name = report.name
    stale = stale_years(report.rollups, _years(window))
    return fetch_columns(
        f"report_{name.replace('-', '_')}",
        report.query.sql(has_stale=bool(stale)),
        report_parameters(window, stale=stale, shown_types=shown),
        budget=REPORT,
    )


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
    return {
        "region": window.region,
        "event_type": window.event_type or "",
        "since": window.since.isoformat(),
        "until": window.until.isoformat(),
        "since_at": _midnight(window.since),
        "until_at": _midnight(window.until),
        "before_since": _year_before(window.since).isoformat(),
        "before_until": _year_before(window.until).isoformat(),
        "before_since_at": _midnight(_year_before(window.since)),
        "before_until_at": _midnight(_year_before(window.until)),
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


def _midnight(day: date) -> str:
    moment = datetime.combine(day, MIDNIGHT, tzinfo=UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S.000")
