"""One forecast in memory, for services that are compared with the platform.

PEER_FORECAST names an npz file: columns of cells, and a draw (n_scenarios, n_cells).
PEER_HEAD holds what an answer says of the forecast, as JSON.
"""

import os
from typing import Any, Final

import h3.api.basic_int as h3
import numpy as np
import orjson
from numpy.typing import NDArray

COLUMNS: Final = ("p_event", "q05", "q50", "q95")
HEAD: Final[dict[str, Any]] = orjson.loads(os.environ["PEER_HEAD"])

with np.load(os.environ["PEER_FORECAST"], allow_pickle=False) as _arrays:
    CELLS: Final[NDArray[np.uint64]] = _arrays["cells"]
    VALUES: Final = {name: _arrays[name] for name in COLUMNS}
    DRAW: Final[NDArray[np.float64]] = _arrays["draw"]


def rows_of(cells: list[int]) -> NDArray[np.int64]:
    wanted = np.array(cells, dtype=np.uint64)
    rows = np.searchsorted(CELLS, wanted).clip(max=CELLS.size - 1)
    if (CELLS[rows] != wanted).any():
        raise ValueError("A cell is not part of the forecast.")
    return rows


CENTRES: Final = np.array([h3.cell_to_latlng(cell) for cell in CELLS.tolist()])


def rows_inside(bbox: str) -> NDArray[np.int64]:
    """Find the cells whose centre is in a box: west, south, east and north."""
    west, south, east, north = map(float, bbox.split(","))
    lat, lon = CENTRES[:, 0], CENTRES[:, 1]
    is_inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return np.flatnonzero(is_inside)


def outline_of(cell: int) -> list[list[float]]:
    """Give the ring of a cell as GeoJSON has it."""
    ring = [[round(lon, 6), round(lat, 6)] for lat, lon in h3.cell_to_boundary(cell)]
    return [*ring, ring[0]]
