"""Millions of events made up inside ClickHouse, the same for the same seed.

Six cities have forty hot spots each, some far hotter than others; events lie at block
addresses around them, more of them by night and in summer. Eight tenths arrived as
one imported history, the rest hour by hour; one in a hundred was corrected and one in
five hundred withdrawn.
"""

from dataclasses import dataclass
from datetime import date

from analytics.store.clickhouse import Budget, run_statement

FIRST_DAY = date(2015, 1, 1)
LAST_DAY = date(2025, 1, 1)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
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
