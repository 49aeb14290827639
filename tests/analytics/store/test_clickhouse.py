"""The one door to ClickHouse: arrays, budgets and errors in words."""

import numpy as np
import pytest
from clickhouse_backend import driver
from django.db import OperationalError, connections
from django.test.utils import CaptureQueriesContext
from prometheus_client import REGISTRY

from analytics.errors import (
    EventStoreUnavailableError,
    QueryBudgetError,
    ResultTooLargeError,
)
from analytics.store.clickhouse import (
    Budget,
    fetch_columns,
    fetch_rows,
    insert_columns,
    joined,
)

pytestmark = pytest.mark.django_db(databases=["clickhouse"])

TYPES = """
SELECT
    toUInt64(number + 18446744073709551610) AS big,
    number / 4 AS quarter,
    if(number = 1, NULL, number / 1.) AS gap,
    toString(number) AS word,
    toLowCardinality(toString(number %% 2)) AS parity,
    [number / 1., number / 2.] AS pair
FROM numbers(%(count)s)
"""


def test_columns_come_as_arrays_of_their_types() -> None:
    found = fetch_columns("test", TYPES, {"count": 3})

    assert {name: column.dtype for name, column in found.items()} == {
        "big": np.uint64,
        "quarter": np.float64,
        "gap": np.float64,
        "word": np.object_,
        "parity": np.object_,
        "pair": np.float64,
    }
    assert found["big"].tolist() == [2**64 - 6, 2**64 - 5, 2**64 - 4]
    assert found["quarter"].tolist() == [0.0, 0.25, 0.5]
    np.testing.assert_array_equal(found["gap"], [0.0, np.nan, 2.0])
    assert found["word"].tolist() == ["0", "1", "2"]
    assert found["parity"].tolist() == ["0", "1", "0"]
    assert found["pair"].tolist() == [[0.0, 0.0], [1.0, 0.5], [2.0, 1.0]]


def test_empty_answer_keeps_its_columns_and_types() -> None:
    found = fetch_columns("test", TYPES, {"count": 0})

    assert [column.size for column in found.values()] == [0] * 6
    assert found["big"].dtype == np.uint64


def test_long_answer_comes_whole() -> None:
    found = fetch_columns("test", TYPES, {"count": 200_000})

    assert found["quarter"].sum() == sum(range(200_000)) / 4


@pytest.mark.parametrize("word", ["it's", "\\", "%s", "a\nb", "'; DROP TABLE x; --"])
def test_parameters_are_bound(word: str) -> None:
    words = joined([word, "é"])

    assert fetch_rows("test", "SELECT %(word)s", {"word": word}) == [(word,)]
    assert fetch_rows(
        "test", r"SELECT splitByChar('\0', %(words)s)", {"words": words}
    ) == [([word, "é"],)]


def test_query_that_would_read_too_much_is_stopped() -> None:
    with pytest.raises(QueryBudgetError) as caught:
        fetch_rows(
            "test",
            "SELECT sum(number) FROM numbers(1000000)",
            budget=Budget(max_rows=1_000),
        )

    assert caught.value.context == {"query": "test"}
    assert fetch_rows("test", "SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    "budget", [Budget(max_result_rows=1_000), Budget(max_result_bytes=10_000)]
)
def test_query_with_too_large_a_result_is_stopped(budget: Budget) -> None:
    with pytest.raises(ResultTooLargeError, match="shorter time"):
        fetch_rows("test", "SELECT number FROM numbers(100000)", budget=budget)
    assert len(fetch_rows("test", "SELECT number FROM numbers(900)", budget=budget))


def test_query_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(QueryBudgetError):
        fetch_rows(
            "test",
            "SELECT sum(sipHash64(number)) FROM numbers(100000000000)",
            budget=Budget(max_seconds=1, max_rows=10**12),
        )


def test_missing_table_says_what_to_run() -> None:
    with pytest.raises(EventStoreUnavailableError) as caught:
        fetch_rows("test", "SELECT 1 FROM no_such_table")

    assert caught.value.message.endswith("Run manage.py prepare.")


def test_wrong_query_stays_a_database_error() -> None:
    with pytest.raises(OperationalError):
        fetch_rows("test", "SELECT no_such_function(1)")


def test_server_that_is_not_there_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    nobody = driver.connect(host="127.0.0.1", port=unused_tcp_port)
    monkeypatch.setattr(connections["clickhouse"], "connection", nobody)

    with pytest.raises(EventStoreUnavailableError) as caught:
        fetch_rows("test", "SELECT 1")

    assert caught.value.context == {"query": "test"}
    assert caught.value.retry_after_s == 5


def test_server_that_dies_in_an_answer_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def break_off(_name: str | None) -> None:
        raise EOFError("Unexpected EOF while reading bytes")

    monkeypatch.setattr(connections["clickhouse"], "create_cursor", break_off)

    with pytest.raises(EventStoreUnavailableError):
        fetch_rows("test", "SELECT 1")


def test_queries_are_measured_by_name_and_seen_by_django() -> None:
    def measured() -> float:
        labels = {"query": "test_measured"}
        return REGISTRY.get_sample_value("analytics_query_seconds_count", labels) or 0.0

    before = measured()
    with CaptureQueriesContext(connections["clickhouse"]) as queries:
        fetch_rows("test_measured", "SELECT 1")

    assert measured() - before == 1.0
    assert len(queries) == 1


def test_insert_of_nothing_asks_nothing() -> None:
    with CaptureQueriesContext(connections["clickhouse"]) as queries:
        assert insert_columns("test", "no_table", {"a": []}) == 0

    assert len(queries) == 0
