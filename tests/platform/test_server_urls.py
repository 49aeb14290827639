from pathlib import Path

import pytest

from riskplatform.env import EnvError
from riskplatform.server_urls import (
    clickhouse_database,
    clickhouse_replicas,
    default_database,
)


def test_reads_a_postgresql_address() -> None:
    database = default_database(
        "postgresql://ann:p%40ss@db.example:5433/risk?sslmode=on"
    )
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert database["NAME"] == "risk"
    assert (database["HOST"], database["PORT"]) == ("db.example", "5433")
    assert (database["USER"], database["PASSWORD"]) == ("ann", "p@ss")
    assert database["OPTIONS"] == {"sslmode": "on"}
    assert database["CONN_HEALTH_CHECKS"] is True


def test_reads_a_postgresql_socket_folder() -> None:
    database = default_database("postgresql://postgres@/risk?host=/run/postgres")
    assert (database["HOST"], database["OPTIONS"]) == ("/run/postgres", {})


def test_reads_an_sqlite_path() -> None:
    database = default_database("sqlite:////var/lib/risk.sqlite3")
    assert database["NAME"] == Path("/var/lib/risk.sqlite3")
    assert "journal_mode=WAL" in database["OPTIONS"]["init_command"]


def test_reads_a_clickhouse_address() -> None:
    database = clickhouse_database("clickhouse://ann:p%40ss@ch.example:9001/events")
    assert (database["HOST"], database["PORT"]) == ("ch.example", 9001)
    assert (database["NAME"], database["PASSWORD"]) == ("events", "p@ss")


@pytest.mark.parametrize("url", ["mysql://a/b", "sqlite://", "postgres"])
def test_another_scheme_is_refused(url: str) -> None:
    with pytest.raises(EnvError, match="DATABASE_URL"):
        default_database(url)


def test_http_is_not_the_native_protocol() -> None:
    with pytest.raises(EnvError, match="clickhouse://"):
        clickhouse_database("http://127.0.0.1:8123")


def test_replicas_are_aliases_of_their_own() -> None:
    replicas = clickhouse_replicas("clickhouse://one:9001/x, clickhouse://two/x,")
    assert list(replicas) == ["clickhouse_replica_1", "clickhouse_replica_2"]
    assert [replica["HOST"] for replica in replicas.values()] == ["one", "two"]
    assert clickhouse_replicas("") == {}
