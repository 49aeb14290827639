"""Keeps the rollups equal to the events, and knows where they are not yet.

Each partition (a year) of a rollup is computed from the merged events as a whole and
swapped in at once. With it goes a mark: the digest of the parts of the event table
that it was computed from, taken before they were read. Where the mark differs from
the digest of the parts there are now, the partition is stale, whatever happened:
inserts, corrections, deletions, a crash half-way, two refreshes at once.
"""

import logging
import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from analytics.metrics import ROLLUP_SECONDS, ROLLUP_STALE
from analytics.store.clickhouse import Budget, SqlValue, fetch_rows, run_statement
from riskplatform.kernel.errors import UnavailableError
from riskplatform.kernel.ids import uuid7

logger = logging.getLogger(__name__)

REFRESH = Budget(max_seconds=300, max_rows=5_000_000_000)
EVENTS = "analytics_event"
HOURS = "analytics_eventhour"
DAYS = "analytics_eventday"
CELL_DAYS = "analytics_eventcellday"
# DateTime and its functions end in 1970; events may be older.
HOUR_OF = (
    "fromUnixTimestamp64Milli("
    "toInt64(floor(toUnixTimestamp64Milli(occurred_at) / 3600000)) * 3600000, 'UTC')"
)
# Severities are counted in buckets, each 1.01 / 0.99 times as far from zero as the one
# before it, so that BUCKET_MIDDLE times its far end is within one per cent of all that
# it holds. Their numbers have the order of the severities: 0 is zero, those of negative
# severities mirror the others, and BUCKET_OF_ONE is above all negative logarithms.
BUCKET_LOG = math.log(1.01 / 0.99)
BUCKET_MIDDLE = 0.99
BUCKET_OF_ONE = 40_000
BUCKET = (
    f"toInt32(sign(severity) * ({BUCKET_OF_ONE}"
    f" + ceil(log(greatest(abs(severity), 1e-307)) / {BUCKET_LOG!r})))"
)
BUCKETS_OF_EVENTS = (
    f"sumMapIf(map(assumeNotNull({BUCKET}), toUInt64(1)), severity IS NOT NULL)"
)
DIGESTS = """
SELECT
    partition_id,
    toString(sipHash64(arraySort(groupArray((name, hash_of_all_files))))) AS digest
FROM system.parts
WHERE active AND database = currentDatabase() AND table = %(events)s
GROUP BY partition_id
"""
MARKS = "SELECT _partition_id, event_type FROM {table} WHERE region = ''"
# Both at once, for the years of one query.
STATE = f"""
SELECT partition_id, digest, 1 AS is_part
FROM ({DIGESTS})
WHERE partition_id IN %(partitions)s
UNION ALL
SELECT _partition_id, event_type, 0
FROM {{table}}
WHERE region = '' AND _partition_id IN %(partitions)s
"""  # noqa: S608 - names of this module
LEFT_OVER = """
SELECT name FROM system.tables
WHERE database = currentDatabase() AND startsWith(name, %(prefix)s)
    AND metadata_modification_time < now() - 3600
"""
STAGING = "analytics_staging_"
# What a rollup says of the merged events of a year, and by what; then its mark, whose
# time in the sorting key is the first moment of the year.
COMPUTE = """
INSERT INTO {staging} ({columns})
SELECT {values}
FROM {events} FINAL
WHERE _partition_id = %(partition)s AND is_deleted = 0
GROUP BY {keys}
UNION ALL
SELECT {mark}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """How a table of counts is computed: its columns, and what they are."""

    columns: str
    values: str
    keys: str
    mark: str

    def sql(self, staging: str) -> str:
        return COMPUTE.format(staging=staging, events=EVENTS, **asdict(self))


ROLLUPS: Mapping[str, Rollup] = {
    HOURS: Rollup(
        columns="region, hour, event_type, count",
        values=f"region, {HOUR_OF} AS hour, event_type, count()",
        keys="region, hour, event_type",
        mark="'', makeDateTime64(%(year)s, 1, 1, 0, 0, 0, 0, 0, 'UTC'), %(digest)s, 0",
    ),
    DAYS: Rollup(
        columns="region, day, event_type, count, severity_count, severity_sum,"
        " amount_sum, severity_buckets",
        values="region, toDate32(occurred_at) AS day, event_type, count(),"
        " count(severity), ifNull(sum(severity), 0), ifNull(sum(amount), 0),"
        f" {BUCKETS_OF_EVENTS}",
        keys="region, day, event_type",
        mark="'', makeDate32(%(year)s, 1, 1), %(digest)s, 0, 0, 0, 0,"
        " CAST(map(), 'Map(Int32, UInt64)')",
    ),
    CELL_DAYS: Rollup(
        columns="region, cell, day, event_type, count",
        values="region, cell, toDate32(occurred_at) AS day, event_type, count()",
        keys="region, cell, day, event_type",
        mark="'', 0, makeDate32(%(year)s, 1, 1), %(digest)s, 0",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StalePartition:
    """A year of one rollup; no digest means that its events are all gone."""

    table: str
    partition: str
    digest: str | None


class RollupKeeper:
    """Refreshes now and then, at most a twentieth of the time; for a loop to call."""

    def __init__(self, *, rest_s: float = 5.0) -> None:
        self._rest_s = rest_s
        self._due_s = 0.0

    def refresh_if_due(self) -> int:
        """Refresh if the rest is over; give the number of partitions computed.

        Where ClickHouse does not answer, that is left to the next time.
        """
        started_s = time.monotonic()
        if started_s < self._due_s:
            return 0
        count = 0
        try:
            count = refresh_rollups()
        except UnavailableError as error:
            logger.warning("the rollups are not refreshed now: %s", error)
        ended_s = time.monotonic()
        self._due_s = ended_s + max(self._rest_s, 19 * (ended_s - started_s))
        return count


def refresh_rollups() -> int:
    """Compute what is stale; give the number of partitions of rollups.

    Safe to repeat, to interrupt and to run twice at once: a partition that the
    slower of two swapped in carries the mark of what it knew, and is found stale.
    """
    _drop_leftovers()
    stale = find_stale()
    for one in stale:
        with ROLLUP_SECONDS.time():
            _refresh(one)
    ROLLUP_STALE.set(0)
    return len(stale)


def stale_years(tables: Iterable[str], years: Iterable[int]) -> list[str]:
    """Name those of some years that have to be read from the events themselves."""
    params: dict[str, SqlValue] = {
        "events": EVENTS,
        "partitions": [str(year) for year in years],
    }
    stale: set[str] = set()
    for table in tables:
        rows = fetch_rows("rollups_state", STATE.format(table=table), params)
        digests = {year: digest for year, digest, is_part in rows if is_part}
        marks = {year: digest for year, digest, is_part in rows if not is_part}
        stale.update(_differing(digests, marks))
    return sorted(stale)


def find_stale() -> list[StalePartition]:
    digests: dict[str, str] = dict(
        fetch_rows("rollups_digests", DIGESTS, {"events": EVENTS})
    )
    stale: list[StalePartition] = []
    for table in ROLLUPS:
        marks = dict(fetch_rows("rollups_marks", MARKS.format(table=table)))
        stale += [
            StalePartition(table=table, partition=year, digest=digests.get(year))
            for year in _differing(digests, marks)
        ]
    ROLLUP_STALE.set(len({one.partition for one in stale}))
    return stale


def _differing(digests: Mapping[str, str], marks: Mapping[str, str]) -> list[str]:
    partitions = sorted(digests.keys() | marks.keys())
    return [one for one in partitions if digests.get(one) != marks.get(one)]


def _refresh(stale: StalePartition) -> None:
    """Fill a table of the same form and take its partition over, at once."""
    table, year = stale.table, {"partition": stale.partition}
    if stale.digest is None:
        drop = f"ALTER TABLE {table} DROP PARTITION ID %(partition)s"
        run_statement("rollups_drop", drop, year)
        return
    staging = f"{STAGING}{uuid7().hex}"
    run_statement("rollups_stage", f"CREATE TABLE {staging} AS {table}")
    try:
        run_statement(
            "rollups_compute",
            ROLLUPS[table].sql(staging),
            {**year, "year": int(stale.partition), "digest": stale.digest},
            budget=REFRESH,
        )
        replace = f"ALTER TABLE {table} REPLACE PARTITION ID %(partition)s FROM "
        run_statement("rollups_replace", replace + staging, year)
    finally:
        _drop(staging)


def _drop_leftovers() -> None:
    """Remove what refreshes left that were killed."""
    for (name,) in fetch_rows("rollups_left_over", LEFT_OVER, {"prefix": STAGING}):
        _drop(name)


def _drop(staging: str) -> None:
    run_statement("rollups_unstage", f"DROP TABLE IF EXISTS {staging}")
