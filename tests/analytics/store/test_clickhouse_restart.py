"""Readers of events outlive a restart of ClickHouse."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from prometheus_client import REGISTRY

from analytics.store.clickhouse import close_connection, fetch_rows
from analytics.store.clickhouse_pool.base import DatabaseWrapper
from riskplatform.embedded.clickhouse_server import ClickHouseServer
from riskplatform.embedded.reaper import Reaper
from riskplatform.embedded.server import Site
from riskplatform.server_urls import clickhouse_database
from tests.support.restarting import ask_through_restart

pytestmark = [pytest.mark.slow, pytest.mark.django_db(databases=["clickhouse"])]
READERS = 4


@pytest.fixture
def clickhouse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Generator[ClickHouseServer]:
    """Start a server that threads begun from now on will use."""
    reaper = Reaper()
    site = Site(var=tmp_path, reaper=reaper, password="probe", durable=False)
    started = ClickHouseServer(site)
    started.start_and_wait()
    database = connections.configure_settings(
        {"default": clickhouse_database(started.url)}
    )["default"]
    monkeypatch.setitem(connections.settings, "clickhouse", database)
    shared: dict[str, Any] = {}
    monkeypatch.setattr(DatabaseWrapper, "_clickhouse_connections", shared)
    yield started
    for _parameters, connection in shared.values():
        connection.close()
    started.stop()
    reaper.close()


def retries() -> float:
    labels = {"query": "test_restart"}
    return REGISTRY.get_sample_value("analytics_query_retries_total", labels) or 0.0


def test_every_read_is_answered_through_a_restart(clickhouse: ClickHouseServer) -> None:
    answers = ask_through_restart(
        clickhouse,
        lambda: fetch_rows("test_restart", "SELECT 1"),
        clients=READERS,
        at_end=close_connection,
    )
    assert answers == [[(1,)]] * len(answers)
    assert 0 < retries() <= READERS
