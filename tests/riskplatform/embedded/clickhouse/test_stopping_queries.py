import socket
import threading
from collections.abc import Callable

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

from tests.support.waiting import wait_until

Connect = Callable[..., Client]
ENDLESS = "SELECT count() FROM numbers(1000000000000) WHERE intHash64(number) = {mark}"
RUNNING = (
    "SELECT count() FROM system.processes "
    "WHERE query LIKE %(text)s AND query NOT LIKE '%%system.processes%%'"
)


def is_running(client: Client, mark: int) -> bool:
    ((found,),) = client.execute(RUNNING, {"text": f"%intHash64%= {mark}%"})
    return bool(found)


def test_a_cancelled_stream_ends_and_the_client_goes_on(client: Client) -> None:
    rows = client.execute_iter("SELECT number FROM numbers(1000000000000)")
    next(rows)
    client.cancel()
    assert client.execute("SELECT 1") == [(1,)]


def test_a_query_without_rows_yet_is_cancelled(connect: Connect) -> None:
    client, observer = connect(), connect()
    client.connection.force_connect()
    client.connection.send_query(ENDLESS.format(mark=101))
    client.connection.send_external_tables(None)
    wait_until(lambda: is_running(observer, 101))
    client.cancel()
    wait_until(lambda: not is_running(observer, 101))
    assert client.execute("SELECT 1") == [(1,)]


def test_the_query_of_a_client_that_is_gone_stops(connect: Connect) -> None:
    leaver, observer = connect(), connect()

    def run() -> None:
        with pytest.raises((EOFError, OSError)):
            leaver.execute(ENDLESS.format(mark=102))

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: is_running(observer, 102))
    leaver.connection.socket.shutdown(socket.SHUT_RDWR)
    thread.join()
    wait_until(lambda: not is_running(observer, 102))


def test_a_query_over_its_time_is_stopped(client: Client) -> None:
    with pytest.raises(ServerException) as stopped:
        client.execute(ENDLESS.format(mark=103), settings={"max_execution_time": 1})
    assert stopped.value.code == ErrorCodes.TIMEOUT_EXCEEDED
    assert client.execute("SELECT 1") == [(1,)]


def test_a_query_over_its_rows_is_stopped(client: Client) -> None:
    with pytest.raises(ServerException) as stopped:
        client.execute(ENDLESS.format(mark=104), settings={"max_rows_to_read": 1000})
    assert stopped.value.code == ErrorCodes.TOO_MANY_ROWS


def test_a_ping_is_answered(client: Client) -> None:
    client.connection.connect()
    assert client.connection.ping()
    client.execute("SELECT 1")
    assert client.connection.ping()
