"""Refreshing by command and by a loop: rests in between, and survives an outage."""

from collections.abc import Sequence
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from analytics.errors import EventStoreUnavailableError
from analytics.store import rollups
from analytics.store.clickhouse import insert_columns, run_statement
from analytics.store.rollups import RollupKeeper, find_stale

pytestmark = [
    pytest.mark.django_db(databases=["clickhouse"]),
    pytest.mark.usefixtures("one_event"),
]


@pytest.fixture
def one_event(empty_event_table: None) -> None:
    columns: dict[str, Sequence[object]] = {
        "region": ["chicago"],
        "external_id": ["e1"],
        "occurred_at": [1],
    }
    insert_columns("test", "analytics_event", columns)


def test_rollups_are_refreshed_by_command() -> None:
    out = StringIO()
    call_command("refresh_rollups", stdout=StringIO())

    call_command("refresh_rollups", stdout=out)

    assert find_stale() == []
    assert out.getvalue() == "0 partitions computed.\n"


def test_keeper_rests_after_it_worked(monkeypatch: pytest.MonkeyPatch) -> None:
    moment_s = 100.0
    monkeypatch.setattr("time.monotonic", lambda: moment_s)
    keeper = RollupKeeper(rest_s=5.0)

    assert keeper.refresh_if_due() > 0
    call_command("refresh_rollups", stdout=StringIO())
    run_statement("test", "TRUNCATE TABLE analytics_event")
    moment_s = 104.0
    assert keeper.refresh_if_due() == 0
    assert len(find_stale()) > 0
    moment_s = 105.0
    assert keeper.refresh_if_due() > 0


def refuse() -> int:
    raise EventStoreUnavailableError("ClickHouse does not answer.")


def test_keeper_leaves_an_outage_to_the_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keeper = RollupKeeper(rest_s=0.0)
    with monkeypatch.context() as patched:
        patched.setattr(rollups, "refresh_rollups", refuse)
        patched.setattr("time.monotonic", lambda: 1.0)
        assert keeper.refresh_if_due() == 0

    assert keeper.refresh_if_due() > 0


def test_command_says_that_clickhouse_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "analytics.management.commands.refresh_rollups.refresh_rollups", refuse
    )

    with pytest.raises(CommandError, match="does not answer"):
        call_command("refresh_rollups")
