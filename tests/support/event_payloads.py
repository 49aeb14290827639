"""Events as clients send them, and what is stored of them."""

from typing import Any

from analytics.grid import RegionGrid
from analytics.store.clickhouse import fetch_rows

CHICAGO = RegionGrid(slug="chicago", resolution=8, timezone="America/Chicago")
Json = dict[str, Any]


def make_event(number: int = 0, **changes: Any) -> Json:
    event = {
        "external_id": f"e{number}",
        "occurred_at": f"2026-01-{number % 28 + 1:02d}T{number // 28 % 24:02d}:00:00Z",
        "lat": round(41.65 + number % 300 / 1_000, 3),
        "lon": -87.6,
        "event_type": "theft",
        "severity": 1.5,
        "attributes": {"by": "hand"},
    }
    return event | changes


def make_events(count: int, *, first: int = 0) -> list[Json]:
    return [make_event(number) for number in range(first, first + count)]


def stored(columns: str = "external_id") -> list[tuple[Any, ...]]:
    """Read what counts as stored, in the order of the columns."""
    return fetch_rows(
        "test",
        f"SELECT {columns} FROM analytics_event FINAL WHERE is_deleted = 0"  # noqa: S608 - the test's own text
        " ORDER BY ALL",
    )


def physical_row_count() -> int:
    ((count,),) = fetch_rows("test", "SELECT count() FROM analytics_event")
    return int(count)
