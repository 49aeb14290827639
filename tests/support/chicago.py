"""Chicago as a region, and rows of a file of events there."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from analytics.grid import Bounds, RegionGrid
from analytics.ingest.report import ImportReport

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEADER = "time,lat,lon,kind,severity,id"
BOUNDS = Bounds(south=41.6, west=-87.95, north=42.05, east=-87.5)
CHICAGO = RegionGrid(
    slug="chicago", resolution=8, timezone="America/Chicago", bounds=BOUNDS
)

WriteCsv = Callable[..., Path]
ImportRows = Callable[..., ImportReport]


def good_row(number: int) -> str:
    """Write a row of `HEADER` that differs from those of other numbers."""
    time = f"2022-01-{number % 28 + 1:02d}T{number // 28 % 24:02d}:00:00Z"
    return (
        f"{time},41.{number % 300 + 650},-87.{number % 300 + 550},theft,1.5,e{number}"
    )
