"""What is known of a region's events, as arrays: one query, one row a cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from analytics.store.clickhouse import (
    Budget,
    SqlValue,
    fetch_columns,
    from_milliseconds,
    to_milliseconds,
)
from analytics.store.query_cache import cached_columns
from riskplatform.kernel.instants import EARLIEST, LATEST

TRAINING = Budget(max_seconds=120)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# FINAL reads as if all merges had happened. A replaced row shares its year with
# the row that replaces it, so years can be read one by one. PREWHERE comes before
# that, on what all versions of an event share; is_deleted is read after it, so a
# withdrawal hides what it withdraws, then itself.
AGGREGATES = """
WITH
    toUnixTimestamp64Milli(occurred_at) AS occurred_ms,
    multiIf(
        %(kind)s = 'one' OR severity IS NULL, 1.,
        %(kind)s = 'log', 1 + log1p(
            greatest(severity, 0) / if(%(reference)s > 0, %(reference)s, 1.)
        ),
        exp10(greatest(-12., least(12., %(coefficient)s * (severity - %(reference)s))))
    ) AS weight
SELECT
    cell,
    sumForEach(arrayMap(
        scale_ms -> ifNull(weight, 1.) * exp((occurred_ms - %(instant_ms)s) / scale_ms),
        %(scales_ms)s
    )) AS excitation,
    count() AS count,
    countIf(occurred_ms >= %(instant_ms)s - 86400000) AS count_1d,
    countIf(occurred_ms >= %(instant_ms)s - 7 * 86400000) AS count_7d,
    countIf(occurred_ms >= %(instant_ms)s - 28 * 86400000) AS count_28d,
    sumForEach(arrayMap(
        window_ms -> toInt64(occurred_ms >= %(instant_ms)s - window_ms),
        CAST(%(windows_ms)s, 'Array(Float64)')
    )) AS window_count,
    min(occurred_ms) AS first_ms,
    max(occurred_ms) AS last_ms
FROM analytics_event FINAL
PREWHERE region = %(region)s
    AND occurred_at >= fromUnixTimestamp64Milli(%(since_ms)s, 'UTC')
    AND occurred_at < fromUnixTimestamp64Milli(%(instant_ms)s, 'UTC')
WHERE ingested_at <= fromUnixTimestamp64Milli(%(known_ms)s, 'UTC')
    AND is_deleted = 0
GROUP BY cell
ORDER BY cell
SETTINGS do_not_merge_across_partitions_select_final = 1
"""
EVENTS = """
SELECT
    cell,
    toUnixTimestamp64Milli(occurred_at) AS occurred_ms,
    toUnixTimestamp64Milli(ingested_at) AS arrived_ms,
    severity
FROM analytics_event FINAL
PREWHERE region = %(region)s
    AND occurred_at >= fromUnixTimestamp64Milli(%(since_ms)s, 'UTC')
    AND occurred_at < fromUnixTimestamp64Milli(%(until_ms)s, 'UTC')
WHERE is_deleted = 0
ORDER BY occurred_at, cell
SETTINGS do_not_merge_across_partitions_select_final = 1
"""
EXTENT = """
SELECT
    count(),
    uniqExact(cell),
    toUnixTimestamp64Milli(min(occurred_at)),
    toUnixTimestamp64Milli(max(occurred_at))
FROM analytics_event FINAL
PREWHERE region = %(region)s
    AND occurred_at < fromUnixTimestamp64Milli(%(until_ms)s, 'UTC')
WHERE is_deleted = 0
SETTINGS do_not_merge_across_partitions_select_final = 1
"""
# One in ten thousand: the rarest severity that ten thousand scenarios can show.
MOST_RANKS = 10_000
# What is in the middle of each of equally large shares; all of them if they are few.
RANKED = """
WITH
    arraySort(groupArray(severity)) AS sorted,
    length(sorted) AS known,
    least(known, %(most)s) AS ranks
SELECT arrayJoin(arrayMap(
    rank -> sorted[1 + intDiv((2 * rank + 1) * known, 2 * ranks)], range(ranks)
)) AS ranked_severity
FROM analytics_event FINAL
WHERE region = %(region)s
    AND occurred_at < fromUnixTimestamp64Milli(%(until_ms)s, 'UTC')
    AND severity IS NOT NULL
    AND is_deleted = 0
SETTINGS do_not_merge_across_partitions_select_final = 1
"""


class SeverityWeight(Protocol):
    """How severity s becomes weight w; an unknown severity weighs 1.

    `kind` "one": w = 1; "log": w = 1 + ln(1 + max(s, 0) / reference), with a
    reference of 1 where it is not positive; "exponential":
    w = 10 ** (coefficient (s - reference)), the exponent limited to ±12.
    """

    @property
    def kind(self) -> str: ...

    @property
    def coefficient(self) -> float: ...

    @property
    def reference(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EventScope:
    """Which events count: those from `since` on that had arrived by `known_at`.

    An imported history has arrived when it was imported.
    """

    since: datetime = EARLIEST
    known_at: datetime = LATEST


ALL_EVENTS = EventScope()


@dataclass(frozen=True, slots=True, kw_only=True)
class CellAggregateColumns:
    """Sums over the events before an instant t, one entry a cell that saw any.

    Parameters
    ----------
    cell
        H3 cells, ascending, shape (n,).
    excitation
        Sum of w exp(-(t - occurred) / scale), shape (n, scales).
    count
        Events with occurred < t.
    count_1d, count_7d, count_28d
        Events with t - window <= occurred < t.
    window_count
        The same for the windows given, shape (n, windows).
    first_occurred_s, last_occurred_s
        Unix seconds of the first and the last event.
    """

    cell: NDArray[np.uint64]
    excitation: Floats
    count: Integers
    count_1d: Integers
    count_7d: Integers
    count_28d: Integers
    window_count: Integers
    first_occurred_s: Floats
    last_occurred_s: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class EventHistoryColumns:
    """Events in the order in which they happened; severity is NaN where unknown."""

    cell: NDArray[np.uint64]
    occurred_s: Floats
    arrived_s: Floats
    severity: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionExtent:
    count: int
    cells_with_events: int
    first_occurred_at: datetime | None
    last_occurred_at: datetime | None


def cell_aggregates(
    region: str,
    instant: datetime,
    *,
    scales_s: Sequence[float],
    windows_s: Sequence[float] = (),
    weight: SeverityWeight | None = None,
    scope: EventScope = ALL_EVENTS,
) -> CellAggregateColumns:
    """Aggregate per cell what happened strictly before an instant, within a scope.

    Without a weight, each event weighs 1.
    Instants are whole milliseconds; what is below is cut off.
    """
    params: dict[str, SqlValue] = {
        "region": region,
        "since_ms": to_milliseconds(scope.since),
        "instant_ms": to_milliseconds(instant),
        "known_ms": to_milliseconds(scope.known_at),
        "scales_ms": [1_000.0 * scale_s for scale_s in scales_s],
        "windows_ms": [1_000.0 * window_s for window_s in windows_s],
        "kind": "one" if weight is None else weight.kind,
        "coefficient": 0.0 if weight is None else float(weight.coefficient),
        "reference": 0.0 if weight is None else float(weight.reference),
    }
    columns = cached_columns(
        "features_cell_aggregates", AGGREGATES, params, regions=[region]
    )
    n_cells = columns["cell"].size
    return CellAggregateColumns(
        cell=columns["cell"],
        excitation=columns["excitation"].reshape(-1, len(scales_s)),
        **{
            name: columns[name].astype(np.int64)
            for name in ("count", "count_1d", "count_7d", "count_28d")
        },
        window_count=columns["window_count"].reshape(n_cells, len(windows_s)),
        first_occurred_s=columns["first_ms"] / 1_000,
        last_occurred_s=columns["last_ms"] / 1_000,
    )


def event_columns(
    region: str, *, until: datetime, since: datetime = EARLIEST
) -> EventHistoryColumns:
    """Read the events with since <= occurred < until, one row an event."""
    columns = fetch_columns(
        "features_event_columns",
        EVENTS,
        {
            "region": region,
            "since_ms": to_milliseconds(since),
            "until_ms": to_milliseconds(until),
        },
        budget=TRAINING,
    )
    return EventHistoryColumns(
        cell=columns["cell"],
        occurred_s=columns["occurred_ms"] / 1_000,
        arrived_s=columns["arrived_ms"] / 1_000,
        severity=columns["severity"],
    )


def region_extent(region: str, *, until: datetime = LATEST) -> RegionExtent:
    """Say how many events a region has before `until`, in which cells and times."""
    columns = cached_columns(
        "features_region_extent",
        EXTENT,
        {"region": region, "until_ms": to_milliseconds(until)},
        regions=[region],
    )
    count, cells_with_events, first_ms, last_ms = (
        column.item() for column in columns.values()
    )
    return RegionExtent(
        count=count,
        cells_with_events=cells_with_events,
        first_occurred_at=from_milliseconds(first_ms) if count else None,
        last_occurred_at=from_milliseconds(last_ms) if count else None,
    )


def ranked_severities(region: str, *, until: datetime) -> NDArray[np.float64]:
    """Give equally likely severities of an event before `until`, ascending.

    An event whose rank is u, in [0, 1), has the severity at floor(u * size). There
    is none if no event of the region has a severity.
    """
    columns = cached_columns(
        "severities_ranked",
        RANKED,
        {
            "region": region,
            "until_ms": to_milliseconds(until),
            "most": MOST_RANKS,
        },
        regions=[region],
    )
    return columns["ranked_severity"]
