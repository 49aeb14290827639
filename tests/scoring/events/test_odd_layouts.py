"""Headers, separators, containers and other kinds of files."""

import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from analytics.ingest.presets import PRESETS
from tests.scoring.events.odd_files import MAP, bring, column, moments, refusal

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
T = "2023-05-01T00:00:00Z"
PLACED = f"{T};38.1;142.1;q1\r\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "odd.csv"


@pytest.mark.parametrize(
    ("header", "column_map", "options"),
    [
        (
            '\ufeff"Datum\n(UTC)";"Breite";"Länge";"Nr"\r\n',
            "occurred_at=Datum (UTC),lat=Breite,lon=Länge,external_id=Nr",
            (),
        ),
        (
            '"time, UTC, ISO 8601";"lat, WGS84";"lon, WGS84";"id"\n',
            (
                '"occurred_at=time, UTC, ISO 8601","lat=lat, WGS84","lon=lon, WGS84",'
                "external_id=id"
            ),
            (),
        ),
        ("sep=;\ntime;lat;lon;id\n", MAP, ()),
        ("time;lat;lon;id;;\n", MAP, ()),
        ("About this file\n\ntime;lat;lon;id\n", MAP, ("--skip-lines", "2")),
        ("# made by hand\ntime;lat;lon;id\n", MAP, ("--comment", "#")),
        ("", MAP, ("--columns", "time,lat,lon,id")),
        ("time;lat;lon;id\n", MAP, ("--delimiter", ";")),
    ],
)
def test_a_header_is_found(
    path: Path, header: str, column_map: str, options: tuple[str, ...]
) -> None:
    row = PLACED.replace("\r\n", ";;\r\n") if ";;" in header else PLACED

    report = bring(path, header + row, "--map", column_map, *options)

    assert (report["accepted"], report["rejected_count"]) == (1, 0)
    if not options:
        assert "--delimiter ';'" in report["decided"] or "sep=" in header
    assert column("external_id") == ["q1"]


def test_without_a_map_the_columns_and_a_map_are_shown(path: Path) -> None:
    text = "Case Number,Date,Latitude,Longitude\nA,2023-01-01,1,2\n"

    said = str(refusal(path, text, "--source", ""))

    assert "are: Case Number, Date, Latitude, Longitude" in said
    assert "occurred_at=Date,lat=Latitude,lon=Longitude" in said


POINT = {"type": "Point", "coordinates": [142.1, 38.1]}
FEATURE = {
    "type": "Feature",
    "id": "g1",
    "properties": {"time": 1682899200000, "mag": 4.1},
    "geometry": POINT,
}
RECORD = {"time": T, "id": "g1", "at": {"latitude": "38.1", "longitude": "142.1"}}
ESRI = {
    "spatialReference": {"wkid": 102100, "latestWkid": 3857},
    "features": [
        {
            "attributes": {"time": 1682899200000, "id": "g1"},
            "geometry": {"x": 15818499.6, "y": 4593562.1},
        }
    ],
}
NESTED = "occurred_at=time,lat=at.latitude,lon=at.longitude,external_id=id"


@pytest.mark.parametrize(
    ("name", "content", "column_map"),
    [
        ("e.geojson", {"type": "FeatureCollection", "features": [FEATURE]}, None),
        ("e.geojsonl", FEATURE, None),
        ("e.json", [FEATURE], None),
        ("e.json", [RECORD], NESTED),
        ("e.json", ESRI, "occurred_at=time,external_id=id"),
    ],
)
def test_json_of_many_kinds_is_read(
    tmp_path: Path, name: str, content: object, column_map: str | None
) -> None:
    chosen = column_map or "occurred_at=time,external_id=@id"

    report = bring(tmp_path / name, json.dumps(content), "--map", chosen)

    assert report["accepted"] == 1
    assert ("--time-format epoch_ms" in report["decided"]) == (content != [RECORD])
    assert moments() == ["2023-05-01T00:00:00.000"]
    ((lat, lon),) = column("lat", "lon")
    assert (round(lat, 2), round(lon, 2)) == (38.1, 142.1)


def test_lines_are_taken_by_their_middle_when_asked(tmp_path: Path) -> None:
    pytest.importorskip("shapely", reason="needs the extra geo")
    line = {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}
    text = json.dumps({"features": [FEATURE, {**FEATURE, "geometry": line, "id": "x"}]})
    words = ("--map", "occurred_at=time,external_id=@id")

    first = bring(tmp_path / "e.geojson", text, *words)
    asked = bring(tmp_path / "e.geojson", text, *words, "--point", "centroid")

    assert first["rejected_by_code"] == {"not_a_point": 1}
    assert asked["accepted"] == 1
    assert column("lat", "lon")[1] == (3.0, 2.0)


def test_structures_of_parquet_are_fields(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    table = pa.table({"time": [T], "at": [{"y": 1.0, "x": 2.0}], "id": [2.024e10]})
    sink = BytesIO()
    pq.write_table(table, sink)
    column_map = "occurred_at=time,lat=at.y,lon=at.x,external_id=id"

    bring(tmp_path / "e.parquet", sink.getvalue(), "--map", column_map)

    assert column("external_id", "lat", "lon") == [("20240000000", 1.0, 2.0)]


def test_a_geopackage_is_read_in_degrees(tmp_path: Path) -> None:
    raw = pytest.importorskip("pyogrio.raw", reason="needs the extra geo")
    shapely = pytest.importorskip("shapely")
    np = pytest.importorskip("numpy")
    made = tmp_path / "made.gpkg"
    places = np.array(shapely.to_wkb(shapely.points([[15818499.6, 4593562.1]])), object)
    fields = [np.array([T], dtype=object)]
    options = {"driver": "GPKG", "geometry_type": "Point", "crs": "EPSG:3857"}
    raw.write(made, places, fields, ["time"], **options)

    bring(tmp_path / "e.gpkg", made.read_bytes(), "--map", "occurred_at=time")

    ((lat, lon),) = column("lat", "lon")
    assert (round(lat, 2), round(lon, 2)) == (38.1, 142.1)


def zipped(name: str) -> bytes:
    sink = BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr(name, "time,lat,lon")
    return sink.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (zipped("data.csv"), "a ZIP archive of data.csv; unpack it: unzip -p"),
        (zipped("xl/workbook.xml"), "a spreadsheet; import it with --format geo"),
        (b"SQLite format 3\0", "a geographic file; import it with --format geo"),
        (b"%PDF-1.7", "a PDF document"),
        (b"<!DOCTYPE html><html>", "a web page, not data"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 or netCDF file"),
    ],
)
def test_what_is_not_read_is_named(path: Path, content: bytes, said: str) -> None:
    assert said in str(refusal(path, content, "--map", MAP))


def test_projected_coordinates_are_named(path: Path) -> None:
    text = f"time,lat,lon,id\n{T},4636610,448262,a\n{T},1,2,b\n"

    report = bring(path, text, "--map", MAP)

    assert "a distance on a map" in report["rejected"][0]["reason"]


def test_every_preset_is_documented() -> None:
    page = Path(__file__).parents[3] / "docs/ingestion.md"
    text = page.read_text(encoding="utf-8")
    for name, preset in PRESETS.items():
        assert f"--preset {name}" in text
        assert preset.where in text
