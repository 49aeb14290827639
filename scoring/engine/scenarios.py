"""Joint scenarios of risk: many futures whose average is the forecast itself."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse
from scipy.special import gammainc, gammaincinv

from scoring.engine.arrays import Floats, Integers, SparseMatrix, product, row_scaled
from scoring.engine.distributions import POISSON_LIMIT, CellDistribution
from scoring.engine.errors import EngineError
from scoring.engine.grid import Grid

SHARED: Final = 0.15
RING_WEIGHTS: Final = (1.0, 0.5, 0.35, 0.2)
CELLS_PER_BLOCK: Final = 4_096


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


def correlation_of(grid: Grid, *, shared: float = SHARED) -> FactorCorrelation:
    """Correlation by a region-wide factor and a moving average over the rings."""
    mixing = row_scaled(grid.rings[0], np.full(len(grid), RING_WEIGHTS[0]))
    for weight, ring in zip(RING_WEIGHTS[1:], grid.rings[1:], strict=True):
        # A mean over k cells has norm 1 / sqrt(k); rings weigh by their norm.
        sizes = np.maximum(np.diff(ring.indptr), 1)
        mixing = sparse.csr_array(mixing + row_scaled(ring, weight * np.sqrt(sizes)))
    squares = np.add.reduceat(np.square(mixing.data), mixing.indptr[:-1])
    neighbours = row_scaled(mixing, 1.0 / np.sqrt(squares))
    return FactorCorrelation(shared=shared, neighbours=neighbours)


def factor_scenarios(
    distribution: CellDistribution,
    *,
    n_scenarios: int,
    seed: int,
    correlation: FactorCorrelation = REGION_ONLY,
) -> Floats:
    """Risk values 1 - exp(-rate) drawn jointly over all cells.

    Margins are the gamma rates of the forecast, dependence is a Gaussian factor
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
    ranks = _joint_ranks(distribution.mean.size, n_scenarios, seed, correlation)
    strata = _stratum_means(distribution, n_scenarios)
    return np.take_along_axis(strata, ranks, axis=0)


def _joint_ranks(
    n_cells: int, n_scenarios: int, seed: int, correlation: FactorCorrelation
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
    """Mean risk within each stratum of the rate, (n_scenarios, n_cells), ascending.

    Within the gamma of shape 1 / alpha, E[exp(-rate); rate < x] is (1 + alpha *
    mean) ** (-1 / alpha) times the distribution function of the same shape at the
    rate stretched by 1 + alpha * mean.
    """
    mean, alpha = distribution.mean, distribution.alpha
    safe = np.maximum(alpha, POISSON_LIMIT)
    edges = np.arange(1, n_scenarios)[:, None] / n_scenarios
    distinct, place = np.unique(safe, return_inverse=True)
    unit = gammaincinv(1.0 / distinct, edges)[:, place]
    below = gammainc(1.0 / safe, unit * (1.0 + safe * mean))
    padded = np.vstack([np.zeros_like(mean), below, np.ones_like(mean)])
    survival = 1.0 - distribution.p_event
    values = 1.0 - n_scenarios * survival * np.diff(padded, axis=0)
    scattered = np.clip(values, 0.0, 1.0)
    return np.where(alpha > POISSON_LIMIT, scattered, distribution.p_event)
