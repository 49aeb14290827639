"""Rollups that were left half-way, or behind the events, are found and made up for."""

from collections.abc import Iterator

import pytest
from django.db import connections

from analytics.store import rollups
from analytics.store.clickhouse import fetch_rows, run_statement
from analytics.store.rollups import find_stale, refresh_rollups
from tests.analytics.store.stored_rows import TIMES_MS, make_row, put

pytestmark = [
    pytest.mark.django_db(databases=["clickhouse"]),
    pytest.mark.usefixtures("no_rollups"),
]


@pytest.fixture
def no_rollups(empty_event_table: None) -> None:
    refresh_rollups()


def counted() -> int:
    ((count,),) = fetch_rows("test", f"SELECT sum(count) FROM {rollups.HOURS}")  # noqa: S608 - names of the module
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
