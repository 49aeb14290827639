"""Outlines of countries, the base map of regions without areas of their own."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import shapefile

from analytics.grid import Bounds
from scoring.demo.datasets.packages import fetch_wheel

REQUIREMENT: Final = "geopandas==0.14.4"
SHA256: Final = "3bb6473cb59d51e1a7fe2dbc24a1a063fb0ebdeddf3ce08ddbf8c7ddc99689aa"
STEM: Final = "geopandas/datasets/naturalearth_lowres/naturalearth_lowres"
COORDINATE_DECIMALS: Final = 2

Ring = list[tuple[float, float]]


def load_countries(
    folder: Path, *, lat: Sequence[float], lon: Sequence[float]
) -> dict[str, Any]:
    """Give the countries near some places as a GeoJSON FeatureCollection.

    Natural Earth at 1:110 million (public domain). Of each country only the parts
    are given that reach into the box around the places.
    """
    box = Bounds(south=min(lat), north=max(lat), west=min(lon), east=max(lon))
    wheel = fetch_wheel(requirement=REQUIREMENT, sha256=SHA256, folder=folder)
    with zipfile.ZipFile(wheel) as archive:
        parts = {
            end: io.BytesIO(archive.read(f"{STEM}.{end}"))
            for end in ("shp", "shx", "dbf")
        }
    reader = shapefile.Reader(**parts, encoding="latin-1")
    features = []
    for record in reader.iterShapeRecords():
        polygons = _parts_inside(record.shape.__geo_interface__, box)
        if polygons:
            features.append(
                {
                    "type": "Feature",
                    "properties": {"name": record.record["name"]},
                    "geometry": {"type": "MultiPolygon", "coordinates": polygons},
                }
            )
    return {"type": "FeatureCollection", "features": features}


def _parts_inside(geometry: dict[str, Any], box: Bounds) -> list[list[Any]]:
    polygons = geometry["coordinates"]
    if geometry["type"] == "Polygon":
        polygons = [polygons]
    return [
        [_rounded(ring) for ring in rings]
        for rings in polygons
        if _reaches_into(rings[0], box)
    ]


def _reaches_into(outer: Ring, box: Bounds) -> bool:
    lons, lats = [x for x, _ in outer], [y for _, y in outer]
    in_width = min(lons) <= box.east and max(lons) >= box.west
    return in_width and min(lats) <= box.north and max(lats) >= box.south


def _rounded(ring: Ring) -> list[list[float]]:
    return [
        [round(x, COORDINATE_DECIMALS), round(y, COORDINATE_DECIMALS)] for x, y in ring
    ]
