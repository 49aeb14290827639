import socket
from collections.abc import Callable, Iterator

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException, TypeMismatchError


@pytest.fixture(autouse=True)
def _events(client: Client) -> None:
    client.execute(
        "CREATE TABLE events (id UInt64, CONSTRAINT known CHECK id != 13) "
        "ENGINE = MergeTree ORDER BY id"
    )


def count(client: Client) -> int:
    ((rows,),) = client.execute("SELECT count() FROM events")
    return int(rows)


def test_one_bad_row_keeps_the_whole_statement_out(client: Client) -> None:
    rows = [*((i,) for i in range(100, 50_000)), (13,)]
    with pytest.raises(ServerException) as refused:
        client.execute("INSERT INTO events VALUES", rows)
    assert refused.value.code == 469
    assert count(client) == 0


def test_rows_the_client_cannot_encode_leave_nothing(client: Client) -> None:
    def failing() -> Iterator[tuple[object]]:
        yield (1,)
        yield ("two",)

    statement = "INSERT INTO events (id) VALUES"
    with pytest.raises(TypeMismatchError):
        client.execute(statement, failing(), settings={"insert_block_size": 1})
    assert count(client) == 0


def test_a_client_that_vanishes_in_the_middle_leaves_nothing(
    connect: Callable[[], Client], client: Client
) -> None:
    def vanishing(leaver: Client) -> Iterator[tuple[int]]:
        yield (1,)
        leaver.connection.socket.shutdown(socket.SHUT_RDWR)
        yield (2,)

    leaver = connect()
    with pytest.raises((EOFError, OSError)):
        leaver.execute(
            "INSERT INTO events (id) VALUES",
            vanishing(leaver),
            settings={"insert_block_size": 1},
        )
    assert count(client) == 0
