"""Polygons in degrees: how large they are, and whether their edges cross."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.engine.errors import EngineError
from scoring.engine.smoothing import EARTH_RADIUS_KM

Ring = NDArray[np.float64]
# Edges nearer to each other than a tenth of a millimetre touch.
TOUCHING_DEGREES: Final = 1e-9
PAIRS_AT_ONCE: Final = 1_000_000
MAX_PAIRS: Final = 30_000_000


def area_km2(ring: Ring) -> float:
    """Area within a closed ring on the sphere, km², of either direction.

    Parameters
    ----------
    ring
        Longitude and latitude in degrees, shape (n_positions, 2), the first last.
    """
    lon, sine = np.radians(ring[:, 0]), np.sin(np.radians(ring[:, 1]))
    strips = np.diff(lon) * (sine[:-1] + sine[1:]) / 2
    return abs(float(strips.sum())) * EARTH_RADIUS_KM**2


def length_km(ring: Ring) -> float:
    """Length of a closed ring, km; see `area_km2`. Edges are short and so straight."""
    lon, lat = np.radians(ring).T
    east = np.diff(lon) * np.cos((lat[:-1] + lat[1:]) / 2)
    return float(np.hypot(east, np.diff(lat)).sum()) * EARTH_RADIUS_KM


def find_crossing(rings: Sequence[Ring]) -> tuple[float, float] | None:
    """Find a position near which two edges of a polygon cross; None where none do.

    Edges may touch. Memory is a few arrays of `PAIRS_AT_ONCE`.

    Parameters
    ----------
    rings
        The outline and the holes, each as `area_km2` takes it.

    Raises
    ------
    EngineError
        So many edges lie beside each other that it would take long.
    """
    starts = np.concatenate([ring[:-1] for ring in rings])
    ends = np.concatenate([ring[1:] for ring in rings])
    # Edges can only cross where their extents overlap, along either axis.
    axis = min((0, 1), key=lambda it: int(_overlaps(starts, ends, it)[1].sum()))
    order, counts = _overlaps(starts, ends, axis)
    if int(counts.sum()) > MAX_PAIRS:
        raise EngineError("The outline has too many edges beside each other.")
    starts, ends = starts[order], ends[order]
    total = np.cumsum(counts)
    for start in range(0, int(total[-1]), PAIRS_AT_ONCE):
        pair = np.arange(start, min(start + PAIRS_AT_ONCE, int(total[-1])))
        first = np.searchsorted(total, pair, side="right")
        second = first + 1 + pair - (total[first] - counts[first])
        crossing = first[_cross(starts, ends, first, second)]
        if crossing.size:
            lon, lat = starts[crossing[0]].tolist()
            return lon, lat
    return None


def _overlaps(
    starts: Ring, ends: Ring, axis: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Order edges along an axis; count for each the later ones that it reaches."""
    low = np.minimum(starts[:, axis], ends[:, axis])
    high = np.maximum(starts[:, axis], ends[:, axis])
    order = np.argsort(low, kind="stable")
    reached = np.searchsorted(low[order], high[order], side="right")
    return order, np.maximum(reached - np.arange(order.size) - 1, 0)


def _cross(
    starts: Ring, ends: Ring, first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Say of pairs of edges whether each has the ends of the other on both sides."""
    a, b, c, d = starts[first], ends[first], starts[second], ends[second]
    return _parts(a, b, c, d) & _parts(c, d, a, b)


def _parts(a: Ring, b: Ring, c: Ring, d: Ring) -> NDArray[np.bool_]:
    along = b - a
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), TOUCHING_DEGREES)
    sides = [
        (along[:, 0] * (to - a)[:, 1] - along[:, 1] * (to - a)[:, 0]) / length
        for to in (c, d)
    ]
    is_clear = np.minimum(*np.abs(sides)) > TOUCHING_DEGREES
    result: NDArray[np.bool_] = is_clear & ((sides[0] > 0) != (sides[1] > 0))
    return result
