"""The processes are held against the server's limit of connections."""

import pytest
from django.core.checks import run_checks
from pytest_django.fixtures import Settings

from perf.connections.capacity import check_capacity, demand
from riskplatform.connection_policy import ConnectionPolicy
from tests.support.postgresql_aliases import needs_postgresql

pytestmark = [needs_postgresql, pytest.mark.django_db]


def test_the_usual_processes_fit(settings: Settings) -> None:
    settings.WEB_WORKERS = 4

    # Reads, ingestion, the admin, exports and probes.
    assert demand().total == 4 * (6 + 3 + 2 + 1 + 1) + 8 + 12
    assert check_capacity("default") == []


def test_too_many_processes_are_a_warning(settings: Settings) -> None:
    # The server of the tests takes 200 connections, of which 160 may be used.
    settings.WEB_WORKERS = 20

    (warning,) = run_checks(databases=["default"], tags=["database"])

    assert warning.id == "perf.W001"
    assert "280 (web 260, realtime 8, others 12)" in warning.msg


def test_behind_pgbouncer_clients_may_be_many(settings: Settings) -> None:
    settings.WEB_WORKERS = 1_000
    settings.CONNECTION_POLICY = ConnectionPolicy(is_behind_pgbouncer=True)

    assert check_capacity("default") == []


def test_nothing_is_asked_without_a_database(settings: Settings) -> None:
    settings.WEB_WORKERS = 1_000

    assert run_checks(tags=["database"]) == []
