"""Boundaries to try."""

from typing import Any

from tests.support.factories import CENTRE

LAT, LON = CENTRE
Position = list[float]


def square(side: float = 0.05, *, lon: float = LON, lat: float = LAT) -> list[Position]:
    """Give the outline of a square around a place; `side` in degrees."""
    near = side / 2
    corners = [(-near, -near), (near, -near), (near, near), (-near, near)]
    return [[lon + x, lat + y] for x, y in (*corners, corners[0])]


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def collection(*geometries: Any, **properties: Any) -> dict[str, Any]:
    features = [
        {"type": "Feature", "properties": properties, "geometry": geometry}
        for geometry in geometries
    ]
    return {"type": "FeatureCollection", "features": features}
