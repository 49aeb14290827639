"""A region, and files of events written for it."""

import gzip
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connections

from analytics.grid import Bounds, RegionGrid
from analytics.ingest.column_map import ColumnMap
from analytics.ingest.importer import ImportPlan, import_file
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


@pytest.fixture
def plan() -> ImportPlan:
    return ImportPlan(
        column_map=ColumnMap.parse(
            "occurred_at=time,lat=lat,lon=lon,event_type=kind,severity=severity,"
            "external_id=id"
        ),
        grid=CHICAGO,
        source="police",
    )


@pytest.fixture
def write_csv(tmp_path: Path) -> WriteCsv:
    def write(*rows: str, header: str = HEADER, name: str = "events.csv") -> Path:
        path = tmp_path / name
        content = "".join(f"{row}\n" for row in (header, *rows)).encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write


@pytest.fixture
def import_rows(write_csv: WriteCsv, plan: ImportPlan) -> ImportRows:
    def run(*rows: str) -> ImportReport:
        return import_file(write_csv(*rows), plan=plan, now=NOW)

    return run


@pytest.fixture
def empty_event_table() -> Generator[None]:
    _truncate_events()
    yield
    _truncate_events()


def _truncate_events() -> None:
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute("TRUNCATE TABLE analytics_event")
