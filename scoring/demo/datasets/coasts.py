"""Finds places near the sea, from the outlines of countries."""

from typing import Any, Final

import numpy as np

from scoring.engine.arrays import Flags, Floats

KM_PER_DEGREE: Final = 111.2
BEARINGS: Final = 16


def near_sea(
    lat: Floats, lon: Floats, *, countries: dict[str, Any], within_km: float
) -> Flags:
    """Return for each place whether a point that far away lies in no country.

    `countries` is a GeoJSON FeatureCollection of multipolygons; lakes are land there.
    """
    is_near = np.zeros(lat.size, dtype=np.bool_)
    for angle in np.linspace(0.0, 2.0 * np.pi, BEARINGS, endpoint=False):
        north = within_km / KM_PER_DEGREE * np.cos(angle)
        east = within_km / KM_PER_DEGREE * np.sin(angle) / np.cos(np.radians(lat))
        is_near |= ~_on_land(lat + north, lon + east, countries)
    return is_near


def _on_land(lat: Floats, lon: Floats, countries: dict[str, Any]) -> Flags:
    on_land = np.zeros(lat.size, dtype=np.bool_)
    for feature in countries["features"]:
        for rings in feature["geometry"]["coordinates"]:
            outer = np.array(rings[0])
            low, high = outer.min(axis=0), outer.max(axis=0)
            near = np.flatnonzero(
                (lon >= low[0]) & (lon <= high[0]) & (lat >= low[1]) & (lat <= high[1])
            )
            inside = np.zeros(near.size, dtype=np.bool_)
            for ring in rings:
                inside ^= _is_inside(lat[near], lon[near], np.array(ring))
            on_land[near] |= inside
    return on_land


def _is_inside(lat: Floats, lon: Floats, ring: Floats) -> Flags:
    """Count the edges east of each place: an odd number of them is inside."""
    inside = np.zeros(lat.size, dtype=np.bool_)
    for (x1, y1), (x2, y2) in zip(ring[:-1].tolist(), ring[1:].tolist(), strict=True):
        crosses = (y1 > lat) != (y2 > lat)
        if crosses.any():
            inside ^= crosses & (lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1)
    return inside
