"""The queries of the reports as one would first write them, on the plain table."""

# ruff: noqa: S608 - the texts are put together from this module's own words
from analytics.bench.twins import PLAIN
from analytics.reads.features import AGGREGATES
from analytics.reads.report_queries import (
    BEFORE_SINCE_AT,
    BEFORE_UNTIL_AT,
    CENTRES,
    IN_TIMES,
    OF_TYPE,
    SETTINGS,
    SINCE,
    SINCE_AT,
    UNTIL_AT,
)
from analytics.store.rollups import HOUR_OF

MERGED = f"{PLAIN} FINAL"
WHERE = f"WHERE {IN_TIMES} AND is_deleted = 0 AND {OF_TYPE}"
PLAIN_QUERIES = {
    "hourly-counts": f"""
SELECT toUnixTimestamp64Milli({HOUR_OF}) AS hour_ms, event_type, count() AS count
FROM {MERGED} {WHERE}
GROUP BY hour_ms, event_type ORDER BY hour_ms, event_type {SETTINGS}
""",
    "top-cells": f"""
SELECT cell, count() AS count
FROM {MERGED} {WHERE}
GROUP BY cell ORDER BY count DESC, cell LIMIT %(limit)s {SETTINGS}
""",
    "trend": f"""
SELECT
    if(toDate32(occurred_at) >= {SINCE}, toDate32(occurred_at),
        toDate32(occurred_at) + %(year_before_days)s) AS day,
    countIf(toDate32(occurred_at) >= {SINCE}) AS count,
    countIf(toDate32(occurred_at) < {SINCE}) AS count_year_before
FROM {MERGED}
WHERE region = %(region)s AND is_deleted = 0 AND {OF_TYPE} AND (
    occurred_at >= {SINCE_AT} AND occurred_at < {UNTIL_AT}
    OR occurred_at >= {BEFORE_SINCE_AT} AND occurred_at < {BEFORE_UNTIL_AT})
GROUP BY day ORDER BY day {SETTINGS}
""",
    "severity-quantiles": f"""
SELECT
    event_type,
    count() AS count,
    count(severity) AS severity_count,
    avg(severity) AS severity_mean,
    quantilesDDIf(0.01, 0.5, 0.9, 0.99)(assumeNotNull(severity), severity IS NOT NULL)
        AS severity_quantiles
FROM {MERGED} {WHERE}
GROUP BY event_type ORDER BY event_type {SETTINGS}
""",
    "neighbourhood-counts": f"""
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
    SELECT cell, count() AS count FROM {MERGED} {WHERE} GROUP BY cell
) AS found ON found.cell = ring.cell
GROUP BY centre ORDER BY centre {SETTINGS}
""",
}
PLAIN_AGGREGATES = AGGREGATES.replace("analytics_event", PLAIN)
