"""ClickHouse's clients are shared by waiting, replaced when dead, and never forked."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from prometheus_client import REGISTRY

from analytics.errors import EventStoreUnavailableError
from analytics.store.clickhouse import fetch_rows, insert_columns, run_statement
from analytics.store.clickhouse_pool.pool import PooledConnection
from perf.connections.errors import ConnectionsExhaustedError
from tests.support.forking import in_child

pytestmark = pytest.mark.django_db(databases=["clickhouse"])


def make(**more: Any) -> PooledConnection:
    connection: Any = connections["clickhouse"]
    return PooledConnection(**connection.get_connection_params(), **more)


@pytest.fixture
def few() -> Generator[PooledConnection]:
    connection = make(max_size=2, wait_s=20.0)
    yield connection
    connection.close()


def ask(connection: PooledConnection, number: int) -> int:
    cursor = connection.cursor()
    try:
        cursor.execute("SELECT toUInt64(%(number)s)", {"number": number})
        ((answer,),) = cursor.fetchall()
        return int(answer)
    finally:
        cursor.close()


def gauge(state: str) -> float | None:
    labels = {"server": "clickhouse", "state": state}
    return REGISTRY.get_sample_value("perf_connections", labels)


def test_many_threads_are_answered_over_few_clients(few: PooledConnection) -> None:
    lent: set[int] = set()

    def work(number: int) -> int:
        cursor = few.cursor()
        lent.add(id(cursor._client))
        cursor.close()
        return ask(few, number)

    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(work, range(400))) == list(range(400))
    assert len(lent) <= 2
    assert (gauge("in_use"), gauge("waiting")) == (0, 0)


def test_with_all_at_work_it_is_a_503_that_passes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only = make(max_size=1, wait_s=0.01)
    monkeypatch.setattr(connections["clickhouse"], "connection", only)
    busy = only.cursor()

    with pytest.raises(ConnectionsExhaustedError) as caught:
        fetch_rows("test", "SELECT 1")
    assert caught.value.status == 503

    busy.close()
    assert fetch_rows("test", "SELECT 1") == [(1,)]
    only.close()


def test_a_client_in_the_middle_of_an_answer_is_not_lent_again(
    few: PooledConnection,
) -> None:
    cursor = few.cursor()
    cursor.set_stream_results(True, 1_000)
    cursor.execute("SELECT number FROM numbers(1000000)")
    assert next(iter(cursor)) == (0,)
    client = cursor._client
    cursor.close()

    assert not client.connection.connected
    assert ask(few, 7) == 7


def test_a_forked_child_connects_for_itself(few: PooledConnection) -> None:
    assert ask(few, 1) == 1
    client = few.pool.pull()
    few.pool.push(client)

    def is_fresh() -> bool:
        own = few.pool.pull()
        few.pool.push(own)
        return own is not client and ask(few, 2) == 2

    assert in_child(is_fresh)
    # Its own connection still works: the child has not shut it down.
    assert few.pool.pull() is client
    few.pool.push(client)
    assert ask(few, 3) == 3
    assert client.connection.connected


class Cut:
    """Lets the connection of the first queries end in the middle."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, times: int) -> None:
        self.left = times
        self._cursor = connections["clickhouse"].cursor
        monkeypatch.setattr(connections["clickhouse"], "cursor", self)

    def __call__(self) -> Any:
        if self.left:
            self.left -= 1
            raise EOFError("Unexpected EOF while reading bytes")
        return self._cursor()


def test_a_read_is_repeated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    Cut(monkeypatch, times=1)
    assert fetch_rows("test", "SELECT 1") == [(1,)]


def test_a_read_is_not_repeated_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = Cut(monkeypatch, times=2)
    with pytest.raises(EventStoreUnavailableError):
        fetch_rows("test", "SELECT 1")
    assert cut.left == 0


def test_a_statement_and_a_tokenless_insert_are_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cut = Cut(monkeypatch, times=2)
    with pytest.raises(EventStoreUnavailableError):
        run_statement("test", "SELECT 1")
    with pytest.raises(EventStoreUnavailableError):
        insert_columns("test", "no_table", {"a": [1]})
    assert cut.left == 0


def test_an_insert_under_a_token_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    run_statement("test", "DROP TABLE IF EXISTS once")
    run_statement("test", "CREATE TABLE once (a UInt64) ENGINE = MergeTree ORDER BY a")
    cut = Cut(monkeypatch, times=1)
    insert_columns("test", "once", {"a": [1, 2]}, token="once")

    assert cut.left == 0
    assert fetch_rows("test", "SELECT count() FROM once") == [(2,)]
    run_statement("test", "DROP TABLE once")
