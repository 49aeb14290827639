"""A computed request leaves a line when it failed or was slow, and what it called."""

import io
import re
from collections.abc import Callable, Generator, Mapping
from typing import Any

import pytest
from django.db import connections
from pytest_django import Settings

from perf.request_log import log_request
from perf.request_times import RequestTimer
from perf.shared_store import store
from riskplatform.kernel.calls import Calls, counting
from tests.support.log_reading import written_log

SECRET = "sesame"
ENVIRON: Mapping[str, Any] = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": f"/api/v1/portfolios/{SECRET}",
    "QUERY_STRING": f"token={SECRET}",
    "HTTP_AUTHORIZATION": f"Bearer {SECRET}",
    "HTTP_COOKIE": f"sessionid={SECRET}",
    "riskplatform.request_id": "r-7",
}


@pytest.fixture
def log() -> Generator[io.StringIO]:
    with written_log() as written:
        yield written


def end(
    seconds: float = 0.01, status: str = "200 OK", calls: Calls | None = None
) -> None:
    log_request(
        ENVIRON,
        route="portfolios",
        status=status,
        seconds=seconds,
        calls=calls or Calls(),
    )


def test_ordinary_requests_leave_no_line(log: io.StringIO) -> None:
    end()
    end(status="404 Not Found")
    assert log.getvalue() == ""


def test_a_failed_request_leaves_one(log: io.StringIO) -> None:
    end(status="503 Service Unavailable")
    assert re.search(
        r" WARNING riskplatform\.requests \[r-7\]: request method=GET route=portfolios"
        r" status=503 ms=10\.0 cache=none principal='nobody known'\n",
        log.getvalue(),
    )


def test_all_of_them_do_where_that_is_wanted(
    log: io.StringIO, settings: Settings
) -> None:
    settings.REQUEST_LOG = "all"
    for _ in range(30):
        end()
    assert log.getvalue().count(" INFO ") == 30
    settings.REQUEST_LOG = "off"
    end(seconds=100)
    assert log.getvalue().count("\n") == 30


@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_a_slow_request_shows_its_statements_without_their_values(
    log: io.StringIO, settings: Settings
) -> None:
    settings.SLOW_REQUEST_MS = 5
    # Connections from before are not counted.
    for alias in ("default", "clickhouse"):
        with counting(Calls()) as calls, connections[alias].cursor() as cursor:
            cursor.execute("SELECT %s", [SECRET])
        assert calls.counts == {"database" if alias == "default" else alias: 1}
        end(calls=calls)
    text = log.getvalue()
    assert "slow request" in text
    assert "database_calls=1" in text
    assert "clickhouse_calls=1" in text
    assert "SELECT" in text
    assert SECRET not in text


def test_calls_of_redis_are_counted() -> None:
    with counting(Calls()) as calls:
        store.run(lambda redis: redis.ping())
    assert calls.counts == {"redis": 1}
    assert calls.seconds["redis"] > 0


def test_only_the_slowest_statements_are_kept() -> None:
    calls = Calls()
    for number in range(100):
        calls.add("database", number / 1_000, f"SELECT\n  {number}")
    assert calls.counts == {"database": 100}
    assert calls.statements()[0] == "99.0 ms: SELECT 99"
    assert len(calls.statements()) == 5


def _start_response(*_: object) -> Callable[[bytes], object]:
    return lambda _: None


def test_a_timer_says_how_its_request_ended(log: io.StringIO) -> None:
    timer = RequestTimer(dict(ENVIRON), _start_response, "default")
    with counting(timer.calls):
        timer.start_response("500 Internal Server Error", [])
    timer.end()
    assert "route=default status=500" in log.getvalue()
    assert SECRET not in log.getvalue()
