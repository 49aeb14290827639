"""Outlines of H3 cells on flat maps, also across the antimeridian and the poles."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import h3.api.basic_int as h3
import msgspec
import numpy as np
from numpy.typing import NDArray

# Web Mercator is a square that ends here.
MAX_LATITUDE: Final = 85.051128779806604
DECIMALS: Final = 6
# A pentagon can have ten corners; two more close a cell over a pole.
MOST_CORNERS: Final = 12

# Outlines are written once; one takes some 400 bytes.
MOST_GEOMETRIES: Final = 50_000
FEATURE: Final = b'{"type":"Feature","id":"%x","properties":%b,"geometry":%b}'

# Corners as numbers of Python take ten times what they do in an array.
CELLS_AT_ONCE: Final = 1_000
# In units of a tile: what is smaller is not seen.
SMALLEST_SIDE: Final = 0.5

# Around the globe, for cells across the antimeridian.
TURNS: Final = (-1.0, 0.0, 1.0)

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


def cell_feature(cell: int, properties: bytes) -> bytes:
    """Draw a cell as GeoJSON; `properties` is an object as JSON."""
    return FEATURE % (cell, properties, _geometry(cell))


@lru_cache(maxsize=MOST_GEOMETRIES)
def _geometry(cell: int) -> bytes:
    """Write the outline: longitude first, cut at the antimeridian (RFC 7946)."""
    polygons = [
        [[[round(x, DECIMALS), round(y, DECIMALS)] for x, y in (*ring, ring[0])]]
        for ring in _cut_at_antimeridian(ring_of(cell))
    ]
    geometry: dict[str, Any] = {"type": "MultiPolygon", "coordinates": polygons}
    if len(polygons) == 1:
        geometry = {"type": "Polygon", "coordinates": polygons[0]}
    return msgspec.json.encode(geometry)


def ring_of(cell: int) -> Ring:
    """Give the corners as (lon, lat); longitudes go on beyond 180 degrees.

    The ring around a pole spans 360 degrees and is closed along the pole.
    """
    corners = h3.cell_to_boundary(cell)
    longitudes = [corner[1] for corner in corners]
    if max(longitudes) - min(longitudes) < 180.0:
        return [(lon, lat) for lat, lon in corners]
    lat = [corner[0] for corner in (*corners, corners[0])]
    lon = np.unwrap([corner[1] for corner in (*corners, corners[0])], period=360.0)
    ring = list(zip(lon.tolist(), lat, strict=True))
    if abs(ring[-1][0] - ring[0][0]) < 180.0:
        return ring[:-1]
    pole = 90.0 if lat[0] > 0 else -90.0
    return [*ring, (ring[-1][0], pole), (ring[0][0], pole)]


def count_in_tile(
    cells: NDArray[np.uint64], tile: TileAddress, *, extent: int, margin: int
) -> int:
    """Count the rings that `rings_in_tile` gives, without making them."""
    world = _world_rings(cells.tobytes())
    shown = (_shown(world, tile, turn, extent, margin) for turn in TURNS)
    return sum(rows.size for rows, _ in shown)


def rings_in_tile(
    cells: NDArray[np.uint64], tile: TileAddress, *, extent: int, margin: int
) -> Iterator[tuple[int, Ring]]:
    """Yield the position and the ring of each cell that reaches into a tile.

    Rings are in units of the tile, cut `margin` units outside its edges.
    """
    world = _world_rings(cells.tobytes())
    low, high = -float(margin), float(extent + margin)
    for turn in TURNS:
        shown, is_whole = _shown(world, tile, turn, extent, margin)
        for start in range(0, shown.size, CELLS_AT_ONCE):
            rows = shown[start : start + CELLS_AT_ONCE]
            placed = _placed(world.corners[rows], tile, turn, extent)
            for row, points in zip(rows.tolist(), placed.tolist(), strict=True):
                ring = [(x, y) for x, y in points]
                yield row, ring if is_whole[row] else _cut_to_box(ring, low, high)


def _shown(
    world: WorldRings, tile: TileAddress, turn: float, extent: int, margin: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Give the rows of the cells seen in a tile, and of all whether they are whole."""
    low, high = -float(margin), float(extent + margin)
    starts = _placed(world.low, tile, turn, extent)
    ends = _placed(world.high, tile, turn, extent)
    is_seen = (starts < high) & (ends > low) & (ends - starts >= SMALLEST_SIDE)
    is_whole = np.all((starts >= low) & (ends <= high), axis=1)
    return np.flatnonzero(is_seen.all(axis=1)), is_whole


def _placed(
    points: NDArray[np.float64], tile: TileAddress, turn: float, extent: int
) -> NDArray[np.float64]:
    """Turn points of the world, `turn` times around it, into units of a tile."""
    shift, corner = np.array([turn, 0.0]), np.array([tile.x, tile.y])
    placed: NDArray[np.float64] = ((points + shift) * 2.0**tile.zoom - corner) * extent
    return placed


@lru_cache(maxsize=8)
def _world_rings(cells: bytes) -> WorldRings:
    """Project the cells of a region; they seldom change, so this is cached."""
    ids = np.frombuffer(cells, dtype=np.uint64)
    parts = np.array_split(ids, ids.size // CELLS_AT_ONCE + 1)
    # It looks at no deadline: every request after it would begin it again.
    corners = np.concatenate(
        [
            np.array([_padded(ring_of(cell)) for cell in part.tolist()])
            for part in parts
            if part.size
        ]
    )
    lat = np.radians(np.clip(corners[..., 1], -MAX_LATITUDE, MAX_LATITUDE))
    x = (corners[..., 0] + 180.0) / 360.0
    y = 0.5 - np.arcsinh(np.tan(lat)) / (2.0 * np.pi)
    world = np.stack([x, y], axis=2)
    return WorldRings(corners=world, low=world.min(axis=1), high=world.max(axis=1))


def _padded(ring: Ring) -> Ring:
    return ring + ring[-1:] * (MOST_CORNERS - len(ring))


def _cut_at_antimeridian(ring: Ring) -> Iterator[Ring]:
    """Yield the parts of a ring on each turn of the globe, within -180 and 180."""
    if all(-180.0 < lon < 180.0 for lon, _ in ring):
        yield ring
        return
    for turn in (-360.0, 0.0, 360.0):
        part = _clipped(ring, axis=0, limit=turn + 180.0)
        part = _clipped(part, axis=0, limit=turn - 180.0, sign=-1)
        if len(part) > 2:
            yield [(lon - turn, lat) for lon, lat in part]


def _cut_to_box(ring: Ring, low: float, high: float) -> Ring:
    for axis in (0, 1):
        ring = _clipped(ring, axis=axis, limit=high)
        ring = _clipped(ring, axis=axis, limit=low, sign=-1)
    return ring


def _clipped(ring: Ring, *, axis: int, limit: float, sign: int = 1) -> Ring:
    """Clip a convex ring to what is at most `limit`; at least, with `sign` -1.

    One step of the algorithm of Sutherland and Hodgman (1974).
    """
    clipped: Ring = []
    for start, end in zip(ring, ring[1:] + ring[:1], strict=True):
        before, after = sign * (start[axis] - limit), sign * (end[axis] - limit)
        if before <= 0:
            clipped.append(start)
        if before * after < 0:
            share = before / (before - after)
            clipped.append(
                (
                    start[0] + share * (end[0] - start[0]),
                    start[1] + share * (end[1] - start[1]),
                )
            )
    return clipped
