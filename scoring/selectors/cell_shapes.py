"""Outlines of H3 cells on flat maps, also across the antimeridian and the poles."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

from scoring.cell_ids import hex_of

# Web Mercator is a square that ends here.
MAX_LATITUDE: Final = 85.051128779806604
DECIMALS: Final = 6
# A pentagon can have ten corners; two more close a cell over a pole.
MOST_CORNERS: Final = 12

# In units of a tile: what is smaller is not seen.
SMALLEST_SIDE: Final = 0.5

Point = tuple[float, float]
Ring = list[Point]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorldRings:
    """Cells on the square of Web Mercator, x eastwards and y southwards from 0 to 1.

    `corners` (n_cells, MOST_CORNERS, 2) repeats the last corner of shorter rings; x
    may leave the square for cells across the antimeridian. `low` and `high`
    (n_cells, 2) are the boxes around them.
    """

    corners: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TileAddress:
    zoom: int
    x: int
    y: int


def cell_feature(cell: int, properties: dict[str, Any]) -> dict[str, Any]:
    """Draw a cell as GeoJSON: longitude first, cut at the antimeridian (RFC 7946)."""
    polygons = [[_closed(ring)] for ring in _cut_at_antimeridian(ring_of(cell))]
    geometry: dict[str, Any] = {"type": "MultiPolygon", "coordinates": polygons}
    if len(polygons) == 1:
        geometry = {"type": "Polygon", "coordinates": polygons[0]}
    return {
        "type": "Feature",
        "id": hex_of(cell),
        "properties": properties,
        "geometry": geometry,
    }


def ring_of(cell: int) -> Ring:
    """Give the corners as (lon, lat); longitudes go on where the globe begins anew.

    The ring around a pole spans 360 degrees and is closed along the pole.
    """
    corners = h3.cell_to_boundary(cell)
    lat = [corner[0] for corner in (*corners, corners[0])]
    lon = np.unwrap([corner[1] for corner in (*corners, corners[0])], period=360.0)
    ring = list(zip(lon.tolist(), lat, strict=True))
    if abs(ring[-1][0] - ring[0][0]) < 180.0:
        return ring[:-1]
    pole = 90.0 if lat[0] > 0 else -90.0
    return [*ring, (ring[-1][0], pole), (ring[0][0], pole)]


def rings_in_tile(
    cells: NDArray[np.uint64], tile: TileAddress, *, extent: int, margin: int
) -> Iterator[tuple[int, Ring]]:
    """Yield the position and the ring of each cell that reaches into a tile.

    Rings are in units of the tile, cut `margin` units outside its edges.
    """
    world, scale = _world_rings(cells.tobytes()), 2.0**tile.zoom
    corner = np.array([tile.x, tile.y])
    low, high = -float(margin), float(extent + margin)
    for turn in (-1.0, 0.0, 1.0):
        shift = np.array([turn, 0.0])
        starts = ((world.low + shift) * scale - corner) * extent
        ends = ((world.high + shift) * scale - corner) * extent
        is_seen = (starts < high) & (ends > low) & (ends - starts >= SMALLEST_SIDE)
        rows = np.flatnonzero(is_seen.all(axis=1))
        placed = ((world.corners[rows] + shift) * scale - corner) * extent
        is_whole = np.all((starts[rows] >= low) & (ends[rows] <= high), axis=1)
        for row, points, whole in zip(
            rows.tolist(), placed.tolist(), is_whole.tolist(), strict=True
        ):
            ring = [(x, y) for x, y in points]
            yield row, ring if whole else _cut_to_box(ring, low, high)


@lru_cache(maxsize=8)
def _world_rings(cells: bytes) -> WorldRings:
    """Project the cells of a region; it keeps its cells, so this is kept too."""
    ids = np.frombuffer(cells, dtype=np.uint64)
    corners = np.array([_padded(ring_of(cell)) for cell in ids.tolist()])
    lat = np.radians(np.clip(corners[..., 1], -MAX_LATITUDE, MAX_LATITUDE))
    x = (corners[..., 0] + 180.0) / 360.0
    y = 0.5 - np.arcsinh(np.tan(lat)) / (2.0 * np.pi)
    world = np.stack([x, y], axis=2)
    return WorldRings(corners=world, low=world.min(axis=1), high=world.max(axis=1))


def _padded(ring: Ring) -> Ring:
    return ring + ring[-1:] * (MOST_CORNERS - len(ring))


def _cut_at_antimeridian(ring: Ring) -> Iterator[Ring]:
    """Yield the parts of a ring on each turn of the globe, within -180 and 180."""
    for turn in (-360.0, 0.0, 360.0):
        part = _kept_below(ring, axis=0, limit=turn + 180.0)
        part = _kept_below(part, axis=0, limit=turn - 180.0, sign=-1)
        if len(part) > 2:
            yield [(lon - turn, lat) for lon, lat in part]


def _cut_to_box(ring: Ring, low: float, high: float) -> Ring:
    for axis in (0, 1):
        ring = _kept_below(ring, axis=axis, limit=high)
        ring = _kept_below(ring, axis=axis, limit=low, sign=-1)
    return ring


def _kept_below(ring: Ring, *, axis: int, limit: float, sign: int = 1) -> Ring:
    """Keep of a convex ring what is at most `limit`; at least, with `sign` -1.

    One step of the algorithm of Sutherland and Hodgman (1974).
    """
    kept: Ring = []
    for start, end in zip(ring, ring[1:] + ring[:1], strict=True):
        before, after = sign * (start[axis] - limit), sign * (end[axis] - limit)
        if before <= 0:
            kept.append(start)
        if before * after < 0:
            share = before / (before - after)
            kept.append(
                (
                    start[0] + share * (end[0] - start[0]),
                    start[1] + share * (end[1] - start[1]),
                )
            )
    return kept


def _closed(ring: Ring) -> list[list[float]]:
    corners = [[round(lon, DECIMALS), round(lat, DECIMALS)] for lon, lat in ring]
    return [*corners, corners[0]]
