"""How many events came lately: by hour of a region, and by cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from analytics.store.clickhouse import (
    SqlValue,
    fetch_columns,
    from_milliseconds,
    joined,
    to_milliseconds,
)
from analytics.store.query_cache import cached_columns

HOURS = """
SELECT
    region,
    intDiv(toUnixTimestamp64Milli(occurred_at), 3600000) * 3600000 AS hour_ms,
    count() AS count
FROM analytics_event FINAL
WHERE region IN splitByChar(char(0), %(regions)s)
    AND occurred_at >= fromUnixTimestamp64Milli(%(since_ms)s, 'UTC')
    AND occurred_at < fromUnixTimestamp64Milli(%(until_ms)s, 'UTC')
    AND is_deleted = 0
GROUP BY region, hour_ms
ORDER BY hour_ms DESC, region
SETTINGS do_not_merge_across_partitions_select_final = 1
"""
CELLS = """
SELECT
    cell,
    count() AS count,
    toUnixTimestamp64Milli(max(occurred_at)) AS last_ms,
    toUnixTimestamp64Milli(max(ingested_at)) AS ingested_ms
FROM analytics_event FINAL
WHERE region = %(region)s
    AND occurred_at >= fromUnixTimestamp64Milli(%(since_ms)s, 'UTC')
    AND occurred_at < fromUnixTimestamp64Milli(%(until_ms)s, 'UTC')
    AND is_deleted = 0
GROUP BY cell
ORDER BY cell
SETTINGS do_not_merge_across_partitions_select_final = 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCount:
    region: str
    hour: datetime
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CellActivity:
    """The cells that saw events, ascending; every array has shape (n_cells,)."""

    cell: NDArray[np.uint64]
    count: NDArray[np.int64]
    last_occurred_ms: NDArray[np.int64]
    last_ingested_ms: NDArray[np.int64]


def count_by_hour(
    regions: Sequence[str], *, since: datetime, until: datetime
) -> list[HourCount]:
    """Count events with since <= occurred < until in full hours of UTC, newest first.

    Hours without an event are left out.
    """
    if not regions:
        return []
    params: dict[str, SqlValue] = {"regions": joined(regions), **_window(since, until)}
    columns = cached_columns("activity_hours", HOURS, params, regions=regions)
    rows = zip(
        *(columns[name].tolist() for name in ("region", "hour_ms", "count")),
        strict=True,
    )
    return [
        HourCount(region=region, hour=from_milliseconds(hour_ms), count=count)
        for region, hour_ms, count in rows
    ]


def activity_by_cell(region: str, *, since: datetime, until: datetime) -> CellActivity:
    params: dict[str, SqlValue] = {"region": region, **_window(since, until)}
    # Windows that end now are not worth caching: none is requested twice.
    columns = fetch_columns("activity_cells", CELLS, params)
    return CellActivity(
        cell=columns["cell"],
        count=columns["count"].astype(np.int64),
        last_occurred_ms=columns["last_ms"].astype(np.int64),
        last_ingested_ms=columns["ingested_ms"].astype(np.int64),
    )


def _window(since: datetime, until: datetime) -> dict[str, int]:
    return {"since_ms": to_milliseconds(since), "until_ms": to_milliseconds(until)}
