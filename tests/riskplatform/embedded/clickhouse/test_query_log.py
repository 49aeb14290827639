"""Slow queries are in system.query_log, as on a server, and no more than a few."""

from collections.abc import Callable

from riskplatform.embedded.clickhouse.folder import QUERY_LOG
from tests.riskplatform.embedded.clickhouse.running import RunningServer

SLOW = "SELECT sleep(0.2)"
LOGGED = (
    "SELECT type, log_comment, query, query_duration_ms >= 200 FROM system.query_log"
)


def test_what_is_slow_or_fails_late_is_logged_with_its_comment(
    own_server: Callable[..., RunningServer],
) -> None:
    client = own_server().client()
    client.execute(SLOW, settings={"log_comment": "slow one"})
    client.execute("SELECT 1", settings={"log_comment": "fast one"})
    client.execute("SYSTEM FLUSH LOGS query_log")
    assert client.execute(LOGGED) == [("QueryFinish", "slow one", SLOW, 1)]


def test_the_log_of_queries_is_bounded(
    own_server: Callable[..., RunningServer],
) -> None:
    client = own_server().client()
    # A table is there from the first line on.
    client.execute(SLOW)
    client.execute("SYSTEM FLUSH LOGS query_log")
    [(engine,)] = client.execute(
        "SELECT engine_full FROM system.tables WHERE name = 'query_log'"
    )
    assert engine in QUERY_LOG
    assert "max_rows_to_keep" in engine
