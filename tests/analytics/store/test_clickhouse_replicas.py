"""A replica answers when the first one is slow or gone, where it may lag."""

from collections.abc import Generator

import pytest
from django.conf import LazySettings
from django.db import connections
from pytest_django import DjangoDbBlocker

from analytics.errors import EventStoreUnavailableError
from analytics.store.clickhouse import STANDARD, Budget, fetch_columns, fetch_rows
from analytics.store.routers import ClickHouseRouter
from perf.deadlines import deadline
from perf.metrics import HEDGES
from riskplatform.embedded.ports import free_port
from tests.analytics.store.delay_proxy import DelayProxy

DISPLAY = Budget(may_lag=True)
SQL = "SELECT number FROM numbers(3)"


def second_answers() -> float:
    return float(HEDGES.labels("second")._value.get())


@pytest.fixture
def proxy(
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Generator[DelayProxy]:
    """Make the first replica the real server behind a proxy, the second the server.

    The mark for databases would not let a test use an alias it has made.
    """
    real = connections.settings["clickhouse"]
    proxy = DelayProxy(real["HOST"], int(real["PORT"]))
    use_primary(monkeypatch, proxy.port)
    settings.CLICKHOUSE_REPLICAS = {"clickhouse": real}
    with django_db_blocker.unblock():
        yield proxy
    proxy.close()


def use_primary(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    # Threads keep what they know of an alias: each port has its own.
    alias = f"clickhouse_{port}"
    aliased = {**connections.settings["clickhouse"], "PORT": port}
    monkeypatch.setitem(connections.settings, alias, aliased)
    monkeypatch.setattr("analytics.store.clickhouse.DATABASE", alias)


def test_a_slow_replica_is_not_waited_for(proxy: DelayProxy) -> None:
    before = second_answers()
    proxy.is_open.clear()
    assert fetch_rows("replica_rows", SQL, budget=DISPLAY) == [(0,), (1,), (2,)]
    assert proxy.n_connections == 1
    assert second_answers() == before + 1


def test_a_lost_replica_is_not_missed(
    proxy: DelayProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_primary(monkeypatch, free_port())
    for _ in range(3):
        columns = fetch_columns("replica_columns", SQL, budget=DISPLAY)
        assert columns["number"].tolist() == [0, 1, 2]


def test_a_quick_replica_answers_alone(proxy: DelayProxy) -> None:
    before = second_answers()
    assert len(fetch_rows("replica_alone", SQL, budget=DISPLAY)) == 3
    assert proxy.n_connections == 1
    assert second_answers() == before


def test_what_must_be_the_latest_is_asked_of_the_first_alone(
    proxy: DelayProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_primary(monkeypatch, free_port())
    with pytest.raises(EventStoreUnavailableError), deadline(20):
        fetch_rows("replica_latest", SQL, budget=STANDARD)


def test_nothing_is_migrated_on_a_replica(settings: LazySettings) -> None:
    settings.CLICKHOUSE_REPLICAS = {"clickhouse_replica_1": {}}
    router = ClickHouseRouter()
    assert not router.allow_migrate("clickhouse_replica_1", "scoring")
    assert not router.allow_migrate(
        "clickhouse_replica_1", "analytics", clickhouse=True
    )
    assert router.allow_migrate("clickhouse", "analytics", clickhouse=True)
