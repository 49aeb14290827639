"""The slowest queries, as ClickHouse itself logged them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from analytics.store.clickhouse import fetch_rows

IS_LOGGED: Final = "EXISTS TABLE system.query_log"
# Values are in the text of a query; `normalizeQuery` puts a ? for each.
SLOWEST: Final = """
SELECT toUnixTimestamp(event_time), query_duration_ms, read_rows, memory_usage,
    exception_code, log_comment, query_id, normalizeQuery(query)
FROM system.query_log
WHERE type != 'QueryStart' AND user = currentUser()
    AND event_date >= toDate(now() - %(since_s)s)
    AND event_time >= now() - %(since_s)s
    AND query_duration_ms >= %(min_ms)s
ORDER BY query_duration_ms DESC, event_time
LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowQuery:
    """`error_code` is ClickHouse's, 0 where the query succeeded."""

    at: datetime
    ms: int
    read_rows: int
    memory_bytes: int
    error_code: int
    name: str
    request_id: str
    query_id: str
    statement: str


def list_slow_queries(*, since_s: int, min_ms: int, limit: int) -> list[SlowQuery]:
    """Give the slowest first; nothing where ClickHouse has logged no query yet."""
    if fetch_rows("query-log-exists", IS_LOGGED) != [(1,)]:
        return []
    params = {"since_s": since_s, "min_ms": min_ms, "limit": limit}
    found = []
    for at, ms, rows, memory, code, comment, query_id, statement in fetch_rows(
        "slow-queries", SLOWEST, params
    ):
        name, _, request_id = comment.partition(" ")
        found.append(
            SlowQuery(
                at=datetime.fromtimestamp(at, tz=UTC),
                ms=ms,
                read_rows=rows,
                memory_bytes=memory,
                error_code=code,
                name=name,
                request_id=request_id,
                query_id=query_id,
                statement=" ".join(statement.split()),
            )
        )
    return found
