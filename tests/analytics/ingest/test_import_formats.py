"""The same events in every format and packing are the same events."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from analytics.ingest.column_map import ColumnMap
from analytics.ingest.features import POINT_COLUMNS
from analytics.ingest.files import FileFormat, format_of
from analytics.ingest.importer import ImportPlan, import_file
from analytics.ingest.report import ImportReport
from analytics.store.clickhouse import fetch_rows
from tests.support.chicago import NOW

pa = pytest.importorskip("pyarrow", reason="Parquet and zstd need the extra arrow")
pq = pytest.importorskip("pyarrow.parquet")
pytestmark = [
    pytest.mark.django_db(databases=["clickhouse"]),
    pytest.mark.usefixtures("empty_event_table"),
]
MAP = "occurred_at=time,lat=lat,lon=lon,event_type=kind,severity=mag,attributes.by=by"
WITH_ID = f"{MAP},external_id=id"
Json = dict[str, Any]


def make_rows(count: int = 40) -> list[Json]:
    return [
        {
            "id": f"e{number}",
            "time": f"2022-01-{number % 28 + 1:02d}T12:00:00Z",
            "lat": 41.65 + number / 1_000,
            "lon": -87.6,
            "kind": "theft",
            "mag": number / 2 if number % 5 else None,
            "by": "händ" if number % 3 else None,
        }
        for number in range(count)
    ]


def as_csv(rows: list[Json]) -> bytes:
    lines = [",".join(rows[0])]
    lines += [
        ",".join("" if it is None else str(it) for it in row.values()) for row in rows
    ]
    return "\n".join([*lines, ""]).encode()


def as_ndjson(rows: list[Json]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def as_geojson(rows: list[Json]) -> bytes:
    features = [
        {
            "type": "Feature",
            "id": row["id"],
            "properties": {k: row[k] for k in ("time", "kind", "mag", "by")},
            "geometry": {"type": "Point", "coordinates": [row["lon"], row["lat"], 7]},
        }
        for row in rows
    ]
    members = {"type": "FeatureCollection", "metadata": {"n": 1}, "features": features}
    return json.dumps(members | {"bbox": [-90, 40, -80, 50]}, indent=1).encode()


def as_parquet(rows: list[Json]) -> bytes:
    table = pa.Table.from_pylist(
        [
            row | {"time": datetime.fromisoformat(row["time"]), "more": [1, 2]}
            for row in rows
        ]
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=16)
    return bytes(sink.getvalue().to_pybytes())


def as_zstd(content: bytes) -> bytes:
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


WRITERS: dict[str, Callable[[list[Json]], bytes]] = {
    "e.csv": as_csv,
    "e.ndjson": as_ndjson,
    "e.geojson": as_geojson,
    "e.parquet": as_parquet,
    "e.csv.zst": lambda rows: as_zstd(as_csv(rows)),
    "e.jsonl.gz": lambda rows: gzip.compress(as_ndjson(rows)),
    "e.geojson.zst": lambda rows: as_zstd(as_geojson(rows)),
}


def run(path: Path, plan: ImportPlan, column_map: str = WITH_ID) -> ImportReport:
    file_format = format_of(path)
    if file_format is FileFormat.GEOJSON:
        column_map = column_map.replace("lat=lat,lon=lon,", "").replace("=id", "=@id")
    defaults = POINT_COLUMNS if file_format is FileFormat.GEOJSON else {}
    chosen = replace(
        plan,
        column_map=ColumnMap.parse(column_map, defaults=defaults),
        file_format=file_format,
    )
    return import_file(path, plan=chosen, now=NOW)


def stored_facts() -> list[tuple[Any, ...]]:
    place = "round(lat_e7 / 1e7, 6), lon_e7 / 1e7"
    columns = f"occurred_at, {place}, event_type, severity, attributes['by']"
    sql = f"SELECT external_id, {columns} FROM analytics_event FINAL ORDER BY ALL"  # noqa: S608 - the test's own text
    return fetch_rows("test", sql)


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_the_same_events_come_out_of_every_format(
    tmp_path: Path, plan: ImportPlan, name: str
) -> None:
    rows = make_rows()
    path = tmp_path / name
    path.write_bytes(WRITERS[name](rows))

    report = run(path, plan)

    assert (report.accepted, report.rejected_count) == (40, 0)
    assert stored_facts() == sorted(
        (
            row["id"],
            datetime.fromisoformat(row["time"]).astimezone(UTC),
            round(row["lat"], 6),
            row["lon"],
            row["kind"],
            row["mag"],
            row["by"] or "",
        )
        for row in rows
    )
    assert run(path, plan).duplicates == 40


@pytest.mark.parametrize("name", ["e.ndjson", "e.geojson", "e.parquet"])
def test_without_ids_equal_rows_stay_two_events_at_every_repetition(
    tmp_path: Path, plan: ImportPlan, name: str
) -> None:
    rows = [{**row, "id": "same"} for row in [*make_rows(5), *make_rows(2)]]
    path = tmp_path / name
    path.write_bytes(WRITERS[name](rows))

    reports = [run(path, plan, MAP) for _ in range(2)]

    assert [(it.accepted, it.duplicates) for it in reports] == [(7, 0), (0, 7)]
