"""What may be the boundary of a region, and what a region becomes by it."""

from typing import Any

import h3.api.basic_int as h3
import pytest

from scoring.errors import BoundaryError
from scoring.models import Region
from scoring.selectors.regions import list_cell_ids
from scoring.services import boundaries
from scoring.services.boundaries import read_boundary, set_boundary
from scoring.services.regions import define_region
from tests.scoring.regions.boundaries import LAT, LON, collection, polygon, square
from tests.support.factories import RESOLUTION, make_region

SQUARE = polygon(square())
BOW = polygon([[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]])
MERCATOR = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}


def read(document: object) -> boundaries.Boundary:
    return read_boundary(document, resolution=RESOLUTION)


@pytest.mark.parametrize(
    "document",
    [
        SQUARE,
        {"type": "Feature", "properties": None, "geometry": SQUARE},
        collection({"type": "MultiPolygon", "coordinates": [[square()]]}),
        {**SQUARE, "crs": {"type": "name", "properties": {"name": "EPSG:4326"}}},
        polygon([[*position, 7.5] for position in square()]),
    ],
)
def test_polygons_however_they_are_wrapped_are_areas(document: Any) -> None:
    found = read(document)

    (feature,) = found.document["features"]
    assert feature["geometry"]["coordinates"] == [
        [[[round(x, 6), round(y, 6)] for x, y in square()]]
    ]
    assert h3.latlng_to_cell(LAT, LON, RESOLUTION) in found.cells
    assert 20 < len(found.cells) < 60


def test_areas_have_names_and_holes_have_no_cells() -> None:
    whole, hole = square(0.2), square(0.1)
    found = read(collection(polygon(whole, hole), NAME="North", id=3))

    assert found.document["features"][0]["properties"] == {"name": "North"}
    assert h3.latlng_to_cell(LAT, LON, RESOLUTION) not in found.cells
    assert h3.latlng_to_cell(LAT + 0.08, LON, RESOLUTION) in found.cells


def test_an_area_smaller_than_a_cell_is_in_one() -> None:
    assert len(read(polygon(square(1e-5))).cells) == 1


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (None, "A boundary is GeoJSON"),
        ({"type": "Topology", "objects": {}}, "not 'Topology'"),
        ({"type": "FeatureCollection", "features": "many"}, "A boundary is GeoJSON"),
        ({"type": "FeatureCollection", "features": []}, "has no areas"),
        ({"type": "Point", "coordinates": [1, 2]}, "not 'Point'"),
        (collection({"type": "Point", "coordinates": [1, 2]}), "is 'Point', not a Pol"),
        (collection(None, name="A"), "Area 1 ('A') is 'None', not a Polygon"),
        (collection(SQUARE, BOW, name="B"), "Area 2 ('B') has an outline that crosses"),
        ({"type": "FeatureCollection", "features": [7]}, "Area 1 is 'None'"),
        ({"type": "MultiPolygon", "coordinates": []}, "It is empty"),
        (collection({"type": [], "coordinates": 1}), "not a Polygon"),
        (polygon(), "is empty|without an outline"),
        (polygon([]), "not closed, or of fewer than 4"),
        (polygon(square()[:-1]), "not closed"),
        (polygon([[1, 2]] * 5), "encloses nothing"),
        (polygon([[0, 0], [1, 1], [2, 2], [0, 0]]), "encloses nothing"),
        (polygon([["0", "0"], [1, 1], [2, 0], ["0", "0"]]), "'0', which is no number"),
        (polygon([[True, 0], [1, 1], [2, 0], [True, 0]]), "which is no number"),
        (polygon([[float("inf"), 0], [1, 1], [2, 0], [float("inf"), 0]]), "the globe"),
        (polygon([[10**400, 0], [1, 1], [2, 0], [10**400, 0]]), "outside the globe"),
        (polygon([[1], [2], [3], [1]]), "no longitude and latitude"),
        (polygon(square(50_000, lon=448_262, lat=4_636_610)), "ogr2ogr -f GeoJSON -t_"),
        (polygon(square(1, lon=LAT, lat=LON * 2)), "Longitude comes before latitude"),
        (polygon(square(1, lon=270)), "lies outside the globe"),
        (polygon([[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]), "180"),
        (polygon(square(40)), "cells of resolution 8, a region at most .*it would fit"),
        ({**SQUARE, "crs": MERCATOR}, "coordinates EPSG:3857, not in degrees"),
    ],
)
def test_what_is_no_boundary_is_refused_with_the_reason(
    document: Any, said: str
) -> None:
    with pytest.raises(
        BoundaryError, match=said.replace("(", r"\(").replace(")", r"\)")
    ):
        read(document)


def test_too_many_positions_and_areas_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(boundaries, "MAX_POSITIONS", 12)
    assert len(read(collection(SQUARE, SQUARE)).document["features"]) == 2
    with pytest.raises(BoundaryError, match="more than 12 positions"):
        read(collection(SQUARE, SQUARE, SQUARE))
    monkeypatch.setattr(boundaries, "MAX_AREAS", 1)
    with pytest.raises(BoundaryError, match="1 areas"):
        read(collection(SQUARE, SQUARE))


def test_what_would_take_long_to_cover_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(boundaries, "MAX_COMPARISONS", 100)
    with pytest.raises(BoundaryError, match="Simplify it"):
        read(SQUARE)


@pytest.mark.django_db
@pytest.mark.databases
def test_a_region_gets_the_cells_and_keeps_those_that_it_has() -> None:
    region, far = make_region(rings=0), h3.latlng_to_cell(42.5, -87.68, RESOLUTION)
    define_region(region, cells=[far])

    boundary = read(SQUARE)
    assert set_boundary(region, boundary) == len(boundary.cells) - 1
    assert set_boundary(region, boundary) == 0

    assert set(list_cell_ids(region).tolist()) == {*boundary.cells, far}
    assert Region.objects.get().boundary == boundary.document
