"""The reports and their SQL: rollups where they are fresh, else the merged events.

PREWHERE stands before FINAL only on columns of the sorting key, which all versions of
an event share; the other conditions come after it.
"""

# ruff: noqa: S608 - the texts are put together from this module's own words
from collections.abc import Mapping
from dataclasses import dataclass

from analytics.store.rollups import (
    BUCKET_LOG,
    BUCKET_MIDDLE,
    BUCKET_OF_ONE,
    BUCKETS_OF_EVENTS,
    CELL_DAYS,
    DAYS,
    EVENTS,
    HOUR_OF,
    HOURS,
)

OTHER_TYPE = "other"
OF_TYPE = "(%(event_type)s = '' OR event_type = %(event_type)s)"
SINCE = "toDate32(%(since)s)"
UNTIL = "toDate32(%(until)s)"
BEFORE_SINCE = "toDate32(%(before_since)s)"
BEFORE_UNTIL = "toDate32(%(before_until)s)"
SINCE_AT = "toDateTime64(%(since_at)s, 3, 'UTC')"
UNTIL_AT = "toDateTime64(%(until_at)s, 3, 'UTC')"
BEFORE_SINCE_AT = "toDateTime64(%(before_since_at)s, 3, 'UTC')"
BEFORE_UNTIL_AT = "toDateTime64(%(before_until_at)s, 3, 'UTC')"
FRESH = f"_partition_id NOT IN %(stale)s AND {OF_TYPE}"
STALE = f"_partition_id IN %(stale)s AND is_deleted = 0 AND {OF_TYPE}"
MERGED = f"{EVENTS} FINAL"
IN_DAYS = f"region = %(region)s AND day >= {SINCE} AND day < {UNTIL}"
IN_TIMES = (
    f"region = %(region)s AND occurred_at >= {SINCE_AT} AND occurred_at < {UNTIL_AT}"
)
IN_BOTH_DAYS = (
    f"region = %(region)s AND (day >= {SINCE} AND day < {UNTIL}"
    f" OR day >= {BEFORE_SINCE} AND day < {BEFORE_UNTIL})"
)
IN_BOTH_TIMES = (
    "region = %(region)s AND ("
    f"occurred_at >= {SINCE_AT} AND occurred_at < {UNTIL_AT}"
    f" OR occurred_at >= {BEFORE_SINCE_AT} AND occurred_at < {BEFORE_UNTIL_AT})"
)
# The same settings wherever merged events are read.
SETTINGS = "SETTINGS do_not_merge_across_partitions_select_final = 1"
# Types that the reader may not see are shown as one.
SHOWN_TYPE = (
    f"if(%(folds)s = 0 OR event_type IN %(shown_types)s, event_type, '{OTHER_TYPE}')"
)
CENTRES = "arrayMap(cell -> toUInt64(cell), splitByChar(',', %(cells)s))"


# Whole weeks, so that weekdays meet weekdays.
YEAR_BEFORE_DAYS = 364
MAX_DAYS = 36_525


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A named query with two sources: what is rolled up, and the years that lag.

    Parameters
    ----------
    max_days
        Bounds the window, and with it the answer.
    rollup
        The table of what is rolled up.
    rolled, merged
        The same columns of the rollup, and of merged events grouped by `keys`.
    in_rollup, in_events
        Which rows of either are in the window.
    template
        What is made of both, together the `{source}`.
    """

    name: str
    description: str
    max_days: int = MAX_DAYS
    needs_cells: bool = False
    tells_types: bool = False
    rollup: str
    rolled: str
    merged: str
    keys: str
    in_rollup: str = IN_DAYS
    in_events: str = IN_TIMES
    template: str

    def sql(self, *, has_stale: bool) -> str:
        """Leave the events out where they are not needed: planning takes its time."""
        source = (
            f"SELECT {self.rolled} FROM {self.rollup}"
            f" PREWHERE {self.in_rollup} WHERE {FRESH}"
        )
        if has_stale:
            source += (
                f" UNION ALL SELECT {self.merged} FROM {MERGED}"
                f" PREWHERE {self.in_events} WHERE {STALE} GROUP BY {self.keys}"
            )
        return f"{self.template.format(source=source)}{SETTINGS}"


HOURLY_COUNTS = Report(
    name="hourly-counts",
    description="Events of each type in each hour that saw any.",
    max_days=92,
    tells_types=True,
    rollup=HOURS,
    rolled="toDateTime64(hour, 3, 'UTC') AS hour_at, event_type, count",
    merged=f"{HOUR_OF} AS hour_at, event_type, count() AS count",
    keys="hour_at, event_type",
    in_rollup=f"region = %(region)s AND hour >= {SINCE_AT} AND hour < {UNTIL_AT}",
    template=f"""
SELECT toUnixTimestamp64Milli(hour_at) AS hour_ms, shown AS event_type, total AS count
FROM
(
    SELECT hour_at, {SHOWN_TYPE} AS shown, sum(count) AS total
    FROM ({{source}})
    GROUP BY hour_at, shown
)
ORDER BY hour_at, shown
""",
)
TOP_CELLS = Report(
    name="top-cells",
    description="The cells with the most events.",
    rollup=CELL_DAYS,
    rolled="cell, count",
    merged="cell, count() AS count",
    keys="cell",
    template="""
SELECT cell, sum(count) AS count
FROM ({source})
GROUP BY cell
ORDER BY count DESC, cell
LIMIT %(limit)s
""",
)
TREND = Report(
    name="trend",
    description="Events of each day beside those 52 weeks before.",
    max_days=YEAR_BEFORE_DAYS,
    rollup=DAYS,
    rolled="day AS at, count AS events",
    merged="toDate32(occurred_at) AS at, count() AS events",
    keys="at",
    in_rollup=IN_BOTH_DAYS,
    in_events=IN_BOTH_TIMES,
    template=f"""
SELECT
    if(at >= {SINCE}, at, at + %(year_before_days)s) AS day,
    sumIf(events, at >= {SINCE}) AS count,
    sumIf(events, at < {SINCE}) AS count_year_before
FROM ({{source}})
GROUP BY day
ORDER BY day
""",
)
# The severity at a rank is taken to be the middle of its bucket.
SEVERITY_QUANTILES = Report(
    name="severity-quantiles",
    description="Counts, mean and quantiles of severity by type of event,"
    " the quantiles to one per cent.",
    tells_types=True,
    rollup=DAYS,
    rolled="event_type, count AS events, severity_count AS known,"
    " severity_sum AS total, severity_buckets AS buckets",
    merged="event_type, count() AS events, count(severity) AS known,"
    f" ifNull(sum(severity), 0) AS total, {BUCKETS_OF_EVENTS} AS buckets",
    keys="event_type",
    template=f"""
WITH
    mapSort(sumMap(buckets)) AS merged,
    arrayCumSum(mapValues(merged)) AS ranks,
    level -> arrayFirst(
        (number, rank) -> rank > level * (severity_count - 1),
        mapKeys(merged),
        ranks
    ) AS bucket_at,
    bucket -> sign(bucket) * {BUCKET_MIDDLE}
        * exp((abs(bucket) - {BUCKET_OF_ONE}) * {BUCKET_LOG!r}) AS middle
SELECT
    shown AS event_type,
    sum(events) AS count,
    sum(known) AS severity_count,
    sum(total) / severity_count AS severity_mean,
    arrayMap(
        level -> if(severity_count = 0, nan, middle(bucket_at(level))),
        [0.5, 0.9, 0.99]
    ) AS severity_quantiles
FROM
(
    SELECT {SHOWN_TYPE} AS shown, events, known, total, buckets
    FROM ({{source}})
)
GROUP BY shown
ORDER BY shown
""",
)
NEIGHBOURHOOD_COUNTS = Report(
    name="neighbourhood-counts",
    description="Events in each of some cells, and within some rings of it.",
    needs_cells=True,
    rollup=CELL_DAYS,
    rolled="cell, count",
    merged="cell, count() AS count",
    keys="cell",
    in_rollup=f"{IN_DAYS} AND cell IN (SELECT cell FROM ring)",
    in_events=f"{IN_TIMES} AND cell IN (SELECT cell FROM ring)",
    template=f"""
WITH ring AS
(
    SELECT arrayJoin({CENTRES}) AS centre, arrayJoin(h3kRing(centre, %(rings)s)) AS cell
)
SELECT
    centre AS cell,
    sumIf(found.count, ring.cell = centre) AS count,
    sum(found.count) AS neighbourhood_count
FROM ring
LEFT JOIN
(
    SELECT cell, sum(count) AS count
    FROM ({{source}})
    GROUP BY cell
) AS found ON found.cell = ring.cell
GROUP BY centre
ORDER BY centre
""",
)
REPORTS: Mapping[str, Report] = {
    report.name: report
    for report in (
        *(HOURLY_COUNTS, TOP_CELLS, TREND),
        *(SEVERITY_QUANTILES, NEIGHBOURHOOD_COUNTS),
    )
}
