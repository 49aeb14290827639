"""A row has the same verdict whether it is posted or comes in a file."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.utils import timezone

from analytics import placement
from analytics.grid import Bounds
from analytics.ingest.column_map import OPTIONAL, REQUIRED, ColumnMap
from analytics.ingest.file_format import FileFormat
from analytics.ingest.importer import ImportPlan, import_file
from analytics.shipping.shipper import ShippingReport
from tests.support.event_payloads import CHICAGO, Json, stored
from tests.support.one_region import OneRegion, Post

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures(
        "empty_store", "one_region", "fresh_backlog", "bounded_region"
    ),
]
BOUNDED = replace(
    CHICAGO, bounds=Bounds(south=41.6, west=-87.95, north=42.05, east=-87.5)
)
Ship = Callable[[], ShippingReport]
FIELDS = (*REQUIRED, *OPTIONAL)
COLUMN_MAP = ColumnMap(columns={name: name for name in FIELDS})
GOOD = {
    "occurred_at": "2026-01-02T03:04:05Z",
    "lat": 41.8,
    "lon": -87.6,
    "event_type": "theft",
    "severity": 1.5,
    "amount": 10.0,
}
SOON = (timezone.now() + timedelta(days=1)).isoformat()
# What is changed of a good row, and the code of the refusal; none where it is accepted.
ROWS: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"severity": None, "amount": None}, None),
    ({"event_type": None}, None),
    ({"severity": 7}, None),
    ({"occurred_at": "2026-01-02T03:04:05+01:00"}, None),
    ({"occurred_at": None}, "missing_value"),
    ({"lat": None}, "missing_value"),
    ({"external_id": None}, "missing_value"),
    ({"external_id": " "}, "missing_value"),
    ({"occurred_at": "yesterday"}, "bad_time"),
    ({"occurred_at": "2026-13-01T00:00:00Z"}, "bad_time"),
    ({"occurred_at": "1704067200"}, "bad_time"),
    ({"occurred_at": "2026-01-02T03:04:05"}, "naive_time"),
    ({"occurred_at": "2026-01-02"}, "naive_time"),
    ({"occurred_at": SOON}, "future_time"),
    ({"occurred_at": "1899-12-31T23:59:59Z"}, "time_out_of_range"),
    ({"lat": "north"}, "bad_number"),
    ({"lon": "41,8"}, "bad_number"),
    ({"amount": "1_000"}, "bad_number"),
    ({"severity": "inf"}, "not_finite"),
    ({"severity": "nan"}, "not_finite"),
    ({"severity": "1e999"}, "not_finite"),
    ({"lat": 191.0}, "coordinate_out_of_range"),
    ({"lon": 181.0}, "coordinate_out_of_range"),
    ({"lat": 120.0, "lon": 30.0}, "swapped_coordinates"),
    ({"lat": -87.6, "lon": 41.8}, "swapped_coordinates"),
    ({"lat": 10.0}, "outside_region"),
    ({"external_id": "x" * 201}, "field_too_long"),
    ({"event_type": "x" * 201}, "field_too_long"),
    ({"event_type": "a\0b"}, "nul_byte"),
    ({"external_id": "a\0b"}, "nul_byte"),
    # Of several faults, the same one is told.
    ({"occurred_at": "x", "lat": "x", "external_id": None}, "bad_time"),
    ({"severity": "x", "lon": 300.0}, "coordinate_out_of_range"),
]


@pytest.fixture
def bounded_region(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bounded(OneRegion):
        def find(self, slug: str) -> Any:
            return BOUNDED if slug == BOUNDED.slug else None

    monkeypatch.setattr(placement, "_registered", [Bounded()])


def rows() -> list[Json]:
    return [
        {"external_id": f"e{number}", **GOOD, **changes}
        for number, (changes, _) in enumerate(ROWS)
    ]


def as_csv(events: list[Json]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, FIELDS)
    writer.writeheader()
    writer.writerows(events)
    return text.getvalue().encode()


def as_ndjson(events: list[Json]) -> bytes:
    known = ({k: v for k, v in it.items() if v is not None} for it in events)
    return b"\n".join(map(orjson.dumps, known)) + b"\n"


FORMS = {
    "csv": (as_csv, "text/csv", FileFormat.CSV),
    "ndjson": (as_ndjson, "application/x-ndjson", FileFormat.NDJSON),
}
Told = tuple[int, int, list[tuple[int, str, str]]]


def by_post(post: Post, body: bytes, content_type: str) -> Told:
    response = post(body, query="?region=chicago", content_type=content_type)
    answer = orjson.loads(response.content)
    refused = [(it["index"], it["code"], it["reason"]) for it in answer["rejected"]]
    return answer["accepted"], answer["duplicates"], refused


def by_file(path: Path, body: bytes, file_format: FileFormat) -> Told:
    path.write_bytes(body)
    plan = ImportPlan(
        column_map=COLUMN_MAP, grid=BOUNDED, source="file", file_format=file_format
    )
    report = import_file(path, plan=plan, now=timezone.now())
    first = 2 if file_format is FileFormat.CSV else 1
    refused = [
        (it.row - first, it.code.value, f"{it.column}: {it.reason}")
        for it in report.rejected
    ]
    return report.accepted, report.duplicates, refused


@pytest.mark.parametrize("form", FORMS)
def test_a_row_has_one_verdict(post: Post, tmp_path: Path, form: str) -> None:
    write, content_type, file_format = FORMS[form]
    posted = by_post(post, write(rows()), content_type)
    imported = by_file(tmp_path / "events", write(rows()), file_format)

    codes = [(index, code) for index, (_, code) in enumerate(ROWS) if code]
    assert [(index, code) for index, code, _ in posted[2]] == codes
    assert [(index, code) for index, code, _ in imported[2]] == codes
    assert posted[:2] == imported[:2] == (len(ROWS) - len(codes), 0)
    # A NUL in CSV is found before the fields are told apart.
    sentences = [
        [refused for refused in told if refused[1] != "nul_byte"]
        for _, _, told in (posted, imported)
    ]
    assert sentences[0] == sentences[1]


STORED = "external_id, toString(occurred_at), lat_e7, event_type, severity, amount"


@pytest.mark.parametrize("form", FORMS)
def test_told_again_with_other_values_is_a_correction(
    post: Post, ship: Ship, tmp_path: Path, form: str
) -> None:
    write, content_type, file_format = FORMS[form]
    first = [{"external_id": f"e{number}", **GOOD} for number in range(4)]
    changes: list[Json] = [{}, {"severity": 9.0}, {"lat": 41.9}, {"event_type": "fire"}]
    again = [{**one, **change} for one, change in zip(first, changes, strict=True)]
    moved = {"external_id": "e3", **GOOD, "occurred_at": "2025-06-01T00:00:00Z"}
    bodies = [write(it) for it in (first, again, again, [*again, moved, again[3]])]
    told = []
    for body in bodies:
        told.append(
            (
                by_post(post, body, content_type),
                by_file(tmp_path / "e", body, file_format),
            )
        )
        ship()

    assert [one for one, _ in told] == [other for _, other in told]
    assert [one[:2] for one, _ in told] == [(4, 0), (3, 1), (0, 4), (1, 5)]
    by_source = [stored(f"source, {STORED}")[start : start + 4] for start in (0, 4)]
    assert [row[1:] for row in by_source[0]] == [row[1:] for row in by_source[1]]
    assert [row[-2] for row in by_source[1]] == [1.5, 9.0, 1.5, 1.5]
    assert by_source[1][3][2] == "2025-06-01 00:00:00.000"
