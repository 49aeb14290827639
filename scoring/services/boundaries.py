"""Boundaries of regions: what may be one, and the write that sets it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import h3.api.basic_int as h3
import numpy as np
from django.db import transaction

from analytics.ingest.features import projection_of
from scoring.engine.errors import EngineError
from scoring.engine.polygons import Ring, area_km2, find_crossing, length_km
from scoring.errors import BoundaryError
from scoring.models import Region
from scoring.services.regions import add_cells, lock_region, publish_region_changes

MAX_AREAS: Final = 2_000
MAX_POSITIONS: Final = 100_000
MAX_CELLS: Final = 200_000
# Each cell of a polygon is held against each of its edges: some ten seconds.
MAX_COMPARISONS: Final = 4_000_000_000
MIN_POSITIONS: Final = 4
# A tenth of a metre.
DECIMALS: Final = 6
TO_DEGREES: Final = "ogr2ogr -f GeoJSON -t_srs EPSG:4326 OUT.geojson IN"
SIMPLER: Final = "Simplify it: ogr2ogr -simplify 0.001 OUT.geojson IN."

# A hundredth of a square metre.
LEAST_SQUARE_DEGREES: Final = 1e-12

Polygon = list[Ring]


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """Named areas as a GeoJSON FeatureCollection of multipolygons, and their cells."""

    document: dict[str, Any]
    cells: frozenset[int]


def read_boundary(document: object, *, resolution: int) -> Boundary:
    """Check a GeoJSON document of polygons, and cover it with cells.

    Every cell that overlaps an area belongs to the boundary.

    Raises
    ------
    BoundaryError
        It is none, is larger than a region can be, or has outlines that cross
        themselves; the message says which area and what to do.
    """
    features: list[dict[str, Any]] = []
    polygons: list[Polygon] = []
    positions = MAX_POSITIONS
    for area in _areas(document):
        positions -= sum(len(ring) for rings in area.polygons for ring in rings)
        if positions < 0 or len(features) == MAX_AREAS:
            raise BoundaryError(
                f"The boundary has more than {MAX_POSITIONS:,} positions or"
                f" {MAX_AREAS:,} areas. {SIMPLER}"
            )
        features.append(area.as_feature())
        polygons += area.polygons
    if not features:
        raise BoundaryError("The boundary has no areas.")
    _check_size(polygons, resolution)
    return Boundary(
        document={"type": "FeatureCollection", "features": features},
        cells=frozenset(cell for it in polygons for cell in _cover(it, resolution)),
    )


@transaction.atomic
def set_boundary(region: Region, boundary: Boundary) -> int:
    """Say where a region is; give how many cells it got. Safe to repeat.

    Cells are added, never taken away: forecasts depend on them. From now on the region
    does not grow with its events.
    """
    lock_region(region)
    region.boundary = boundary.document
    region.save(update_fields=("boundary",))
    publish_region_changes(region)
    return add_cells(region, boundary.cells)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Area:
    name: str
    polygons: list[Polygon]

    def as_feature(self) -> dict[str, Any]:
        shown = [
            [np.round(ring, DECIMALS).tolist() for ring in rings]
            for rings in self.polygons
        ]
        return {
            "type": "Feature",
            "properties": {"name": self.name},
            "geometry": {"type": "MultiPolygon", "coordinates": shown},
        }


def _areas(document: object) -> Iterator[_Area]:
    known = document if isinstance(document, dict) else {}
    code = projection_of(known)
    if code is not None:
        raise BoundaryError(
            f"The boundary is in the coordinates EPSG:{code}, not in degrees. Convert"
            f" it: {TO_DEGREES}",
            field=("crs",),
        )
    match known.get("type"):
        case "FeatureCollection" if isinstance(known.get("features"), list):
            for index, feature in enumerate(known["features"]):
                yield _area(feature, ("features", index))
        case "Feature":
            yield _area(known, ())
        case "Polygon" | "MultiPolygon":
            yield _area({"type": "Feature", "geometry": known}, ())
        case other:
            raise BoundaryError(
                "A boundary is GeoJSON: a Polygon, a MultiPolygon, or features of"
                f" them, not {str(other)[:40]!r}.",
                field=("type",),
            )


def _area(feature: object, path: tuple[str | int, ...]) -> _Area:
    known = feature if isinstance(feature, dict) else {}
    properties, geometry = known.get("properties"), known.get("geometry")
    name = _name(properties if isinstance(properties, dict) else {})
    try:
        polygons = _polygons(geometry if isinstance(geometry, dict) else {})
    except _Unfit as reason:
        which = f"Area {path[-1] + 1}" if path and isinstance(path[-1], int) else "It"
        shown = f"{which} ({name[:60]!r})" if name else which
        raise BoundaryError(f"{shown} {reason}.", field=(*path, "geometry")) from None
    return _Area(name=name, polygons=polygons)


def _name(properties: Mapping[str, Any]) -> str:
    """Take the property `name`, else the first whose name ends so."""
    names = [it for it in properties if str(it).lower().endswith("name")]
    names.sort(key=lambda it: str(it).lower() != "name")
    found = properties[names[0]] if names else ""
    is_short = isinstance(found, str) or (
        isinstance(found, int) and abs(found) < 1 << 63
    )
    return str(found)[:200] if is_short else ""


class _Unfit(Exception):  # noqa: N818 - a reason, told as a BoundaryError
    """Says what is wrong with an area, as the rest of a sentence."""


def _polygons(geometry: Mapping[str, Any]) -> list[Polygon]:
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if not (isinstance(kind, str) and kind in {"Polygon", "MultiPolygon"}):
        raise _Unfit(f"is {str(kind)[:40]!r}, not a Polygon or a MultiPolygon")
    parts = [coordinates] if kind == "Polygon" else coordinates
    if not isinstance(parts, list) or not parts:
        raise _Unfit("is empty")
    return [_polygon(rings) for rings in parts]


def _polygon(rings: object) -> Polygon:
    if not isinstance(rings, list) or not rings:
        raise _Unfit("has a polygon without an outline")
    if sum(len(ring) for ring in rings if isinstance(ring, list)) > MAX_POSITIONS:
        raise _Unfit(f"has more than {MAX_POSITIONS:,} positions. {SIMPLER[:-1]}")
    polygon = [_ring(ring) for ring in rings]
    try:
        crossing = find_crossing(polygon)
    except EngineError:
        raise _Unfit(f"has too intricate an outline. {SIMPLER[:-1]}") from None
    if crossing is not None:
        lon, lat = crossing
        raise _Unfit(
            f"has an outline that crosses itself, near longitude {lon:g}, latitude"
            f" {lat:g}. Mend it: ogr2ogr -makevalid OUT.geojson IN"
        )
    if not all(map(_encloses_any, polygon)):
        raise _Unfit("has a ring that encloses nothing")
    return polygon


def _ring(given: object) -> Ring:
    positions = given if isinstance(given, list) else []
    if len(positions) < MIN_POSITIONS or positions[0] != positions[-1]:
        raise _Unfit("has a ring that is not closed, or of fewer than 4 positions")
    for position in positions:
        _check_position(position)
    ring = np.array([position[:2] for position in positions], dtype=np.float64)
    if np.abs(np.diff(ring[:, 0])).max() >= 180:
        raise _Unfit(
            "has an edge around half the globe. Cut it at the 180th meridian, as RFC"
            " 7946 says"
        )
    return ring


def _encloses_any(ring: Ring) -> bool:
    x, y = (ring - ring[0]).T
    return abs(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))) > LEAST_SQUARE_DEGREES


def _check_position(position: object) -> None:
    if not isinstance(position, list) or len(position) < 2:
        raise _Unfit("has a position that is no longitude and latitude")
    for value, most in zip(position[:2], (180, 90), strict=True):
        if type(value) not in {int, float}:
            raise _Unfit(f"has the coordinate {str(value)[:40]!r}, which is no number")
        if not -most <= value <= most:
            raise _Unfit(
                "lies outside the globe. Longitude comes before latitude, in degrees;"
                f" projected coordinates are converted by {TO_DEGREES}"
            )


def _check_size(polygons: list[Polygon], resolution: int) -> None:
    """Refuse what would have too many cells, or take too long to be covered."""
    count = sum(_cell_count(polygon, resolution) for polygon in polygons)
    if count > MAX_CELLS:
        fitting = (
            f"; at {lower} it would fit"
            for lower in range(resolution - 1, -1, -1)
            if sum(_cell_count(it, lower) for it in polygons) <= MAX_CELLS
        )
        raise BoundaryError(
            f"The boundary holds about {count:,.0f} cells of resolution {resolution},"
            f" a region at most {MAX_CELLS:,}{next(fitting, '')}."
        )
    comparisons = sum(
        _cell_count(polygon, resolution) * sum(map(len, polygon))
        for polygon in polygons
    )
    if comparisons > MAX_COMPARISONS:
        raise BoundaryError(f"The boundary has too many positions. {SIMPLER}")


def _cell_count(polygon: Polygon, resolution: int) -> float:
    """Estimate how many cells overlap a polygon: those inside and on its edges."""
    inside = area_km2(polygon[0]) / h3.average_hexagon_area(resolution, unit="km^2")
    edge_km = h3.average_hexagon_edge_length(resolution, unit="km")
    return float(inside + sum(map(length_km, polygon)) / edge_km)


def _cover(polygon: Polygon, resolution: int) -> list[int]:
    outline, *holes = (ring[:, ::-1].tolist() for ring in polygon)
    shape = h3.LatLngPoly(outline, *holes)
    cells: list[int] = h3.h3shape_to_cells_experimental(
        shape, resolution, contain="overlap"
    )
    return cells
