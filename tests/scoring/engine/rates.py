"""The rates behind the numbers of a forecast, jointly over all cells."""

import numpy as np
from scipy.special import gammaincinv

from scoring.engine.arrays import Floats
from scoring.engine.distributions import CellDistribution
from scoring.engine.scenarios import FactorCorrelation, joint_ranks


def draw_rates(
    forecast: CellDistribution,
    *,
    n_scenarios: int,
    seed: int,
    correlation: FactorCorrelation,
) -> Floats:
    """Gamma rates under which Poisson numbers are NB2, (n_scenarios, n_cells).

    They scatter with the whole dispersion of the numbers and move together as the
    copula of the scenarios says.
    """
    ranks = joint_ranks(
        forecast.mean.size, n_scenarios, seed=seed, correlation=correlation
    )
    shape = 1.0 / forecast.alpha
    unit = gammaincinv(shape, (ranks + 0.5) / n_scenarios)
    return np.asarray(unit * forecast.alpha * forecast.mean)
