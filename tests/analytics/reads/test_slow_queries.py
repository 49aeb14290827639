"""A slow query is found by its name and the request that asked it."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from analytics.store.clickhouse import fetch_rows, run_statement
from riskplatform.api.request_id import RequestContext, request_context

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def slow_queries(*options: str) -> str:
    run_statement("flush", "SYSTEM FLUSH LOGS query_log")
    out = StringIO()
    call_command("slow_queries", *options, stdout=out)
    return out.getvalue()


def ask_slowly(request_id: str) -> None:
    with request_context(RequestContext(request_id)):
        fetch_rows(
            "slow-test", "SELECT sleep(%(s)s), %(word)s", {"s": 0.2, "word": "S3cret"}
        )


def test_a_slow_query_is_listed_with_its_request_and_without_values() -> None:
    ask_slowly("request-7f3a")

    text = slow_queries("--since", "1h", "--min-ms", "200")
    assert "slow-test  [request-7f3a]  SELECT sleep(?), ?" in text
    assert "S3cret" not in text


def test_json_has_the_fields_of_a_slow_query() -> None:
    ask_slowly("request-91bc")

    rows = json.loads(slow_queries("--json", "--limit", "1000"))
    [row] = [row for row in rows if row["request_id"] == "request-91bc"]
    assert row["ms"] >= 200
    assert (row["name"], row["error_code"]) == ("slow-test", 0)
    assert "S3cret" not in json.dumps(rows)


def test_nothing_slow_is_said_in_a_sentence() -> None:
    text = slow_queries("--min-ms", "100000000")
    assert text == "ClickHouse has logged no query of 100000000 ms or more.\n"


def test_a_time_without_a_unit_is_refused() -> None:
    with pytest.raises(CommandError, match="write a number with m, h or d"):
        call_command("slow_queries", "--since", "90")


def test_the_id_of_a_query_begins_with_that_of_its_request() -> None:
    with request_context(RequestContext("taken")):
        running = fetch_rows(
            "own-id",
            "SELECT query_id FROM system.processes WHERE query_id LIKE 'taken.%%'",
        )
    [(query_id,)] = running
    assert len(query_id) == len("taken.") + 8
