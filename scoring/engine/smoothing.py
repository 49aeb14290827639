"""Gaussian smoothing over the cells of a grid."""

from functools import lru_cache
from typing import Final

import numpy as np
from scipy import sparse
from scipy.spatial import KDTree

from scoring.engine.arrays import Floats, SparseMatrix
from scoring.engine.grid import Grid

EARTH_RADIUS_KM: Final = 6_371.0088
REACH: Final = 3.0
SHORTEST_KM: Final = 1e-6
CELLS_AT_ONCE: Final = 2_048


def cell_spacing_km(grid: Grid) -> float:
    """Distance between the centres of neighbouring hexagons of the mean area."""
    return float(np.sqrt(grid.area_km2.mean() * 2.0 / np.sqrt(3.0)))


def unit_vectors(grid: Grid) -> Floats:
    """Centroids as points on the unit sphere, shape (n_cells, 3)."""
    lat, lon = np.radians(grid.lat), np.radians(grid.lon)
    return np.column_stack(
        [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]
    )


@lru_cache(maxsize=8)
def distances_km(grid: Grid, reach_km: float) -> SparseMatrix:
    """Distances between cells up to `reach_km`, kept; see `fresh_distances_km`."""
    return fresh_distances_km(grid, reach_km)


def fresh_distances_km(grid: Grid, reach_km: float) -> SparseMatrix:
    """Distances between cells up to `reach_km`, sparse (n_cells, n_cells).

    A cell lies at `SHORTEST_KM` from itself, so that the entry is kept. Pairs are
    found for some cells at a time: as such they take three times the memory.
    """
    points = unit_vectors(grid)
    tree = KDTree(points)
    parts = []
    for start in range(0, len(grid), CELLS_AT_ONCE):
        # Chords are shorter than arcs, by less than a thousandth up to 1,000 km.
        pairs = KDTree(points[start : start + CELLS_AT_ONCE]).sparse_distance_matrix(
            tree, reach_km / EARTH_RADIUS_KM, output_type="coo_matrix"
        )
        lengths = np.maximum(pairs.data * EARTH_RADIUS_KM, SHORTEST_KM)
        place = (pairs.row, pairs.col)
        parts.append(sparse.csr_array((lengths, place), shape=pairs.shape))
    return sparse.csr_array(sparse.vstack(parts, format="csr"))


@lru_cache(maxsize=8)
def gaussian_kernel(grid: Grid, bandwidth_cells: float) -> SparseMatrix:
    """Smoothing by a Gaussian of `bandwidth_cells` cell spacings.

    Columns sum to one: what lies in a cell is spread over its surroundings inside
    the grid and nothing is lost at the edge.
    """
    bandwidth_km = bandwidth_cells * cell_spacing_km(grid)
    kernel = distances_km(grid, REACH * bandwidth_km).copy()
    kernel.data = np.exp(-0.5 * np.square(kernel.data / bandwidth_km))
    totals = np.bincount(kernel.indices, kernel.data, len(grid))
    kernel.data /= totals[kernel.indices]
    return kernel
