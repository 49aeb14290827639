"""Rollups equal the events, whatever was inserted, corrected, withdrawn or merged."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.store import rollups
from analytics.store.clickhouse import fetch_rows, run_statement
from analytics.store.rollups import find_stale, refresh_rollups
from tests.analytics.store.stored_rows import TIMES_MS, Row, put

pytestmark = [
    pytest.mark.django_db(databases=["clickhouse"]),
    pytest.mark.usefixtures("no_rollups"),
]
ROWS = st.tuples(
    st.sampled_from(["chicago", "paris"]),
    st.sampled_from([613164979180273663, 613164979169787903]),
    st.sampled_from(TIMES_MS),
    st.sampled_from(["theft", "arson"]),
    st.sampled_from(["e1", "e2", "e3"]),
    # Quarters, whose sums are the same in any order.
    st.one_of(st.none(), st.integers(-8, 80).map(lambda quarters: quarters / 4)),
    st.integers(1, 5),
    st.sampled_from([0, 0, 0, 1]),
)
STEPS = st.lists(
    st.one_of(
        st.lists(ROWS, min_size=1, max_size=12),
        st.sampled_from(["refresh", "merge", "truncate"]),
    ),
    max_size=8,
)
# ruff: noqa: S608 - the texts are put together from this module's own words
HOURS = f"""
SELECT region, hour, event_type, sum(count) FROM {rollups.HOURS}
WHERE region != '' GROUP BY ALL ORDER BY ALL
"""
DAYS = f"""
SELECT region, day, event_type, sum(count), sum(severity_count), sum(severity_sum),
    mapSort(sumMap(severity_buckets))
FROM {rollups.DAYS} WHERE region != '' GROUP BY ALL ORDER BY ALL
"""
CELL_DAYS = f"""
SELECT region, cell, day, event_type, sum(count) FROM {rollups.CELL_DAYS}
WHERE region != '' GROUP BY ALL ORDER BY ALL
"""
MERGED = "FROM analytics_event FINAL WHERE is_deleted = 0 GROUP BY ALL ORDER BY ALL"
HOURS_OF_EVENTS = f"""
SELECT region, toDateTime64({rollups.HOUR_OF}, 0, 'UTC'), event_type, count() {MERGED}
"""
DAYS_OF_EVENTS = f"""
SELECT region, toDate32(occurred_at), event_type, count(), count(severity),
    ifNull(sum(severity), 0),
    mapSort({rollups.BUCKETS_OF_EVENTS}) {MERGED}
"""
CELL_DAYS_OF_EVENTS = f"""
SELECT region, cell, toDate32(occurred_at), event_type, count() {MERGED}
"""


@pytest.fixture
def no_rollups(empty_event_table: None) -> None:
    refresh_rollups()


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_rollups_equal_the_events_after_any_history(
    steps: Sequence[Sequence[Row] | str],
) -> None:
    for step in ["truncate", *steps]:
        take(step)

    refresh_until_nothing_is_stale()

    assert fetch_rows("test", HOURS) == fetch_rows("test", HOURS_OF_EVENTS)
    assert fetch_rows("test", DAYS) == fetch_rows("test", DAYS_OF_EVENTS)
    assert fetch_rows("test", CELL_DAYS) == fetch_rows("test", CELL_DAYS_OF_EVENTS)


def refresh_until_nothing_is_stale() -> None:
    """A merge in the background makes new parts, and with them stale rollups."""
    for _ in range(20):
        refresh_rollups()
        if not find_stale():
            return
    raise AssertionError("The rollups stay stale, though nothing is written.")


def take(step: Sequence[Row] | str) -> None:
    if step == "refresh":
        refresh_rollups()
    elif step == "merge":
        run_statement("test", "OPTIMIZE TABLE analytics_event FINAL")
    elif step == "truncate":
        run_statement("test", "TRUNCATE TABLE analytics_event")
    else:
        put(*(row for row in step if isinstance(row, tuple)))
