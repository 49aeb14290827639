"""The same events in two forms: a table as it comes, and the tables of the platform.

They are made up inside ClickHouse, the same for the same seed. Six cities have forty
hot spots each, some far hotter than others; events lie at block addresses around them,
more of them by night and in summer. Eight tenths arrived as one imported history, the
rest hour by hour; one in a hundred was corrected and one in five hundred withdrawn.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from clickhouse_backend import driver
from django.db import connections

from analytics.models import Event, EventCellDay, EventDay, EventHour
from analytics.store.clickhouse import (
    DATABASE,
    WRITE,
    Budget,
    SqlValue,
    fetch_rows,
    run_statement,
)
from analytics.store.event_changes import changing_all_events
from analytics.store.rollups import refresh_rollups
from analytics.store.schema import create_statements
from riskplatform.kernel.ids import uuid7

CITY = "chicago"
CITIES = ("chicago", "losangeles", "newyork", "london", "paris", "berlin")
TYPES = (
    *("theft", "battery", "assault", "burglary"),
    *("robbery", "arson", "homicide", "fraud"),
)
MAKING = Budget(max_seconds=290, max_rows=2_000_000_000)
COLUMNS = (
    *("region", "cell", "occurred_at", "ingested_at", "event_type", "source"),
    *("external_id", "lat", "lon", "severity", "amount", "attributes"),
    *("version", "is_deleted"),
)
MAKE = """
INSERT INTO {table} ({columns})
WITH
    {types} AS types,
    {cities} AS cities,
    [41.65, 34.02, 40.71, 51.50, 48.85, 52.52] AS city_lat,
    [-87.65, -118.28, -74.00, -0.12, 2.35, 13.40] AS city_lon,
    (key, salt) -> sipHash64(%(seed)s, key, salt) / 18446744073709551616. AS chance,
    toUInt8(floor(6 * pow(chance(number, 1), 1.5))) + 1 AS city,
    100 * city + toUInt32(floor(40 * pow(chance(number, 2), 2))) AS spot,
    0.012 * sqrt(-2 * log(greatest(chance(number, 3), 1e-12))) AS distance,
    2 * pi() * chance(number, 4) AS bearing,
    city_lat[city] + 0.3 * (chance(spot, 5) - 0.5) + distance * sin(bearing)
        AS near_lat,
    city_lon[city] + 0.3 * (chance(spot, 6) - 0.5) + distance * cos(bearing)
        AS near_lon,
    toInt64(floor(1000 * near_lat)) AS block_row,
    toInt64(floor(1000 * near_lon)) AS block_column,
    1000000 * block_row + block_column AS block,
    round(block_row / 1000 + 0.001 * chance(block, 7), 6) AS block_lat,
    round(block_column / 1000 + 0.001 * chance(block, 8), 6) AS block_lon,
    3653 * number / %(count)s AS day,
    greatest(0, floor(day + 25 * sin(2 * pi() * (day - 15) / 365.25))) AS season_day,
    toInt64(least(season_day, 3652)) * 1440 AS midnight_min,
    midnight_min + toInt64(floor(1440 * pow(chance(number, 9), 0.7))) AS minute,
    toInt64(floor(-3 * log(greatest(chance(number, 10), 1e-9)))) AS delay_h,
    intDiv(minute, 60) + 1 + delay_h AS feed_hour,
    if(number < 0.8 * %(count)s, 70128, feed_hour) AS arrival_hour,
    1420070400000 + arrival_hour * 3600000
        + toInt64(floor(120000 * chance(arrival_hour * 10 + city, 11))) AS arrived_ms
SELECT
    cities[city],
    geoToH3(block_lat, block_lon, 8),
    fromUnixTimestamp64Milli(1420070400000 + minute * 60000, 'UTC'),
    fromUnixTimestamp64Milli(arrived_ms, 'UTC'),
    types[toUInt8(floor(8 * pow(chance(number, 12), 2))) + 1],
    concat(cities[city], '/police'),
    toString(10000000 + number),
    block_lat,
    block_lon,
    if(chance(number, 13) < 0.2, NULL,
        round(-2 * log(greatest(chance(number, 14), 1e-9)), 1) + {correction}),
    if(chance(number, 15) < 0.33, round(exp(4.5 + chance(number, 16)), 2), NULL),
    if(chance(number, 17) < 0.25,
        map('reported_by', ['sensor', 'officer', 'caller'][spot %% 3 + 1]), map()),
    toUInt64(arrived_ms) + {correction},
    {is_deleted}
FROM numbers(toUInt64(%(count)s))
WHERE number %% {every} = 0
"""
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


class Telling(NamedTuple):
    """Which events are sent, and how: as new, as corrections, or as retractions."""

    every: int
    correction: int = 0
    is_deleted: int = 0


TELLINGS = (
    Telling(every=1),
    Telling(every=100, correction=1),
    Telling(every=500, correction=2, is_deleted=1),
)


def make_events(table: str, *, count: int, seed: int = 20_261_123) -> None:
    """Insert events in the order in which they happened, then their corrections."""
    for telling in TELLINGS:
        sql = MAKE.format(
            table=table,
            columns=", ".join(COLUMNS),
            types=list(TYPES),
            cities=list(CITIES),
            correction=telling.correction,
            is_deleted=telling.is_deleted,
            every=telling.every,
        )
        params = {"count": count, "seed": seed}
        run_statement("bench_make_events", sql, params, budget=MAKING)
