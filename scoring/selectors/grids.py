"""The grids of regions, cached: relating the cells of a region takes a while."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scoring.engine.grid import Grid, build_grid
from scoring.models import Region
from scoring.selectors.regions import list_cell_ids

MAX_GRIDS = 8


def grid_of_region(region: Region) -> Grid:
    """Give the grid of a region as it is now: one query."""
    return grid_of(list_cell_ids(region))


def grid_of(cells: NDArray[np.uint64]) -> Grid:
    """Give the grid of a region's cells, ascending; it is shared, so only read it."""
    return _grid(cells.tobytes())


@lru_cache(maxsize=MAX_GRIDS)
def _grid(cells: bytes) -> Grid:
    return build_grid(np.frombuffer(cells, dtype=np.uint64))
