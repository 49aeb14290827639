"""Answers of named queries, cached while the events of their regions do not change.

An answer is found again by the name of the query, its parameters, and the version of
the events of every region it is about; a write of events publishes a new one.
"""

from collections.abc import Callable, Mapping, Sequence

from django.db import connections

from analytics.store.clickhouse import (
    DATABASE,
    STANDARD,
    Budget,
    Columns,
    SqlValue,
    fetch_columns,
)
from analytics.store.event_changes import names_of
from perf.cache.lifetimes import QUERY_RESULT_TTL_S
from perf.cache.values import ValueCache
from perf.switches import Switch

ANSWERS = ValueCache(
    "query_results",
    schema=2,
    ttl_s=QUERY_RESULT_TTL_S,
    # A slow query is waited for rather than sent twice.
    wait_s=10.0,
    lease_s=30.0,
    switch=Switch.QUERIES,
)


def cached_columns(
    name: str,
    sql: str,
    params: Mapping[str, SqlValue],
    *,
    regions: Sequence[str],
    budget: Budget = STANDARD,
) -> Columns:
    """Give the columns of a query about some regions, read-only."""
    return cached_answer(
        name,
        (sql, sorted(params.items())),
        lambda: fetch_columns(name, sql, params, budget=budget),
        regions=regions,
    )


def cached_answer(
    name: str,
    key: Sequence[object],
    compute: Callable[[], Columns],
    *,
    regions: Sequence[str],
) -> Columns:
    """Give what `compute` returns, cached under the name and the parts of the key."""
    database = connections[DATABASE].settings_dict["NAME"]
    return ANSWERS.get_or_compute(
        (database, name, *key),
        compute,
        depends_on=names_of(regions),
    )
