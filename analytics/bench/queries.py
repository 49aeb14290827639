"""Benchmarks of queries; `manage.py benchmark --suite queries` runs them.

They work in a database of their own, which is dropped at the end. The number of
events is ten million, or BENCHMARK_EVENTS.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from statistics import quantiles

import numpy as np

from analytics.bench.plain_queries import PLAIN_AGGREGATES, PLAIN_QUERIES
from analytics.bench.twins import CITY, bytes_on_disk, estimate, twins
from analytics.reads.features import AGGREGATES
from analytics.reads.report_queries import REPORTS
from analytics.reads.reports import ReportWindow, report_parameters, run_report
from analytics.store.clickhouse import (
    Columns,
    SqlValue,
    fetch_columns,
    fetch_rows,
    to_milliseconds,
)
from perf.bench.measurement import AnyMeasurement, Measurement, Meter, reported
from perf.bench.registry import registry
from perf.switches import Switch, switched_off
from riskplatform.env import env_int
from riskplatform.kernel.instants import EARLIEST, LATEST

EVENT_COUNT = 10_000_000
P95_CALLS = 40
PORTFOLIO_CELLS = 200
RATIO = 3.0
CACHED_RATIO = 5.0
UNCACHED = partial(switched_off, Switch.QUERIES)
# A disk that holds 40 % less.
DISK_RATIO = 1 / 0.6
# ClickHouse's sketches put what is up to one a bucket higher, 1.01 / 0.99 times as far.
RTOL = {"severity_quantiles": 0.0205}
YEAR = (date(2024, 1, 1), date(2024, 12, 29))
WINDOWS = {
    "hourly-counts": (date(2024, 6, 1), date(2024, 6, 29)),
    "top-cells": YEAR,
    "trend": YEAR,
    "severity-quantiles": (date(2022, 1, 1), date(2024, 12, 29)),
    "neighbourhood-counts": YEAR,
}
CELLS = """
SELECT cell FROM analytics_event WHERE region = %(region)s
GROUP BY cell ORDER BY sipHash64(cell) LIMIT %(limit)s
"""
P95_MS: Meter[float] = reported("ms", float)
MEBIBYTES: Meter[int] = reported("MiB", lambda size: size / 2**20)
GRANULES: Meter[int] = reported("granules", float)
ROWS: Meter[int] = reported("rows", float)


@registry.suite("queries")
def queries() -> Iterator[AnyMeasurement]:
    """Queries of events: a table as it comes (before), the platform's (after)."""
    yield from measure_queries(
        event_count=env_int("BENCHMARK_EVENTS", EVENT_COUNT, minimum=1)
    )


def measure_queries(
    *, event_count: int, p95_calls: int = P95_CALLS
) -> Iterator[AnyMeasurement]:
    with twins(event_count=event_count):
        windows = _windows()
        for name, window in windows.items():
            yield _compare(name, window)
        yield _compare_aggregates()
        for name, window in windows.items():
            yield Measurement(
                name=f"{name}: P95",
                after=partial(_p95_ms, partial(run_report, name, window), p95_calls),
                around=UNCACHED,
                meter=P95_MS,
                check=lambda milliseconds: milliseconds > 0,
                target=100.0,
                repeats=3,
            )
        for name, window in windows.items():
            yield _compare_cached(name, window)
        for name, window in windows.items():
            yield from _compare_reading(name, window)
        yield Measurement(
            name="disk, rollups included",
            before=partial(bytes_on_disk, is_plain=True),
            after=partial(bytes_on_disk, is_plain=False),
            meter=MEBIBYTES,
            check=_both_positive,
            target=DISK_RATIO,
            repeats=1,
        )


def same_columns(before: Columns, after: Columns) -> bool:
    """Compare answers; sums of floats may differ by the order of adding."""
    return before.keys() == after.keys() and all(
        _same(before[name], after[name], rtol=RTOL.get(name, 1e-9)) for name in before
    )


def _windows() -> dict[str, ReportWindow]:
    cells = fetch_rows("bench_cells", CELLS, {"region": CITY, "limit": PORTFOLIO_CELLS})
    return {
        name: ReportWindow(
            region=CITY,
            since=WINDOWS[name][0],
            until=WINDOWS[name][1],
            cells=[cell for (cell,) in cells],
            rings=2,
        )
        for name in REPORTS
    }


def _compare(name: str, window: ReportWindow) -> AnyMeasurement:
    params = report_parameters(window, stale=())
    return Measurement(
        name=name,
        before=partial(fetch_columns, "bench_plain", PLAIN_QUERIES[name], params),
        after=partial(run_report, name, window),
        around=UNCACHED,
        check=same_columns,
        target=RATIO,
        repeats=20,
    )


def _compare_cached(name: str, window: ReportWindow) -> AnyMeasurement:
    """Measure the same query again, while no event of the region has come."""

    def ask() -> Columns:
        with UNCACHED():
            return run_report(name, window)

    return Measurement(
        name=f"{name}: asked again",
        before=ask,
        after=partial(run_report, name, window),
        check=same_columns,
        target=CACHED_RATIO,
        repeats=20,
    )


def _compare_aggregates() -> AnyMeasurement:
    """Measure what a forecast reads: all cells of a region over all time."""
    instant = datetime(2024, 12, 1, tzinfo=UTC)
    params: dict[str, SqlValue] = {
        "region": CITY,
        "since_ms": to_milliseconds(EARLIEST),
        "instant_ms": to_milliseconds(instant),
        "known_ms": to_milliseconds(LATEST),
        "scales_ms": [8.64e7, 6.048e8, 3.15e10],
        "windows_ms": [],
        "kind": "one",
        "coefficient": 0.0,
        "reference": 0.0,
    }
    return Measurement(
        name="aggregates of all cells, ten years",
        before=partial(fetch_columns, "bench_plain", PLAIN_AGGREGATES, params),
        after=partial(fetch_columns, "features_cell_aggregates", AGGREGATES, params),
        check=same_columns,
        target=1.0,
        repeats=7,
    )


def _compare_reading(name: str, window: ReportWindow) -> Iterator[AnyMeasurement]:
    params = report_parameters(window, stale=())
    sides = (PLAIN_QUERIES[name], REPORTS[name].sql(has_stale=False))
    before, after = (partial(estimate, sql, params) for sql in sides)
    for index, meter in enumerate((ROWS, GRANULES)):
        yield Measurement(
            name=f"{name}: {meter.unit} read",
            before=partial(_nth, before, index),
            after=partial(_nth, after, index),
            meter=meter,
            check=_both_positive,
            target=1.0,
            repeats=1,
            warmups=0,
        )


def _nth(read: Callable[[], tuple[int, int]], index: int) -> int:
    return read()[index]


def _both_positive(before: int, after: int) -> bool:
    return min(before, after) > 0


def _p95_ms(read: Callable[[], object], calls: int) -> float:
    milliseconds = []
    for _ in range(calls):
        started_s = time.perf_counter()
        read()
        milliseconds.append(1_000 * (time.perf_counter() - started_s))
    return quantiles(milliseconds, n=20)[-1]


def _same(before: np.ndarray, after: np.ndarray, *, rtol: float) -> bool:
    if before.shape != after.shape:
        return False
    if before.dtype == np.float64:
        return bool(np.allclose(before, after, rtol=rtol, atol=0, equal_nan=True))
    return bool((before == after).all())
