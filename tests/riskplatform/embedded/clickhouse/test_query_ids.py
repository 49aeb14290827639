"""A client's query id finds its query."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

from tests.support.waiting import wait_until

Connect = Callable[..., Client]
ENDLESS = "SELECT count() FROM numbers(1000000000000) WHERE intHash64(number) = 201"
SEEN = "SELECT count() FROM system.processes WHERE query_id = %(id)s"
WITHIN_S = 20


@contextmanager
def running(client: Client, query_id: str) -> Generator[list[ServerException]]:
    """Run a query without end in a thread; give the list its error goes to."""
    errors: list[ServerException] = []

    def run() -> None:
        try:
            client.execute(ENDLESS, query_id=query_id)
        except ServerException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield errors
    finally:
        thread.join(WITHIN_S)
        assert not thread.is_alive()


def wait_until_seen(observer: Client, query_id: str) -> None:
    wait_until(lambda: observer.execute(SEEN, {"id": query_id}) == [(1,)])


@pytest.mark.parametrize("name", ["plain", "with 'quotes' and \\ back \N{SNOWMAN}"])
def test_a_query_is_killed_by_the_id_its_client_gave(
    connect: Connect, name: str
) -> None:
    runner, observer = connect(), connect()
    with running(runner, name) as errors:
        wait_until_seen(observer, name)
        observer.execute("KILL QUERY WHERE query_id = 'another'")
        assert observer.execute(SEEN, {"id": name}) == [(1,)]
        observer.execute("KILL QUERY WHERE query_id = %(id)s SYNC", {"id": name})
    assert [error.code for error in errors] == [ErrorCodes.QUERY_WAS_CANCELLED]
    assert observer.execute(SEEN, {"id": name}) == [(0,)]
    assert runner.execute("SELECT 1") == [(1,)]


def test_only_the_query_named_is_killed(connect: Connect) -> None:
    first, second, observer = connect(), connect(), connect()
    with running(first, "one-of-two") as killed, running(second, "two-of-two") as rest:
        wait_until_seen(observer, "one-of-two")
        wait_until_seen(observer, "two-of-two")
        observer.execute("KILL QUERY WHERE `query_id` IN ('one-of-two') SYNC")
        assert observer.execute(SEEN, {"id": "two-of-two"}) == [(1,)]
        assert not rest
        observer.execute("KILL QUERY WHERE query_id = 'two-of-two' SYNC")
    assert len(killed) == len(rest) == 1


def test_a_query_sees_its_own_id(client: Client) -> None:
    sql = "SELECT query_id, initial_query_id FROM system.processes AS p"
    assert client.execute(sql, query_id="own-id") == [("own-id", "own-id")]
    text = "kill query_id FROM system.processes"
    assert client.execute(f"SELECT '{text}'", query_id="own-id") == [(text,)]


def test_an_id_in_use_is_refused(connect: Connect) -> None:
    runner, observer = connect(), connect()
    with running(runner, "taken"):
        wait_until_seen(observer, "taken")
        with pytest.raises(ServerException) as refused:
            observer.execute("SELECT 1", query_id="taken")
        assert refused.value.code == ErrorCodes.QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING
        observer.execute("KILL QUERY WHERE query_id = 'taken' SYNC")
    assert observer.execute("SELECT 1", query_id="taken") == [(1,)]
