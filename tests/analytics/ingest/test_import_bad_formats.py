"""What is wrong with NDJSON, GeoJSON and Parquet is told; the good rows are kept."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from analytics.errors import ColumnMapError, EventFileError
from analytics.ingest.column_map import ColumnMap
from analytics.ingest.features import POINT_COLUMNS
from analytics.ingest.files import FileFormat, format_of
from analytics.ingest.importer import ImportPlan, import_file
from analytics.ingest.report import ImportReport
from riskplatform.kernel import extras
from riskplatform.kernel.extras import MissingExtraError
from tests.support.chicago import NOW

pa = pytest.importorskip("pyarrow", reason="Parquet and zstd need the extra arrow")
pq = pytest.importorskip("pyarrow.parquet")
pytestmark = [
    pytest.mark.django_db(databases=["clickhouse"]),
    pytest.mark.usefixtures("empty_event_table"),
]
GOOD = '{"t": "2022-01-01T00:00Z", "at": {"y": 41.8, "x": -87.6}}'
NESTED = "occurred_at=t,lat=at.y,lon=at.x"


def point(number: int) -> str:
    geometry = {"type": "Point", "coordinates": [-87.6, 41.8]}
    properties = {"t": "2022-01-01T00:00Z", "n": number}
    return json.dumps({"geometry": geometry, "properties": properties})


def run(path: Path, plan: ImportPlan, column_map: str = NESTED) -> ImportReport:
    file_format = format_of(path)
    defaults = POINT_COLUMNS if file_format is FileFormat.GEOJSON else {}
    chosen = replace(
        plan,
        column_map=ColumnMap.parse(column_map, defaults=defaults),
        file_format=file_format,
    )
    return import_file(path, plan=chosen, now=NOW)


def test_a_bad_line_takes_no_other_along(tmp_path: Path, plan: ImportPlan) -> None:
    path = tmp_path / "e.ndjson"
    bad = ["{", "[1]", '{"t": "2022-01-01T00:00Z", "at": 3}', '{"t": "a\\u0000b"}']
    path.write_text("\n".join([GOOD, *bad, "", GOOD]), encoding="utf-8")

    report = run(path, plan)

    assert report.accepted == 2
    assert [(it.row, it.code.value) for it in report.rejected] == [
        (2, "bad_json"),
        (3, "bad_json"),
        (4, "missing_value"),
        (5, "nul_byte"),
    ]


def test_a_map_of_fields_that_no_row_has_is_refused(
    tmp_path: Path, plan: ImportPlan
) -> None:
    path = tmp_path / "e.ndjson"
    path.write_text(f"{GOOD}\n{GOOD}\n", encoding="utf-8")

    with pytest.raises(ColumnMapError) as caught:
        run(path, plan, "occurred_at=t,lat=lat,lon=at.x")

    assert caught.value.message == (
        "e.ndjson: none of the first 2 rows has lat. They have t, at."
    )


def test_features_that_are_no_points_are_refused(
    tmp_path: Path, plan: ImportPlan
) -> None:
    path = tmp_path / "e.geojson"
    line = '{"geometry": {"type": "LineString", "coordinates": []}}'
    features = ", ".join([point(1), line, "3", '{"geometry": null}', point(2)])
    path.write_text(f'{{"features": [{features}]}}', encoding="utf-8")

    report = run(path, plan, "occurred_at=t")

    assert report.accepted == 2
    assert report.rejected_by_code == {"not_a_point": 3}
    assert [it.row for it in report.rejected] == [2, 3, 4]


def test_features_before_a_break_are_kept(tmp_path: Path, plan: ImportPlan) -> None:
    path = tmp_path / "e.geojson"
    features = ", ".join(map(point, range(3_000)))
    path.write_text(f'{{"features": [{features}, {{"geom', encoding="utf-8")

    report = run(path, plan, "occurred_at=t")

    assert report.accepted == 3_000
    assert report.broken_off is not None
    assert report.broken_off.row == 3_001
    assert report.broken_off.reason.startswith("e.geojson is not readable as GeoJSON:")


@pytest.mark.parametrize("content", ["", "[]", '{"type": "Feature"}', "{", '{"a": 1'])
def test_what_is_no_collection_of_features_is_refused(
    tmp_path: Path, plan: ImportPlan, content: str
) -> None:
    path = tmp_path / "e.geojson"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(EventFileError, match="It should be a FeatureCollection"):
        run(path, plan, "occurred_at=t")


def test_parquet_without_the_columns_or_damaged_is_refused(
    tmp_path: Path, plan: ImportPlan
) -> None:
    path = tmp_path / "e.parquet"
    pq.write_table(pa.table({"t": ["2022-01-01T00:00Z"], "y": [41.8]}), path)

    with pytest.raises(ColumnMapError, match=r"there is no column x\."):
        run(path, plan, "occurred_at=t,lat=y,lon=x")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(EventFileError, match=r"e\.parquet cannot be read as Parquet"):
        run(path, plan, "occurred_at=t,lat=y,lon=x")


def test_a_missing_extra_is_named(
    tmp_path: Path, plan: ImportPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(extras, "import_module", absent)
    zstd = tmp_path / "e.csv.zst"
    zstd.write_bytes(b"\x28\xb5\x2f\xfd" + bytes(9))

    for path, what in [
        (tmp_path / "e.parquet", "A Parquet file"),
        (zstd, "A file packed with zstd"),
    ]:
        with pytest.raises(MissingExtraError) as caught:
            run(path, plan)
        assert caught.value.message == (
            f"{what} needs pyarrow, which is not installed."
            " Install it with pip install 'riskplatform[arrow]'."
        )
