"""Cells in larger blocks: forecasts must be right in total as well as in each cell."""

from functools import lru_cache
from typing import Final

import h3.api.numpy_int as h3
import numpy as np
from scipy import sparse

from scoring.engine.arrays import Floats, SparseMatrix
from scoring.engine.grid import Grid

LEVELS_UP: Final = 2


@lru_cache(maxsize=16)
def block_sums(grid: Grid) -> SparseMatrix:
    """Sum over the cells of each block, sparse (n_blocks, n_cells).

    A block holds the cells under one H3 cell two resolutions coarser, 49 inside a
    large grid.
    """
    finest = h3.get_resolution(int(grid.cells[0]))
    coarse = max(finest - LEVELS_UP, 0)
    parents = np.array(
        [h3.cell_to_parent(cell, coarse) for cell in grid.cells.tolist()],
        dtype=np.uint64,
    )
    names, block = np.unique(parents, return_inverse=True)
    ones = np.ones(len(grid))
    shape = (names.size, len(grid))
    return sparse.csr_array((ones, (block, np.arange(len(grid)))), shape=shape)


def in_blocks(grid: Grid, values: Floats) -> Floats:
    """Values of shape (n_origins, n_cells) summed to (n_origins, n_blocks)."""
    return np.asarray(values @ block_sums(grid).T)
