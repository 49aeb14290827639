"""What a stock client reads beside the rows: totals, extremes, progress, profile."""

import math
from collections.abc import Callable

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException
from clickhouse_driver.protocol import ServerPacketTypes

Connect = Callable[..., Client]
GROUPED = "SELECT number % 3 AS k, count() AS n FROM numbers(10) GROUP BY k WITH TOTALS"


def beside(client: Client, sql: str, **settings: object) -> dict[int, object]:
    """Return the rows of totals and extremes by the kind of their packet."""
    with client.disconnect_on_error(sql, settings):
        client.connection.send_query(sql)
        client.connection.send_external_tables(None)
        return {
            packet.type: packet.block.get_rows()
            for packet in client.packet_generator()
            if packet.block is not None and packet.type != ServerPacketTypes.DATA
        }


def test_totals_come_in_a_packet_of_their_own(client: Client) -> None:
    sql = f"{GROUPED} ORDER BY k"
    assert beside(client, sql) == {ServerPacketTypes.TOTALS: [(0, 10)]}
    assert client.execute(sql) == [(0, 4), (1, 3), (2, 3), (0, 10)]


def test_extremes_come_in_a_packet_of_their_own(client: Client) -> None:
    sql = "SELECT number, -number AS m FROM numbers(5)"
    extremes = {ServerPacketTypes.EXTREMES: [(0, -4), (4, 0)]}
    assert beside(client, sql, extremes=1) == extremes
    assert beside(client, f"{sql} SETTINGS extremes = 1") == extremes
    assert beside(client, sql) == {}
    client.execute("SET extremes = 1")
    assert beside(client, sql) == extremes
    assert client.execute(sql)[5:] == [(0, -4), (4, 0)]


def test_totals_and_extremes_come_together(client: Client) -> None:
    found = beside(client, f"{GROUPED} HAVING n > 3", extremes=1)
    assert found == {
        ServerPacketTypes.TOTALS: [(0, 4)],
        ServerPacketTypes.EXTREMES: [(0, 4), (0, 4)],
    }


@pytest.mark.parametrize(
    "expression",
    [
        "toUInt64(18446744073709551615)",
        "toInt256('-57896044618658097711785492504343953926634992332820282019728')",
        "toDecimal128('12345678901234567890.123456789', 9)",
        "toFloat64(0.1) + 0.2",
        "toFloat32(inf)",
        "toDateTime64('2024-10-27 00:30:00.123456', 6, 'UTC')",
        # Both hours of a clock going back.
        "fromUnixTimestamp(toUInt32(1729989000), 'Europe/Berlin')",
        "toDateTime(1729985400, 'Europe/Berlin')",
        "toDate32('1900-01-01')",
        "toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0')",
        "toIPv6('2001:db8::1')",
        "toFixedString('a\\0b', 5)",
        "'quote \\' backslash \\\\ newline \\n tab \\t end'",
        "CAST('b', 'Enum8(\\'a\\' = 1, \\'b\\' = 2)')",
        "toLowCardinality(toNullable('x'))",
        "CAST(NULL, 'Nullable(UInt8)')",
        "[toNullable(1), NULL]",
        "map('a', [1, 2], 'b', [])",
        "tuple(1, 'x', toDate('2024-01-01'))",
    ],
)
def test_values_are_the_same_with_and_without_totals(
    client: Client, expression: str
) -> None:
    sql = f"SELECT {expression} AS v, {expression} AS v FROM numbers(1)"  # noqa: S608
    plain = client.execute(sql, with_column_types=True)
    rows, types = client.execute(
        sql, with_column_types=True, settings={"extremes": True, "max_threads": 1}
    )
    assert types == plain[1]
    assert rows[0] == plain[0][0]


def test_what_is_no_number_is_the_same_with_extremes(client: Client) -> None:
    rows = client.execute("SELECT nan", settings={"extremes": 1})
    assert math.isnan(rows[0][0])


def test_bytes_that_are_no_text_are_refused_with_extremes(client: Client) -> None:
    with pytest.raises(ServerException, match="text in UTF-8 alone") as refused:
        client.execute("SELECT unhex('00ff80c3')", settings={"extremes": 1})
    assert refused.value.code == ErrorCodes.NOT_IMPLEMENTED
    assert client.execute("SELECT 1") == [(1,)]


def test_many_rows_come_with_their_totals(client: Client) -> None:
    sql = "SELECT number AS k, sum(number) FROM numbers(20000) GROUP BY k WITH TOTALS"
    rows = client.execute(f"{sql} ORDER BY k")
    assert rows[:-1] == [(number, number) for number in range(20000)]
    assert rows[-1] == (0, sum(range(20000)))


def test_totals_of_no_rows_keep_their_columns(client: Client) -> None:
    rows, types = client.execute(
        "SELECT number AS k, count() AS n FROM numbers(0) GROUP BY k WITH TOTALS",
        with_column_types=True,
    )
    assert types == [("k", "UInt64"), ("n", "UInt64")]
    assert rows == [(0, 0)]


def test_a_failing_query_with_totals_has_its_code(client: Client) -> None:
    with pytest.raises(ServerException) as failed:
        client.execute("SELECT nothing, count() GROUP BY nothing WITH TOTALS")
    assert failed.value.code == ErrorCodes.UNKNOWN_IDENTIFIER
    assert client.execute("SELECT 1") == [(1,)]


def test_what_was_read_is_told(client: Client) -> None:
    client.execute("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    client.execute("INSERT INTO t VALUES", [(number,) for number in range(1000)])
    client.execute("SELECT sum(a) FROM t")
    progress = client.last_query.progress
    assert (progress.rows, progress.bytes) == (1000, 8000)
    assert progress.total_rows == 1000
    client.execute("SELECT 1")
    assert client.last_query.progress.rows == 1


def test_what_was_written_is_told(client: Client) -> None:
    client.execute("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    client.execute("INSERT INTO t SELECT number FROM numbers(500)")
    assert client.last_query.progress.written_rows == 500


def test_progress_is_told_while_rows_arrive(client: Client) -> None:
    answer = client.execute_with_progress(
        "SELECT number, sleepEachRow(0.01) FROM numbers(60)",
        settings={"max_block_size": 5},
    )
    told = list(answer)
    assert len(told) > 1
    assert told[-1][0] == 60
    assert [rows for rows, _ in told] == sorted(rows for rows, _ in told)


def test_what_was_sent_is_told(client: Client) -> None:
    client.execute("SELECT number FROM numbers(1000)")
    profile = client.last_query.profile_info
    assert (profile.rows, profile.blocks) == (1000, 1)
    assert profile.bytes >= 8000
    client.execute("SELECT 1 WHERE 0")
    assert client.last_query.profile_info.rows == 0


def test_rows_before_the_limit_are_told_with_totals(client: Client) -> None:
    client.execute(f"{GROUPED} LIMIT 1")
    profile = client.last_query.profile_info
    assert profile.applied_limit
    assert profile.rows_before_limit == 3
