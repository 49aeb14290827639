"""Cost of a new connection to ClickHouse, as the suite `clickhouse-connections`."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any

from clickhouse_backend.driver.client import Client
from clickhouse_backend.driver.connection import Connection
from django.db import connections

from analytics.store.clickhouse import DATABASE
from analytics.store.clickhouse_pool.base import PooledConnection
from perf.bench.measurement import AnyMeasurement
from perf.bench.overhead import compare_overheads, measure_overhead
from perf.bench.registry import registry

STATEMENT = "SELECT 42"


@registry.suite("clickhouse-connections")
def clickhouse_connections() -> Iterator[AnyMeasurement]:
    """ClickHouse: a new connection per request (before), the pool (after)."""
    wrapper: Any = connections[DATABASE]
    parameters = wrapper.get_connection_params()
    bare = {name: parameters[name] for name in ("host", "port", "user", "database")}
    raw = Client(**bare, password=parameters.get("password", ""))
    ask_raw = partial(raw.execute, STATEMENT)
    with (
        closing(Connection(**parameters, connections_min=0)) as plain,
        closing(PooledConnection(**parameters)) as pooled,
    ):
        yield compare_overheads(
            "ClickHouse",
            before=partial(measure_overhead, partial(_request, plain), ask_raw),
            after=partial(measure_overhead, partial(_request, pooled), ask_raw),
        )
    raw.disconnect()


def _request(connection: Any) -> object:
    cursor = connection.cursor()
    try:
        cursor.execute(STATEMENT)
        answer: object = cursor.fetchall()
        return answer
    finally:
        cursor.close()
