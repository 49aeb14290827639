"""A broken connection costs a reader nothing; a writer is told to try again."""

from collections.abc import Callable, Generator
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from prometheus_client import REGISTRY
from pytest_django.plugin import DjangoDbBlocker

from perf.connections.retry_timeout import RetryTimeout
from perf.connections.retrying import RetryMiddleware
from riskplatform.connection_policy import ConnectionPolicy
from tests.support.postgresql_aliases import (
    URL,
    alias_to,
    backend_of,
    end_backends,
    needs_postgresql,
    server,
)

pytestmark = needs_postgresql
WEB = ConnectionPolicy(process="web")
factory = RequestFactory()


@pytest.fixture
def probe(django_db_blocker: DjangoDbBlocker) -> Generator[Any]:
    with django_db_blocker.unblock(), alias_to(URL, WEB) as connection:
        backend_of(connection)
        yield connection


def answering(work: Callable[[], object]) -> RetryMiddleware:
    """Serve as Django does: what a view raises is given to the middleware first."""

    def respond(request: HttpRequest) -> HttpResponse:
        try:
            return HttpResponse(str(work()))
        except OperationalError as error:
            return middleware.process_exception(request, error) or HttpResponse(
                status=500
            )

    middleware = RetryMiddleware(respond, retry_timeout=RetryTimeout(timeout_s=0.0))
    return middleware


def read(connection: Any) -> Callable[[], int]:
    """Lose the connection in the middle of the first request, not of the second."""
    attempts: list[int] = []

    def work() -> int:
        attempts.append(backend_of(connection))
        if len(attempts) == 1:
            end_backends(connection)
        return backend_of(connection)

    return work


def retried() -> float:
    labels = {"outcome": "answered"}
    return REGISTRY.get_sample_value("perf_retried_requests_total", labels) or 0.0


def test_a_reader_is_answered_by_a_second_attempt(probe: Any) -> None:
    before = retried()

    assert answering(read(probe))(factory.get("/")).status_code == 200
    assert retried() - before == 1.0


def test_a_reader_whose_transaction_broke_is_answered_too(probe: Any) -> None:
    work = read(probe)

    def in_transaction() -> int:
        with transaction.atomic(using=probe.alias):
            return work()

    assert answering(in_transaction)(factory.get("/")).status_code == 200


def test_a_writer_is_told_to_try_again(probe: Any) -> None:
    response = answering(read(probe))(factory.post("/"))

    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert response["Content-Type"] == "application/problem+json"


def test_inside_a_transaction_of_somebody_else_nothing_is_repeated(probe: Any) -> None:
    before = retried()
    work = read(probe)
    with pytest.raises(OperationalError), transaction.atomic(using=probe.alias):
        assert answering(work)(factory.get("/")).status_code == 503

    assert retried() == before


def test_a_failed_statement_is_not_repeated(probe: Any) -> None:
    attempts: list[int] = []

    def wait_too_long() -> None:
        attempts.append(1)
        with connections[probe.alias].cursor() as cursor:
            cursor.execute("SET statement_timeout = 1; SELECT pg_sleep(10)")

    assert answering(wait_too_long)(factory.get("/")).status_code == 503
    assert len(attempts) == 1


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_server_with_no_connection_left_is_a_503_until_it_has_one(
    probe: Any, method: str
) -> None:
    ask = answering(lambda: backend_of(limited))
    with server() as owner:
        owner.execute("CREATE ROLE few LOGIN PASSWORD 'few' CONNECTION LIMIT 1")
        try:
            host, port = probe.settings_dict["HOST"], probe.settings_dict["PORT"]
            url = f"postgresql://few:few@{host}:{port}/postgres"
            with alias_to(url, WEB, name="limited") as limited:
                with server(url):
                    response = ask(getattr(factory, method)("/"))
                    assert response.status_code == 503
                    assert response["Retry-After"] == "5"
                assert ask(getattr(factory, method)("/")).status_code == 200
        finally:
            owner.execute("DROP ROLE few")
