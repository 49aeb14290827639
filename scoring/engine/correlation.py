"""How much the cells of a forecast move together, from the scatter of their total."""

from dataclasses import replace
from typing import Final

import numpy as np
from scipy.special import gammaincinv, ndtri

from scoring.engine.arrays import Floats, product
from scoring.engine.distributions import POISSON_LIMIT, CellDistribution
from scoring.engine.grid import Grid
from scoring.engine.scenarios import (
    FactorCorrelation,
    SpatialCorrelation,
    correlation_of,
)

N_QUADRATURE: Final = 2_000
LARGEST_SHARED: Final = 0.95
BY_RINGS: Final = SpatialCorrelation()


def matched_correlation(
    grid: Grid,
    forecast: CellDistribution,
    *,
    region_alpha: float,
    spatial: SpatialCorrelation = BY_RINGS,
) -> FactorCorrelation:
    """Correlation under which the total scatters as `region_alpha` says.

    Meant are the gamma rates under which numbers are NB2: the variance of their sum
    is region_alpha times its mean squared. Draws of the risk, whose rates scatter less,
    move together by the same normals. What the cells on their own and their neighbours
    do not explain is left to the factor that all cells share; where neighbours alone
    would explain too much they are left out. Rates are less correlated than the normals
    behind them; the first two Hermite coefficients of the gamma give by how much
    (Embrechts, McNeil & Straumann 2002, sec. 4).

    Parameters
    ----------
    grid : Grid
    forecast : CellDistribution
        Of all cells of the grid.
    region_alpha : float
        NB2 dispersion of the total number of events.
    spatial : SpatialCorrelation
        Its range is how far neighbours move together. Its shared part, which pairs
        of cells gave, gives way to what the dispersion of the total asks for.
    """
    spread = np.sqrt(forecast.alpha) * forecast.mean
    own = float(np.square(spread).sum())
    pairs = max(float(spread.sum()) ** 2 - own, 1e-300)
    wanted = (region_alpha * float(forecast.mean.sum()) ** 2 - own) / pairs
    if wanted <= 0 or own <= 0:
        return FactorCorrelation(shared=0.0)
    typical = float(np.average(forecast.alpha, weights=spread))
    normal = _correlation_of_normals(min(wanted, 1.0), typical)
    local = correlation_of(grid, shared=0.0, range_km=spatial.range_km)
    near = _from_neighbours(local, spread, own, pairs)
    if near > normal:
        return FactorCorrelation(shared=min(normal, LARGEST_SHARED))
    shared = (normal - near) / max(1.0 - near, 1e-9)
    return replace(local, shared=float(np.clip(shared, 0.0, LARGEST_SHARED)))


def _correlation_of_normals(wanted: float, alpha: float) -> float:
    """Correlation of normals that gives gamma rates the correlation `wanted`."""
    levels = (np.arange(N_QUADRATURE) + 0.5) / N_QUADRATURE
    normal = ndtri(levels)
    rate = gammaincinv(1.0 / max(alpha, POISSON_LIMIT), levels)
    standard = (rate - rate.mean()) / rate.std()
    linear = float(np.mean(standard * normal)) ** 2
    curved = max(1.0 - linear, 0.0)
    if curved < 1e-6:
        return wanted
    # linear * r + curved * r ** 2 = wanted
    root = np.sqrt(linear**2 + 4.0 * curved * wanted)
    return float(min((root - linear) / (2.0 * curved), 1.0))


def _from_neighbours(
    local: FactorCorrelation, spread: Floats, own: float, pairs: float
) -> float:
    """Mean correlation of the locally smooth part over pairs of cells."""
    if local.neighbours is None:
        return 0.0
    gathered = product(local.neighbours.T.tocsr(), spread)
    return max((float(np.square(gathered).sum()) - own) / pairs, 0.0)
