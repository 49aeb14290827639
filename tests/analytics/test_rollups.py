"""Rollups equal the events, whatever was inserted, corrected, withdrawn or merged."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics import rollups
from analytics.clickhouse import fetch_rows, insert_columns, run_statement
from analytics.rollups import find_stale, refresh_rollups

pytestmark = [
    pytest.mark.django_db(databases=["clickhouse"]),
    pytest.mark.usefixtures("no_rollups"),
]
HOUR_MS = 3_600_000
# Around new year, and one year before 1970.
TIMES_MS = [hours * HOUR_MS + 1 for hours in (-70_000, 455_831, 455_832, 455_900)]
Row: TypeAlias = tuple[str, int, int, str, str, float | None, int, int]
COLUMNS = (
    *("region", "cell", "occurred_at", "event_type", "external_id", "severity"),
    *("version", "is_deleted"),
)
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
    toString(quantilesDDMerge(0.01, 0.1, 0.5, 0.9)(severity_quantiles))
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
    toString(quantilesDDIf(0.01, 0.1, 0.5, 0.9)(
        assumeNotNull(severity), severity IS NOT NULL)) {MERGED}
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

    refresh_rollups()

    assert find_stale() == []
    assert fetch_rows("test", HOURS) == fetch_rows("test", HOURS_OF_EVENTS)
    assert fetch_rows("test", DAYS) == fetch_rows("test", DAYS_OF_EVENTS)
    assert fetch_rows("test", CELL_DAYS) == fetch_rows("test", CELL_DAYS_OF_EVENTS)


def take(step: Sequence[Row] | str) -> None:
    if step == "refresh":
        refresh_rollups()
    elif step == "merge":
        run_statement("test", "OPTIMIZE TABLE analytics_event FINAL")
    elif step == "truncate":
        run_statement("test", "TRUNCATE TABLE analytics_event")
    else:
        put(*(row for row in step if isinstance(row, tuple)))


def put(*rows: Row) -> None:
    columns = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))
    insert_columns("test", "analytics_event", columns)


def make_row(name: str = "e1", *, time_ms: int = TIMES_MS[-1]) -> Row:
    return ("chicago", 613164979180273663, time_ms, "theft", name, 1.0, 1, 0)


def counted() -> int:
    ((count,),) = fetch_rows("test", f"SELECT sum(count) FROM {rollups.HOURS}")
    return int(count)


def test_only_the_year_that_changed_is_computed_anew() -> None:
    put(*(make_row(time_ms=time_ms) for time_ms in TIMES_MS))
    refresh_rollups()
    put(make_row("e2"))

    assert {one.partition for one in find_stale()} == {"2022"}
    assert refresh_rollups() == 3
    assert refresh_rollups() == 0


@pytest.mark.parametrize("crash_at", ["rollups_compute", "rollups_replace"])
def test_refresh_that_is_killed_is_made_up_for(
    monkeypatch: pytest.MonkeyPatch, crash_at: str
) -> None:
    put(make_row())
    real = run_statement

    def die(name: str, *args: object, **kwargs: object) -> None:
        if name == crash_at:
            raise KeyboardInterrupt
        real(name, *args, **kwargs)  # type: ignore[arg-type]  # passed on

    with monkeypatch.context() as patched:
        patched.setattr(rollups, "run_statement", die)
        with pytest.raises(KeyboardInterrupt):
            refresh_rollups()

    assert len(find_stale()) == 3
    assert refresh_rollups() == 3
    assert counted() == 1


def test_slower_of_two_refreshes_does_not_pass_for_fresh() -> None:
    put(make_row())
    slower = find_stale()
    put(make_row("e2"))
    refresh_rollups()

    # It read the events before the second came, and puts its year in place last.
    run_statement("test", "ALTER TABLE analytics_event DELETE WHERE external_id = 'e2'")
    for one in slower:
        rollups._refresh(one)

    assert len(find_stale()) == 3


@pytest.fixture
def left_over() -> Iterator[str]:
    name = f"{rollups.STAGING}left"
    run_statement("test", f"CREATE TABLE {name} AS {rollups.HOURS}")
    yield name
    run_statement("test", f"DROP TABLE IF EXISTS {name}")


def test_tables_of_others_that_still_work_are_left_alone(left_over: str) -> None:
    put(make_row())

    refresh_rollups()

    assert left_over in connections["clickhouse"].introspection.table_names()
