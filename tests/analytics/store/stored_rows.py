"""Rows put straight into the event table, of times around new year and before 1970."""

from typing import TypeAlias

from analytics.store.clickhouse import insert_columns
from analytics.store.event_changes import changing_events

HOUR_MS = 3_600_000
# Around new year, and one year before 1970.
TIMES_MS = [hours * HOUR_MS + 1 for hours in (-70_000, 455_831, 455_832, 455_900)]
Row: TypeAlias = tuple[str, int, int, str, str, float | None, int, int]
COLUMNS = (
    *("region", "cell", "occurred_at", "event_type", "external_id", "severity"),
    *("version", "is_deleted"),
)


def put(*rows: Row) -> None:
    columns = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))
    with changing_events(map(str, columns["region"])):
        insert_columns("test", "analytics_event", columns)


def make_row(name: str = "e1", *, time_ms: int = TIMES_MS[-1]) -> Row:
    return ("chicago", 613164979180273663, time_ms, "theft", name, 1.0, 1, 0)
