from collections.abc import Callable

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

Connect = Callable[..., Client]
THREADS = "SELECT toUInt32(getSetting('max_threads'))"
BLOCK = "SELECT getSetting('max_block_size')"


def test_a_setting_of_a_query_holds_for_that_query_alone(client: Client) -> None:
    (before,) = client.execute(BLOCK)
    assert client.execute(BLOCK, settings={"max_block_size": 1234}) == [(1234,)]
    assert client.execute(BLOCK) == [before]


def test_a_setting_of_the_session_comes_back_after_a_query(client: Client) -> None:
    client.execute("SET max_threads = 3")
    assert client.execute(THREADS, settings={"max_threads": 1}) == [(1,)]
    assert client.execute(THREADS) == [(3,)]


def test_a_session_may_change_what_a_query_had_set(client: Client) -> None:
    assert client.execute(THREADS, settings={"max_threads": 1}) == [(1,)]
    client.execute("SET max_threads = 4")
    assert client.execute(THREADS) == [(4,)]
    assert client.execute(THREADS, settings={"max_threads": 1}) == [(1,)]
    assert client.execute(THREADS) == [(4,)]


def test_clients_do_not_see_each_others_settings(connect: Connect) -> None:
    one, other = connect(), connect(settings={"max_threads": 5})
    one.execute("SET max_threads = 3")
    assert other.execute(THREADS) == [(5,)]
    assert one.execute(THREADS) == [(3,)]


def test_clients_do_not_see_each_others_current_database(
    connect: Connect, database: str
) -> None:
    one, other = connect(), connect()
    one.execute("USE system")
    assert other.execute("SELECT currentDatabase()") == [(database,)]
    assert one.execute("SELECT currentDatabase()") == [("system",)]


def test_clients_do_not_see_each_others_temporary_tables(connect: Connect) -> None:
    one, other = connect(), connect()
    one.execute("CREATE TEMPORARY TABLE mine (a UInt8)")
    one.execute("INSERT INTO mine VALUES", [(1,)])
    assert one.execute("SELECT a FROM mine") == [(1,)]
    with pytest.raises(ServerException) as failed:
        other.execute("SELECT a FROM mine")
    assert failed.value.code == ErrorCodes.UNKNOWN_TABLE


def test_tables_are_shared(connect: Connect) -> None:
    one, other = connect(), connect()
    one.execute("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
    one.execute("INSERT INTO t VALUES", [(7,)])
    assert other.execute("SELECT a FROM t") == [(7,)]
