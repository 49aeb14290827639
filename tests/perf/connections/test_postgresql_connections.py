"""Connections to PostgreSQL are kept, checked cheaply, pooled and never shared."""

from collections.abc import Generator
from typing import Any

import pytest
from django.db import OperationalError
from django.test.utils import CaptureQueriesContext
from pytest_django.plugin import DjangoDbBlocker

from riskplatform.connection_policy import ConnectionPolicy
from tests.support.forking import in_child
from tests.support.postgresql_aliases import (
    URL,
    alias_to,
    backend_of,
    end_backends,
    needs_postgresql,
)

pytestmark = needs_postgresql
WEB = ConnectionPolicy(process="web")
REALTIME = ConnectionPolicy(process="realtime", pool_size=4)


@pytest.fixture(autouse=True)
def _outside_transactions(django_db_blocker: DjangoDbBlocker) -> Generator[None]:
    with django_db_blocker.unblock():
        yield


def end_request(connection: Any) -> None:
    """Do what Django does between two requests."""
    connection.close_if_unusable_or_obsolete()


def test_a_kept_connection_serves_the_next_request_without_a_question() -> None:
    with alias_to(URL, WEB) as connection:
        backend = backend_of(connection)
        end_request(connection)
        with CaptureQueriesContext(connection) as queries:
            assert backend_of(connection) == backend
        assert len(queries) == 1


def test_a_kept_connection_that_died_is_replaced_unseen() -> None:
    with alias_to(URL, WEB) as connection:
        backend = backend_of(connection)
        end_request(connection)
        assert end_backends(connection) == 1

        assert backend_of(connection) != backend


def test_a_failed_statement_is_no_lost_connection() -> None:
    with alias_to(URL, WEB) as connection:
        with pytest.raises(Exception, match="nonsense"), connection.cursor() as cursor:
            cursor.execute("SELECT nonsense")

        assert not connection.is_lost


def test_people_are_limited_and_commands_are_not() -> None:
    def limit(policy: ConnectionPolicy) -> str:
        with alias_to(URL, policy) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            return str(cursor.fetchone()[0])

    assert (limit(WEB), limit(ConnectionPolicy())) == ("2min", "0")


def test_a_pooled_connection_goes_back_and_is_lent_again() -> None:
    only_one = ConnectionPolicy(process="realtime", pool_size=1)
    with alias_to(URL, only_one) as connection:
        backend = backend_of(connection)
        end_request(connection)

        assert connection.connection is None
        assert backend_of(connection) == backend


def test_dead_pooled_connections_cost_no_error_and_no_pause() -> None:
    with alias_to(URL, REALTIME) as connection:
        pool = connection.pool
        pool.open()
        lent = [pool.getconn(timeout=20.0) for _ in range(4)]
        for one in lent:
            pool.putconn(one)
        assert end_backends(connection) == 4

        # The stock pool sleeps 1, 2 and 4 s between four dead ones: longer than this.
        alive = [pool.getconn(timeout=3.0) for _ in range(4)]
        assert [one.execute("SELECT 1").fetchone() for one in alive] == [(1,)] * 4
        for one in alive:
            pool.putconn(one)


def test_an_exhausted_pool_is_an_operational_error_and_recovers_at_once() -> None:
    policy = ConnectionPolicy(process="realtime", pool_size=1)
    with alias_to(URL, policy) as connection:
        connection.pool.open()
        connection.pool.timeout = 0.1
        only = connection.pool.getconn(timeout=5.0)

        with pytest.raises(OperationalError, match="couldn't get a connection"):
            backend_of(connection)
        assert not connection.is_lost

        connection.pool.putconn(only)
        assert backend_of(connection) == only.info.backend_pid


@pytest.mark.parametrize("policy", [WEB, REALTIME])
def test_a_forked_child_connects_for_itself(policy: ConnectionPolicy) -> None:
    with alias_to(URL, policy) as connection:
        backend = backend_of(connection)

        assert in_child(lambda: backend_of(connection) != backend)
        assert backend_of(connection) == backend
