from datetime import UTC, datetime

import pytest
from clickhouse_driver import Client

MOMENT = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _events(client: Client) -> None:
    client.execute(
        "CREATE TABLE events (id UInt64, kind LowCardinality(String), "
        "amount Nullable(Float64), at DateTime64(3, 'UTC'), year DEFAULT toYear(at), "
        "twice UInt64 MATERIALIZED id * 2, CONSTRAINT known CHECK kind != 'bad') "
        "ENGINE = MergeTree ORDER BY id"
    )


def make_rows(count: int) -> list[tuple[int, str, float | None, datetime]]:
    return [
        (i, f"kind {i % 7}", None if i % 3 else float(i), MOMENT) for i in range(count)
    ]


def count(client: Client) -> int:
    ((rows,),) = client.execute("SELECT count() FROM events")
    return int(rows)


def test_a_hundred_thousand_rows_arrive(client: Client) -> None:
    rows = make_rows(100_000)
    sent = client.execute("INSERT INTO events (id, kind, amount, at) VALUES", rows)
    stored = client.execute("SELECT id, kind, amount, at FROM events ORDER BY id")
    assert (sent, stored) == (100_000, rows)


def test_columns_of_several_blocks_arrive(client: Client) -> None:
    columns = [list(column) for column in zip(*make_rows(10_000), strict=True)]
    client.execute(
        "INSERT INTO events (id, kind, amount, at) VALUES",
        columns,
        columnar=True,
        settings={"insert_block_size": 999},
    )
    assert count(client) == 10_000


def test_columns_left_out_get_their_defaults(client: Client) -> None:
    client.execute("INSERT INTO events (at, id) VALUES", [(MOMENT, 21)])
    stored = client.execute("SELECT id, kind, amount, year, twice FROM events")
    assert stored == [(21, "", None, 2024, 42)]


def test_columns_are_named_in_any_notation(client: Client, database: str) -> None:
    client.execute(
        "CREATE TABLE `odd name` (`a b` UInt8, `c``d` String, n Nested(x UInt8)) "
        "ENGINE = MergeTree ORDER BY `a b`"
    )
    statement = (
        f'/* why */ insert into {database}."odd name" (n.x, `c``d`,"a b") '
        "-- values\n SETTINGS max_threads = 1 values"
    )
    client.execute(statement, [([1, 2], "text", 7)])
    client.execute("INSERT INTO `odd name` (* EXCEPT(`n.x`)) VALUES", [(8, "more")])
    stored = client.execute("SELECT * FROM `odd name` ORDER BY 1")
    assert stored == [(7, "text", [1, 2]), (8, "more", [])]


def test_inline_values_and_selected_rows_are_inserted(client: Client) -> None:
    client.execute("INSERT INTO events (id, kind) VALUES (1, 'a;b'), (2, 'values')")
    client.execute("INSERT INTO events (id) SELECT number FROM numbers(3)")
    client.execute('INSERT INTO events (id) FORMAT JSONEachRow {"id": 9}')
    assert client.execute("SELECT sum(id), count() FROM events") == [(15, 6)]


def test_a_select_may_be_named_before_its_insert(client: Client) -> None:
    client.execute("WITH 7 AS id INSERT INTO events (id) SELECT id")
    assert client.execute("SELECT id FROM events") == [(7,)]


def test_no_rows_at_all_insert_nothing(client: Client) -> None:
    assert client.execute("INSERT INTO events (id) VALUES", []) == 0
    assert count(client) == 0


def test_a_repeated_insert_with_its_token_counts_once(client: Client) -> None:
    client.execute(
        "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a "
        "SETTINGS non_replicated_deduplication_window = 100"
    )
    for _ in range(3):
        client.execute(
            "INSERT INTO t VALUES",
            [(1,), (2,)],
            settings={"insert_deduplication_token": "batch-1", "insert_deduplicate": 1},
        )
    assert client.execute("SELECT count() FROM t") == [(2,)]


def test_materialised_views_see_inserted_rows(client: Client) -> None:
    client.execute(
        "CREATE TABLE sums (kind String, n UInt64) "
        "ENGINE = SummingMergeTree ORDER BY kind"
    )
    client.execute(
        "CREATE MATERIALIZED VIEW v TO sums AS "
        "SELECT kind, count() AS n FROM events GROUP BY kind"
    )
    rows = make_rows(700)
    client.execute("INSERT INTO events (id, kind, amount, at) VALUES", rows)
    assert client.execute("SELECT sum(n), count() FROM sums FINAL") == [(700, 7)]


def test_documents_arrive_as_they_were(client: Client) -> None:
    client.execute(
        "CREATE TABLE docs (id UInt8, doc JSON) ENGINE = MergeTree ORDER BY id"
    )
    documents = [{"a": 1, "b": {"c": ["x", "y"]}}, {}, {"a": "text", "ü": 0.5}]
    client.execute("INSERT INTO docs VALUES", list(enumerate(documents)))
    stored = client.execute("SELECT doc FROM docs ORDER BY id")
    assert [doc for (doc,) in stored] == documents


def test_asynchronous_inserts_are_there_when_waited_for(client: Client) -> None:
    waiting = {"async_insert": 1, "wait_for_async_insert": 1}
    client.execute("INSERT INTO events (id) VALUES", [(1,)], settings=waiting)
    client.execute("INSERT INTO events (id) VALUES (2)", settings=waiting)
    assert count(client) == 2
