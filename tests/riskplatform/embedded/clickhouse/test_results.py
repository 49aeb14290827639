from datetime import UTC, datetime

import pytest
from clickhouse_driver import Client

MIDNIGHT = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("SELECT 1 AS a, 'x' AS b WHERE 0", [("a", "UInt8"), ("b", "String")]),
        ("SHOW TABLES", [("name", "String")]),
        ("SELECT toDateTime(0, 'UTC') AS t WHERE 0", [("t", "DateTime('UTC')")]),
        ("SELECT 1 AS a WHERE 0 -- nothing", [("a", "UInt8")]),
        ("WITH 1 AS a SELECT a WHERE 0;", [("a", "UInt8")]),
    ],
)
def test_an_empty_answer_names_its_columns(
    client: Client, query: str, columns: list[tuple[str, str]]
) -> None:
    assert client.execute(query, with_column_types=True) == ([], columns)


def test_a_command_answers_without_columns(client: Client) -> None:
    answer = client.execute(
        "CREATE TABLE t (a UInt8) ENGINE = Memory", with_column_types=True
    )
    assert answer == ([], [])


def test_columns_are_named_ahead_of_rows(client: Client) -> None:
    query = "SELECT toDateTime('2024-01-01', 'UTC') AS t, NULL AS n, [1] AS a"
    for _ in range(3):
        assert client.execute(query, with_column_types=True) == (
            [(MIDNIGHT, None, [1])],
            [
                ("t", "DateTime('UTC')"),
                ("n", "Nullable(Nothing)"),
                ("a", "Array(UInt8)"),
            ],
        )


def test_a_column_that_becomes_a_time_keeps_its_zone(client: Client) -> None:
    query = "SELECT v FROM t WHERE i = {}"
    create = "CREATE TABLE t (i UInt8, v {}) ENGINE = MergeTree ORDER BY i"
    client.execute(create.format("UInt32"))
    client.execute("INSERT INTO t VALUES (1, 5)")
    assert client.execute(query.format(1)) == [(5,)]
    assert client.execute(query.format(1)) == [(5,)]
    client.execute("DROP TABLE t SYNC")
    client.execute(create.format("DateTime('UTC')"))
    client.execute("INSERT INTO t VALUES (1, '2024-01-01 00:00:00')")
    assert client.execute(query.format(1)) == [(MIDNIGHT,)]


def test_rows_of_many_blocks_arrive_in_order(client: Client) -> None:
    query = "SELECT number, toString(number) FROM numbers(300000)"
    rows = client.execute(query, settings={"max_block_size": 10_000})
    assert rows == [(number, str(number)) for number in range(300_000)]


def test_rows_are_streamed_before_the_query_ends(client: Client) -> None:
    # The whole result would take days: only a stream can answer.
    rows = client.execute_iter("SELECT number FROM numbers(1000000000000)")
    assert [next(rows) for _ in range(3)] == [(0,), (1,), (2,)]


def test_a_wide_result_keeps_its_columns_apart(client: Client) -> None:
    columns = ", ".join(f"number + {index} AS c{index}" for index in range(300))
    assert client.execute(" ".join(("SELECT", columns, "FROM numbers(2)"))) == [
        tuple(range(300)),
        tuple(range(1, 301)),
    ]


def test_long_and_short_strings_mix(client: Client) -> None:
    query = "SELECT repeat('é', number * number) FROM numbers(300)"
    expected = [("é" * (number * number),) for number in range(300)]
    assert client.execute(query) == expected
    assert client.execute(query) == expected


def test_a_format_in_the_query_is_left_to_the_client(client: Client) -> None:
    assert client.execute("SELECT 1 AS a FORMAT JSON") == [(1,)]


def test_explain_show_and_describe_answer_rows(client: Client) -> None:
    client.execute("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
    assert client.execute("SHOW TABLES") == [("t",)]
    assert client.execute("EXISTS TABLE t") == [(1,)]
    assert client.execute("DESCRIBE TABLE t")[0][:2] == ("a", "UInt8")
    assert client.execute("EXPLAIN SELECT a FROM t") != []


def test_geography_on_the_grid_is_computed(client: Client) -> None:
    assert client.execute("SELECT length(h3kRing(geoToH3(41.8, -87.6, 8), 1))") == [
        (7,)
    ]


def test_quantiles_by_t_digest_are_computed(client: Client) -> None:
    query = "SELECT quantilesTDigest(0.5)(number) FROM numbers(101)"
    assert client.execute(query) == [([50.0],)]
