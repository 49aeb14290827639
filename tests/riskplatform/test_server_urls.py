from pathlib import Path

import pytest

from riskplatform.connection_policy import ConnectionPolicy
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
    assert database["ENGINE"] == "perf.connections.postgresql"
    assert database["NAME"] == "risk"
    assert (database["HOST"], database["PORT"]) == ("db.example", "5433")
    assert (database["USER"], database["PASSWORD"]) == ("ann", "p@ss")
    assert database["OPTIONS"]["sslmode"] == "on"


def test_reads_a_postgresql_socket_folder() -> None:
    database = default_database("postgresql://postgres@/risk?host=/run/postgres")
    assert database["HOST"] == "/run/postgres"
    assert "host" not in database["OPTIONS"]


URL = "postgresql://ann@db.example/risk"


def test_a_web_process_keeps_connections_with_limits_for_people() -> None:
    database = default_database(URL, ConnectionPolicy(process="web"))
    assert database["CONN_MAX_AGE"] is None
    assert database["CONN_HEALTH_CHECKS"] is True
    assert "-c statement_timeout=120s" in database["OPTIONS"]["options"]
    assert database["OPTIONS"]["application_name"] == "riskplatform-web"


def test_a_realtime_process_pools_connections() -> None:
    policy = ConnectionPolicy(process="realtime", pool_size=3)
    database = default_database(URL, policy)
    assert database["CONN_MAX_AGE"] == 0
    assert database["OPTIONS"]["pool"]["max_size"] == 3


def test_a_command_may_take_its_time() -> None:
    database = default_database(URL, ConnectionPolicy(process="command"))
    assert "options" not in database["OPTIONS"]


def test_pgbouncer_is_sent_no_options_and_no_cursors() -> None:
    policy = ConnectionPolicy(process="web", is_behind_pgbouncer=True)
    database = default_database(URL, policy)
    assert "options" not in database["OPTIONS"]
    assert database["DISABLE_SERVER_SIDE_CURSORS"] is True


def test_what_the_address_names_comes_first() -> None:
    url = f"{URL}?application_name=mine&options=-c%20lock_timeout%3D1s"
    options = default_database(url, ConnectionPolicy(process="web"))["OPTIONS"]
    assert options["application_name"] == "mine"
    assert options["options"] == "-c lock_timeout=1s"


def test_switched_off_connections_are_plain_django() -> None:
    database = default_database(URL, ConnectionPolicy(process="web", is_plain=True))
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert database["OPTIONS"] == {}
    assert "CONN_MAX_AGE" not in database
    events = clickhouse_database("clickhouse://ch.example/events", is_plain=True)
    assert events["ENGINE"] == "clickhouse_backend.backend"
    assert events["OPTIONS"]["connections_min"] == 0


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
