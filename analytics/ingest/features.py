"""Features of GeoJSON and of ArcGIS as flat records, in degrees of WGS 84.

What a feature says outside its properties begins with `@`, apart from these.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from analytics.errors import EventFileError
from analytics.ingest.rows import BadRow
from analytics.ingest.rules import NOT_A_POINT
from riskplatform.kernel.extras import load_extra

POINT_COLUMNS = {"lat": "@lat", "lon": "@lon"}
EARTH_RADIUS_M = 6_378_137.0
MEMBERS = frozenset({"type", "geometry", "properties", "attributes", "id", "bbox"})
MERCATOR = frozenset({3857, 102100, 102113, 900913})
# Differ from WGS 84 by less than a few metres.
DEGREES = frozenset({4326, 4269, 4258, 4979, 84})
LAST_NUMBER = re.compile(r"(\d+)\s*\"?\s*$")


class FeatureReader:
    """Reads features; `beside` are the other members of their collection."""

    def __init__(
        self, *, file: str, beside: Mapping[str, Any], takes_centroids: bool
    ) -> None:
        self._file = file
        self._beside = beside
        self._takes_centroids = takes_centroids
        self._is_mercator: bool | None = None

    def read(self, feature: object) -> dict[str, Any] | BadRow:
        """Put what a feature says into one object; a plain object is one already."""
        if not isinstance(feature, dict):
            return BadRow(NOT_A_POINT)
        if not is_feature(feature):
            return feature
        geometry = feature.get("geometry")
        place = self._place_of(geometry) if isinstance(geometry, dict) else None
        if place is None:
            return BadRow(NOT_A_POINT)
        properties = feature.get("properties") or feature.get("attributes")
        record = dict(properties) if isinstance(properties, dict) else {}
        lon, lat = self._in_degrees(*place)
        return record | {"@lon": lon, "@lat": lat, "@id": feature.get("id")}

    def _place_of(self, geometry: Mapping[str, Any]) -> tuple[Any, Any] | None:
        kind: Any = geometry.get("type")
        coordinates: Any = geometry.get("coordinates")
        if "x" in geometry and "y" in geometry:
            return geometry["x"], geometry["y"]
        is_list = isinstance(coordinates, list)
        # One point in a list is a point.
        if kind == "MultiPoint" and is_list and len(coordinates) == 1:
            kind, coordinates = "Point", coordinates[0]
        if kind == "Point":
            is_place = isinstance(coordinates, list) and len(coordinates) >= 2
            return (coordinates[0], coordinates[1]) if is_place else None
        return self._centroid(geometry) if self._takes_centroids else None

    def _centroid(self, geometry: Mapping[str, Any]) -> tuple[Any, Any] | None:
        shapely = load_extra("shapely", extra="geo", purpose="--point centroid")
        shape = load_extra("shapely.geometry", extra="geo", purpose="--point centroid")
        try:
            centre = shape.shape(_as_geojson(geometry)).centroid
        except (ValueError, TypeError, AttributeError, shapely.errors.ShapelyError):
            return None
        return None if centre.is_empty else (centre.x, centre.y)

    def _in_degrees(self, x: Any, y: Any) -> tuple[Any, Any]:
        if self._is_mercator is None:
            self._is_mercator = self._uses_mercator()
        if not self._is_mercator or not _are_numbers(x, y):
            return x, y
        lat = math.atan(math.sinh(min(max(y / EARTH_RADIUS_M, -50), 50)))
        return (
            round(math.degrees(x / EARTH_RADIUS_M), 9),
            round(math.degrees(lat), 9),
        )

    def _uses_mercator(self) -> bool:
        code = projection_of(self._beside)
        if code is None:
            return False
        if code in MERCATOR:
            return True
        raise EventFileError(
            f"{self._file} has its places in the coordinates EPSG:{code}, not in"
            " degrees. Convert it first: ogr2ogr -f GeoJSON -t_srs EPSG:4326 OUT IN;"
            " a service of ArcGIS gives degrees for outSR=4326.",
            file=self._file,
        )


def is_feature(known: Mapping[str, Any]) -> bool:
    """Say whether an object is a feature of GeoJSON or of ArcGIS."""
    if "geometry" not in known:
        return False
    # Other objects may have a geometry too, among fields of their own.
    return known.get("type") == "Feature" or known.keys() <= MEMBERS


def projection_of(document: Mapping[str, Any]) -> int | None:
    """Give the code of the coordinates that a document names, if not degrees."""
    code = _code_of(document)
    return None if code in DEGREES else code


def _as_geojson(geometry: Mapping[str, Any]) -> Mapping[str, Any]:
    for name, kind in (("paths", "MultiLineString"), ("points", "MultiPoint")):
        if name in geometry:
            return {"type": kind, "coordinates": geometry[name]}
    if "rings" in geometry:
        return {"type": "Polygon", "coordinates": geometry["rings"]}
    return geometry


def _code_of(beside: Mapping[str, Any]) -> int | None:
    """Find the code of the coordinates, as ArcGIS or an old GeoJSON names it."""
    reference, named = beside.get("spatialReference"), beside.get("crs")
    if isinstance(reference, dict):
        code = reference.get("latestWkid") or reference.get("wkid")
        return code if isinstance(code, int) else None
    properties = named.get("properties") if isinstance(named, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    match = LAST_NUMBER.search(name) if isinstance(name, str) else None
    return int(match[1]) if match else None


def _are_numbers(*values: object) -> bool:
    return all(
        isinstance(it, int | float) and not isinstance(it, bool) and math.isfinite(it)
        for it in values
    )
