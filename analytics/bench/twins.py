"""The same events in two forms: a table as it comes, and the tables of the platform."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from clickhouse_backend import driver
from django.db import connections

from analytics.bench.made_events import COLUMNS, make_events
from analytics.models import Event, EventCellDay, EventDay, EventHour
from analytics.store.clickhouse import (
    DATABASE,
    WRITE,
    SqlValue,
    fetch_rows,
    run_statement,
)
from analytics.store.event_changes import changing_all_events
from analytics.store.rollups import refresh_rollups
from analytics.store.schema import create_statements
from riskplatform.kernel.ids import uuid7

PLAIN = "plain_event"
MODELS = (Event, EventHour, EventDay, EventCellDay)
# The obvious table: the key as order, the default codec.
PLAIN_TABLE = """
CREATE TABLE plain_event
(
    region String,
    cell UInt64,
    occurred_at DateTime64(3, 'UTC'),
    ingested_at DateTime64(3, 'UTC'),
    event_type String,
    source String,
    external_id String,
    lat Float64,
    lon Float64,
    severity Nullable(Float64),
    amount Nullable(Float64),
    attributes Map(String, String),
    version UInt64,
    is_deleted UInt8
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (external_id, source)
"""
COPY = """
INSERT INTO analytics_event ({columns}, lat_e7, lon_e7)
SELECT {columns}, toInt32(round(lat * 1e7)), toInt32(round(lon * 1e7))
FROM plain_event
"""
BYTES = """
SELECT sum(bytes_on_disk) FROM system.parts
WHERE active AND database = currentDatabase()
    AND (table = 'plain_event') = %(is_plain)s
"""
ESTIMATE = "EXPLAIN ESTIMATE "


@contextmanager
def twins(*, event_count: int) -> Generator[None]:
    """Make both forms in a database of their own, merge them, and drop it all."""
    # The key of a cached answer does not name this database.
    with changing_all_events(), _own_database():
        run_statement("bench_create", PLAIN_TABLE)
        for model in MODELS:
            for statement in create_statements(model):
                run_statement("bench_create", statement)
        make_events(PLAIN, count=event_count)
        columns = ", ".join(name for name in COLUMNS if name not in {"lat", "lon"})
        with changing_all_events():
            run_statement("bench_copy", COPY.format(columns=columns))
        for table in (PLAIN, "analytics_event"):
            run_statement("bench_merge", f"OPTIMIZE TABLE {table} FINAL")
        refresh_rollups()
        yield


def bytes_on_disk(*, is_plain: bool) -> int:
    """Weigh the plain table, or all that stands for it, rollups included."""
    ((size,),) = fetch_rows("bench_bytes", BYTES, {"is_plain": int(is_plain)})
    return int(size)


def estimate(sql: str, params: Mapping[str, SqlValue]) -> tuple[int, int]:
    """Say how many rows and granules a query reads, by ClickHouse's own estimate."""
    rows = fetch_rows("bench_estimate", ESTIMATE + sql.strip(), params, budget=WRITE)
    return sum(row[3] for row in rows), sum(row[4] for row in rows)


@contextmanager
def _own_database() -> Generator[None]:
    """Let this thread work in a new database; what is stored stays out of sight."""
    name = f"benchmark_{uuid7().hex}"
    connection = connections[DATABASE]
    connection.ensure_connection()
    usual = connection.connection
    run_statement("bench_database", f"CREATE DATABASE {name}")
    own = driver.connect(**{**connection.get_connection_params(), "database": name})
    connection.connection = own
    try:
        yield
    finally:
        connection.connection = usual
        own.close()
        run_statement("bench_database", f"DROP DATABASE {name}")
