"""Cells on flat maps: areas and places are right across the edges of the map too."""

import h3.api.basic_int as h3
import numpy as np
import orjson
import pytest

from scoring.selectors.cell_shapes import (
    MAX_LATITUDE,
    TileAddress,
    cell_feature,
    ring_of,
    rings_in_tile,
)

CHICAGO = h3.latlng_to_cell(41.85, -87.68, 8)
FIJI = h3.latlng_to_cell(-17.0, 179.95, 3)
NORTH_POLE = h3.latlng_to_cell(90.0, 0.0, 2)
SOUTH_POLE = h3.latlng_to_cell(-90.0, 0.0, 2)


def area(ring: list[tuple[float, float]]) -> float:
    x, y = np.array(ring).T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def test_a_cell_away_from_the_edges_is_one_polygon() -> None:
    geometry = orjson.loads(cell_feature(CHICAGO, b"{}"))["geometry"]
    assert geometry["type"] == "Polygon"
    (ring,) = geometry["coordinates"]
    assert ring[0] == ring[-1]
    assert len(ring) == 7


def test_a_cell_across_the_antimeridian_is_cut_there() -> None:
    feature = orjson.loads(cell_feature(FIJI, b'{"p_event":0.5}'))
    assert feature["geometry"]["type"] == "MultiPolygon"
    polygons = feature["geometry"]["coordinates"]
    lons = [[lon for lon, _ in ring] for (ring,) in polygons]
    assert [max(part) - min(part) < 3 for part in lons] == [True, True]
    assert sorted((min(part), max(part)) for part in lons) == [
        (-180.0, max(lons[1])),
        (min(lons[0]), 180.0),
    ]
    whole = area(ring_of(FIJI))
    parts = sum(area(ring) for (ring,) in polygons)
    assert parts == pytest.approx(whole, rel=1e-5)


@pytest.mark.parametrize(("cell", "pole"), [(NORTH_POLE, 90.0), (SOUTH_POLE, -90.0)])
def test_a_cell_over_a_pole_reaches_from_edge_to_edge(cell: int, pole: float) -> None:
    polygons = orjson.loads(cell_feature(cell, b"{}"))["geometry"]["coordinates"]
    points = [point for (ring,) in polygons for point in ring]
    assert min(lon for lon, _ in points) == -180.0
    assert max(lon for lon, _ in points) == 180.0
    assert {pole} == {lat for _, lat in points if abs(lat) > 89.5}


@pytest.mark.parametrize("zoom", [0, 1, 3, 5])
def test_the_tiles_of_a_zoom_share_out_every_cell(zoom: int) -> None:
    cells = np.array(
        sorted([*h3.grid_disk(FIJI, 4), h3.latlng_to_cell(0, 0, 3)]), dtype=np.uint64
    )
    shares = np.zeros(cells.size)
    for x in range(2**zoom):
        for y in range(2**zoom):
            tile = TileAddress(zoom=zoom, x=x, y=y)
            for row, ring in rings_in_tile(cells, tile, extent=4_096, margin=0):
                shares[row] += area(ring) / (4_096 * 2**zoom) ** 2 if ring else 0.0
    assert shares == pytest.approx([_mercator_area(c) for c in cells.tolist()])


def _mercator_area(cell: int) -> float:
    lon, lat = np.array(ring_of(cell)).T
    lat = np.radians(np.clip(lat, -MAX_LATITUDE, MAX_LATITUDE))
    y = np.log(np.tan(np.pi / 4 + lat / 2)) / (2 * np.pi)
    return area(list(zip((lon / 360).tolist(), y.tolist(), strict=True)))
