"""PostgreSQL keeps its connections and says nothing: a request ends all the same."""

import socket
import time
from collections.abc import Generator
from typing import Any

import pytest
from django.db import OperationalError, transaction
from pytest_django.plugin import DjangoDbBlocker

from perf.deadlines import deadline
from perf.statement_timeouts import GRACE_S, STEPS_MS, watch_statements
from riskplatform.connection_policy import ConnectionPolicy
from riskplatform.kernel.errors import DeadlineError, database_error
from tests.support.hanging import hanging
from tests.support.postgresql_aliases import URL, alias_to, backend_of, needs_postgresql

pytestmark = needs_postgresql
ALLOWED_S = 0.5
MARGIN_S = 6.0


@pytest.fixture(params=["web", "realtime"])
def connection(
    request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker
) -> Generator[Any]:
    """Give one of a thread's own, or one of a pool."""
    watch_statements()
    policy = ConnectionPolicy(process=request.param, pool_size=2)
    with django_db_blocker.unblock(), alias_to(URL, policy) as made:
        yield made


def test_a_statement_of_a_request_waits_no_longer_than_that(connection: Any) -> None:
    with hanging(backend_of(connection)):
        started_s = time.monotonic()
        with pytest.raises(OperationalError) as caught, deadline(ALLOWED_S):
            connection.cursor().execute("SELECT 1")
        assert time.monotonic() - started_s < 1 + GRACE_S + MARGIN_S
        assert isinstance(database_error(caught.value), DeadlineError)
        # To be asked again would take as long again.
        assert not connection.is_lost
        connection.close_if_unusable_or_obsolete()
        assert backend_of(connection)


def test_a_transaction_that_hangs_ends_too(connection: Any) -> None:
    with hanging(backend_of(connection)):
        started_s = time.monotonic()
        with (
            pytest.raises(OperationalError),
            deadline(ALLOWED_S),
            transaction.atomic(using=connection.alias),
        ):
            connection.cursor().execute("SELECT 1")
        assert time.monotonic() - started_s < 1 + GRACE_S + MARGIN_S
        assert not connection.is_lost
    connection.close_if_unusable_or_obsolete()
    assert backend_of(connection)


def test_whoever_has_no_deadline_may_wait_for_long(connection: Any) -> None:
    with deadline(ALLOWED_S):
        connection.cursor().execute("SELECT 1")
    assert connection.connection.wait_limit_s == STEPS_MS[1] / 1_000 + GRACE_S
    connection.cursor().execute("SELECT 1")
    assert connection.connection.wait_limit_s is None


def test_a_server_that_greets_nobody_is_tried_once(
    django_db_blocker: DjangoDbBlocker,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = (
            f"postgresql://u:p@127.0.0.1:{silent.getsockname()[1]}/d?connect_timeout=2"
        )
        policy = ConnectionPolicy(process="web")
        with django_db_blocker.unblock(), alias_to(url, policy) as connection:
            with pytest.raises(OperationalError):
                connection.ensure_connection()
            assert not connection.is_lost
