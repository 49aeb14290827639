"""A boundary comes by the API, with an import and by the admin."""

import json
import zipfile
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from scoring.models import Region
from scoring.selectors.regions import get_boundary, list_cell_ids
from tests.scoring.regions.boundaries import LAT, LON, collection, polygon, square
from tests.support.factories import DAY_S, make_region

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
ADDRESS = "/api/v1/regions/chicago/boundary"
MAP = "occurred_at=time,lat=y,lon=x,external_id=id"
SQUARE = collection(polygon(square()), name="Centre")


def put(client: Client, document: Any) -> Any:
    return client.put(ADDRESS, json.dumps(document), content_type="application/json")


def bring(folder: Path, boundary: Path, *more: str) -> dict[str, Any]:
    path, out = folder / "e.csv", StringIO()
    inside, outside = f"{LAT},{LON},a", f"{LAT + 2},{LON},b"
    path.write_text(
        f"time,y,x,id\n2023-05-01T10:00:00Z,{inside}\n2023-05-01T10:00:00Z,{outside}\n",
        encoding="utf-8",
    )
    words = ["--region", "chicago", "--source", "s", "--map", MAP, "--json"]
    words += ["--boundary", str(boundary), "--rejections", str(folder / "r.csv")]
    call_command("import_events", str(path), *words, *more, stdout=out)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def names_of(region: Region) -> list[str]:
    return [it["properties"]["name"] for it in get_boundary(region)["features"]]


def drawn(folder: Path, document: Any) -> Path:
    path = folder / "b.geojson"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def shapefile_of(folder: Path) -> Path:
    """Write the square as a zipped Shapefile in the coordinates of web maps."""
    raw = pytest.importorskip("pyogrio.raw", reason="needs the extra geo")
    shapely = pytest.importorskip("shapely")
    at = np.array(
        [
            (x * 111_319.49, 6_378_137 * np.arctanh(np.sin(np.radians(y))))
            for x, y in square()
        ]
    )
    shapes = np.array([shapely.to_wkb(shapely.polygons(at))], dtype=object)
    made = folder / "made.shp"
    options = {"driver": "ESRI Shapefile", "geometry_type": "Polygon"}
    fields = [np.array(["Centre"], dtype=object)]
    raw.write(made, shapes, fields, ["NAME"], crs="EPSG:3857", **options)
    path = folder / "b.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in folder.glob("made.*"):
            archive.write(part, f"areas/{part.name}")
    return path


def test_forecasts_go_on_and_kept_answers_are_new(
    admin: Client, published_forecast: Region
) -> None:
    asked = f"/api/v1/risk-map?region=chicago&horizon_sec={DAY_S}"
    before = admin.get(asked).json()
    assert admin.get(ADDRESS).json()["features"] == []

    assert put(admin, SQUARE).status_code == 204

    assert admin.get(ADDRESS).json()["features"][0]["properties"] == {"name": "Centre"}
    assert admin.get(asked).json() == before
    cells = admin.get("/api/v1/regions/chicago").json()["cell_count"]
    assert cells == len(list_cell_ids(published_forecast)) > len(before["aggregated"])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "malformed_body"),
        ("[]", 422, "invalid_input"),
        ('{"type": "Point", "coordinates": [1, 2]}', 422, "invalid_input"),
        ('{"type": "Feature", "geometry": null}', 422, "boundary_invalid"),
        ('{"type":"Polygon","coordinates":' + "[" * 9_000, 422, "invalid_input"),
        ('{"type":"Feature","geometry":{"a":' + "[" * 9_000, 400, "malformed_body"),
        (json.dumps(polygon(square(1e6))), 422, "boundary_invalid"),
        (" " * 2_700_000, 413, "body_too_large"),
    ],
)
def test_hostile_bodies_change_nothing(
    body: str, status: int, code: str, admin: Client
) -> None:
    make_region()

    answer = admin.put(ADDRESS, body, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert Region.objects.get().boundary is None


def test_an_import_makes_a_region_of_a_boundary(tmp_path: Path) -> None:
    report = bring(tmp_path, drawn(tmp_path, SQUARE), "--create")

    assert (report["accepted"], report["rejected_count"]) == (1, 1)
    assert report["rejected"][0]["code"] == "outside_region"
    region = Region.objects.get()
    assert names_of(region) == ["Centre"]
    assert 20 < region.cells.count() < 60


def test_a_rehearsal_knows_the_boundary_and_leaves_nothing(tmp_path: Path) -> None:
    report = bring(tmp_path, drawn(tmp_path, SQUARE), "--create", "--dry-run")

    assert (report["accepted"], report["rejected_count"]) == (1, 1)
    assert not Region.objects.exists()


def test_a_shapefile_gives_a_region_its_boundary_in_degrees(tmp_path: Path) -> None:
    region = make_region(rings=0)

    bring(tmp_path, shapefile_of(tmp_path))

    region.refresh_from_db()
    assert names_of(region) == ["Centre"]
    (area,) = get_boundary(region)["features"]
    (((first, *_),),) = area["geometry"]["coordinates"]
    assert any(np.allclose(first, corner, atol=1e-3) for corner in square())
    assert region.cells.count() > 20


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("b.geojson", b"{", "is not JSON"),
        ("b.geojson", b"\x1f\x8b\x08", "gzip file ends"),
        ("b.csv", b"a,b", "is no boundary by its name"),
        ("b.geojson", json.dumps(polygon(square(1e6))).encode(), "ogr2ogr"),
        ("b.gpkg", b"nothing", "cannot be read"),
        ("none.geojson", None, "does not exist"),
    ],
)
def test_a_file_that_is_no_boundary_is_a_sentence(
    name: str, content: bytes | None, said: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(CommandError, match=said):
        bring(tmp_path, path, "--create")

    assert not Region.objects.exists()


def form_of(admin: Client, region: Region, content: Any) -> Any:
    address = reverse("admin:scoring_region_change", args=[region.pk])
    file = SimpleUploadedFile("b.geojson", json.dumps(content).encode())
    fields = {"name": "C", "timezone": "UTC", "severity_transform": "none"}
    return admin.post(address, {**fields, "boundary_file": file})


def test_the_admin_takes_a_file(admin: Client) -> None:
    region = make_region(rings=0)

    refused = form_of(admin, region, polygon([[0, 0], [1, 1], [1, 0], [0, 2], [0, 0]]))
    assert "crosses itself" in refused.content.decode()
    assert form_of(admin, region, SQUARE).status_code == 302

    region.refresh_from_db()
    assert names_of(region) == ["Centre"]
    assert region.cells.count() > 20
