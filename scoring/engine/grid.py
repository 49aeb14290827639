"""The cells of a region, their geometry and their neighbourhoods."""

from dataclasses import dataclass
from itertools import pairwise

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from scoring.engine.arrays import Cells, Floats, Integers, SparseMatrix
from scoring.engine.errors import EngineError

RING_RADII = (0, 1, 2, 4)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """The H3 cells of one region, in ascending order of their index.

    Attributes
    ----------
    cells : ndarray of shape (n_cells,), uint64
    area_km2, lat, lon : ndarray of shape (n_cells,)
        Area and centroid (degrees) of each cell.
    rings : tuple of sparse arrays of shape (n_cells, n_cells)
        One per radius of `RING_RADII`: the row-normalised mean over the cells whose
        grid distance lies above the previous radius and up to this one. A row without
        such a cell inside the grid is empty, its mean reads as zero.
    """

    cells: Cells
    area_km2: Floats
    lat: Floats
    lon: Floats
    rings: tuple[SparseMatrix, ...]

    def __len__(self) -> int:
        return self.cells.size

    def index_of(self, cells: ArrayLike) -> Integers:
        """Positions of `cells` in the grid, -1 where a cell is not part of it."""
        return _positions(self.cells, np.asarray(cells, dtype=np.uint64))


def build_grid(cells: ArrayLike) -> Grid:
    """Describe a set of H3 cells.

    Parameters
    ----------
    cells : array_like of shape (n_cells,), uint64
        H3 indices of one resolution, in any order; repeats are dropped.

    Raises
    ------
    EngineError
        When the set is empty, mixes resolutions or holds something that is no cell.
    """
    unique = np.unique(np.asarray(cells, dtype=np.uint64))
    _require_one_resolution(unique)
    ids = unique.tolist()
    centroids = np.array([h3.cell_to_latlng(cell) for cell in ids], dtype=np.float64)
    area_km2 = np.array([h3.cell_area(cell, "km^2") for cell in ids], dtype=np.float64)
    return Grid(
        cells=unique,
        area_km2=area_km2,
        lat=centroids[:, 0].copy(),
        lon=centroids[:, 1].copy(),
        rings=_rings(unique),
    )


def _require_one_resolution(cells: Cells) -> None:
    if cells.size == 0:
        raise EngineError("A grid needs at least one cell.")
    if not all(h3.is_valid_cell(cell) for cell in cells.tolist()):
        raise EngineError("A grid holds H3 cells only; one of the numbers is none.")
    # Bits 52 to 55 of an H3 index hold its resolution.
    if np.unique((cells >> np.uint64(52)) & np.uint64(15)).size > 1:
        raise EngineError("All cells of a grid share one H3 resolution.")


def _rings(cells: Cells) -> tuple[SparseMatrix, ...]:
    disks = [
        [h3.grid_disk(cell, radius) for cell in cells.tolist()] for radius in RING_RADII
    ]
    members = [_membership(cells, disk) for disk in disks]
    rings = [members[0]] + [outer - inner for inner, outer in pairwise(members)]
    return tuple(_row_mean(ring) for ring in rings)


def _membership(cells: Cells, disks: list[Cells]) -> SparseMatrix:
    """Sparse 0/1 matrix of which cells of the grid lie in the disk of each cell."""
    lengths = np.array([disk.size for disk in disks])
    rows = np.repeat(np.arange(cells.size), lengths)
    columns = _positions(cells, np.concatenate(disks))
    inside = columns >= 0
    ones = np.ones(int(inside.sum()))
    shape = (cells.size, cells.size)
    return sparse.csr_array((ones, (rows[inside], columns[inside])), shape=shape)


def _row_mean(ring: SparseMatrix) -> SparseMatrix:
    ring.eliminate_zeros()
    sizes = np.maximum(np.diff(ring.indptr), 1)
    ring.data /= np.repeat(sizes, np.diff(ring.indptr))
    return ring


def _positions(sorted_cells: Cells, wanted: Cells) -> Integers:
    places = np.searchsorted(sorted_cells, wanted)
    places[places == sorted_cells.size] = 0
    return np.where(sorted_cells[places] == wanted, places, -1).astype(np.int64)
