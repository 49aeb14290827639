"""Joint scenarios of risk: many futures whose average is the forecast itself."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from scipy import sparse
from scipy.special import gammainc, gammaincinv, kv

from scoring.engine.arrays import Floats, Integers, SparseMatrix, product, row_scaled
from scoring.engine.distributions import (
    POISSON_LIMIT,
    CellDistribution,
    uncertain_hazard,
)
from scoring.engine.errors import EngineError
from scoring.engine.grid import Grid
from scoring.engine.smoothing import SHORTEST_KM, distances_km

SHARED: Final = 0.15
RING_WEIGHTS: Final = (1.0, 0.5, 0.35, 0.2)
CELLS_PER_BLOCK: Final = 4_096
# Beyond this many ranges nothing is left to mix in.
REACH_RANGES: Final = 1.3
N_RADII: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class SpatialCorrelation:
    """Correlation of two cells d km apart, of the normals behind their rates.

    shared + (1 - shared) * exp(-3 d / range_km).

    Attributes
    ----------
    shared : float
        Share of the variance that all cells have in common, in [0, 1).
    range_km : float
        Where a twentieth of the local correlation is left; zero where it is not
        known, neighbours then move together as the rings say.
    """

    shared: float = SHARED
    range_km: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FactorCorrelation:
    """How the cells of a scenario move together.

    Attributes
    ----------
    shared : float
        Share of the variance that all cells have in common, in [0, 1).
    neighbours : sparse array of shape (n_cells, n_cells), optional
        Mixes independent noise into a field of unit variance that varies smoothly
        in space; without it cells differ independently.
    """

    shared: float = SHARED
    neighbours: SparseMatrix | None = None


REGION_ONLY: Final = FactorCorrelation()


def correlation_of(
    grid: Grid, *, shared: float = SHARED, range_km: float = 0.0
) -> FactorCorrelation:
    """Correlation by a region-wide factor and a moving average over what is near.

    The average is over the rings, or over all cells within `range_km` where it is
    given.
    """
    mixing = range_mixing(grid, range_km) if range_km > 0 else ring_mixing(grid)
    return FactorCorrelation(shared=shared, neighbours=mixing)


@lru_cache(maxsize=8)
def ring_mixing(grid: Grid) -> SparseMatrix:
    """Moving average over the rings with rows of norm one."""
    mixing = row_scaled(grid.rings[0], np.full(len(grid), RING_WEIGHTS[0]))
    for weight, ring in zip(RING_WEIGHTS[1:], grid.rings[1:], strict=True):
        # A mean over k cells has norm 1 / sqrt(k); rings weigh by their norm.
        sizes = np.maximum(np.diff(ring.indptr), 1)
        mixing = sparse.csr_array(mixing + row_scaled(ring, weight * np.sqrt(sizes)))
    return _with_unit_rows(mixing)


@lru_cache(maxsize=8)
def range_mixing(grid: Grid, range_km: float) -> SparseMatrix:
    """Moving average under which cells d apart correlate as exp(-3 d / range_km).

    In the plane that is the kernel r ** -1/4 K_1/4(r) of r = 3 d / range_km, whose
    convolution with itself is the exponential; it takes the place of a Cholesky
    factor and stays sparse. Its mean square over the cell itself is finite.
    """
    decay_km = range_km / 3.0
    mixing = distances_km(grid, REACH_RANGES * range_km).copy()
    radius_km = np.sqrt(grid.area_km2.mean() / np.pi)
    middles = (np.arange(N_RADII) + 0.5) / N_RADII
    near = _exponential_root(middles * radius_km / decay_km)
    inside = np.sqrt(2.0 * np.mean(middles * np.square(near)))
    is_own = mixing.data <= SHORTEST_KM
    mixing.data[is_own] = inside
    mixing.data[~is_own] = _exponential_root(mixing.data[~is_own] / decay_km)
    return _with_unit_rows(mixing)


def factor_scenarios(
    distribution: CellDistribution,
    *,
    n_scenarios: int,
    seed: int,
    correlation: FactorCorrelation = REGION_ONLY,
) -> Floats:
    """Risk values drawn jointly over all cells: how well their rates are known.

    Margins are those of the quantiles of the forecast, dependence is a Gaussian factor
    copula. Every cell visits each of `n_scenarios` strata of equal probability
    exactly once, at the mean of the stratum (Latin hypercube sampling with
    dependence, Packham & Schmidt 2010), so that the mean over scenarios is `p_event`
    to rounding, for any number of scenarios.

    Parameters
    ----------
    distribution : CellDistribution
        Of all cells of the grid: a subset gets other dependence.
    n_scenarios : int
    seed : int
        Key of a counter-based generator: the same seed gives the same scenarios,
        whatever the number of processes.
    correlation : FactorCorrelation

    Returns
    -------
    ndarray of shape (n_scenarios, n_cells), in [0, 1]
    """
    if n_scenarios < 1:
        raise EngineError("Ask for at least one scenario.")
    ranks = joint_ranks(
        distribution.mean.size, n_scenarios, seed=seed, correlation=correlation
    )
    strata = _stratum_means(distribution, n_scenarios)
    return np.take_along_axis(strata, ranks, axis=0)


def _exponential_root(distance: Floats) -> Floats:
    return np.asarray(distance**-0.25 * kv(0.25, distance))


def _with_unit_rows(mixing: SparseMatrix) -> SparseMatrix:
    squares = np.add.reduceat(np.square(mixing.data), mixing.indptr[:-1])
    return row_scaled(mixing, 1.0 / np.sqrt(squares))


def joint_ranks(
    n_cells: int, n_scenarios: int, *, seed: int, correlation: FactorCorrelation
) -> Integers:
    """Rank of each scenario within each cell, int64 of shape (n_scenarios, n_cells)."""
    common = _normals(seed, stream=0, shape=(n_scenarios, 1))
    own = np.concatenate(
        [
            _normals(
                seed,
                stream=1 + start // CELLS_PER_BLOCK,
                shape=(min(CELLS_PER_BLOCK, n_cells - start), n_scenarios),
            )
            for start in range(0, n_cells, CELLS_PER_BLOCK)
        ]
    )
    if correlation.neighbours is not None:
        own = product(correlation.neighbours, own)
    shared = correlation.shared
    field = np.sqrt(shared) * common + np.sqrt(1.0 - shared) * own.T
    order = np.argsort(field, axis=0, kind="stable")
    ranks = np.empty(order.shape, dtype=np.int64)
    np.put_along_axis(ranks, order, np.arange(n_scenarios)[:, None], axis=0)
    return ranks


def _normals(seed: int, *, stream: int, shape: tuple[int, int]) -> Floats:
    generator = np.random.Philox(key=seed, counter=[0, 0, 0, stream])
    return np.random.Generator(generator).standard_normal(shape)


def _stratum_means(distribution: CellDistribution, n_scenarios: int) -> Floats:
    """Mean risk within each stratum of the hazard, (n_scenarios, n_cells), ascending.

    Within a gamma of shape 1 / variance, E[exp(-hazard); hazard < x] is
    E[exp(-hazard)] times the distribution function of the same shape at the hazard
    stretched by 1 + variance * mean.
    """
    hazard = uncertain_hazard(
        distribution.mean, distribution.alpha, distribution.rate_variance
    )
    is_certain = hazard.variance == 0.0
    safe = np.where(is_certain, POISSON_LIMIT, hazard.variance)
    edges = np.arange(1, n_scenarios)[:, None] / n_scenarios
    distinct, place = np.unique(safe, return_inverse=True)
    unit = gammaincinv(1.0 / distinct, edges)[:, place]
    below = gammainc(1.0 / safe, unit * (1.0 + safe * hazard.mean))
    padded = np.vstack([np.zeros_like(safe), below, np.ones_like(safe)])
    survival = 1.0 - distribution.p_event
    values = 1.0 - n_scenarios * survival * np.diff(padded, axis=0)
    scattered = np.clip(values, 0.0, 1.0)
    return np.where(is_certain, distribution.p_event, scattered)
