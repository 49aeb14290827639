"""From an expected number of events to the distribution of a cell's risk."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline
from scipy.special import gammaincinv, gammaln

from scoring.engine.arrays import Floats
from scoring.engine.errors import EngineError

SMALLEST_MEAN: Final = 1e-12
# Below this dispersion the gamma is a point to eight digits.
POISSON_LIMIT: Final = 1e-8
LOG_ALPHAS: Final = np.linspace(np.log(POISSON_LIMIT), 12.0, 4_096)
SMALLEST_QUANTILE: Final = 1e-200
QUANTILES: Final = (0.05, 0.50, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellDistribution:
    """What a forecast says about each cell, arrays of shape (n_cells,).

    Attributes
    ----------
    mean : ndarray
        Expected number of events within the horizon.
    alpha : ndarray
        NB2 dispersion: the variance of the number is mean + alpha * mean ** 2.
    p_event : ndarray
        Probability of at least one event, which is also the mean of the risk.
    q05, q50, q95 : ndarray
        Quantiles of the risk 1 - exp(-rate), the rate being gamma distributed.
    """

    mean: Floats
    alpha: Floats
    p_event: Floats
    q05: Floats
    q50: Floats
    q95: Floats


def distribution_of(mean: ArrayLike, alpha: ArrayLike) -> CellDistribution:
    """Distribution of the risk of each cell.

    The number of events is NB2(mean, alpha), that is Poisson with a rate drawn from
    Gamma(shape 1 / alpha, scale alpha * mean) (Cameron & Trivedi 2013, ch. 3), and
    the risk of a cell is 1 - exp(-rate).

    Parameters
    ----------
    mean : array_like of shape (n_cells,)
        Not negative.
    alpha : float or array_like of shape (n_cells,)
        Not negative; zero is the Poisson limit, in which all quantiles agree.
    """
    means = np.maximum(np.asarray(mean, dtype=np.float64), SMALLEST_MEAN)
    alphas = np.asarray(alpha, dtype=np.float64)
    if not np.isfinite(means).all() or np.any(alphas < 0):
        raise EngineError("Means are finite numbers and dispersions not negative.")
    q05, q50, q95 = (-np.expm1(-rate) for rate in rate_quantiles(means, alphas))
    return CellDistribution(
        mean=means,
        alpha=np.broadcast_to(alphas, means.shape),
        p_event=event_probability(means, alphas),
        q05=q05,
        q50=q50,
        q95=q95,
    )


def event_probability(mean: Floats, alpha: Floats) -> Floats:
    """P(N >= 1) of NB2: 1 - (1 + alpha * mean) ** (-1 / alpha), shape of `mean`."""
    safe = np.maximum(alpha, POISSON_LIMIT)
    exponent = np.where(alpha > POISSON_LIMIT, np.log1p(safe * mean) / safe, mean)
    return np.asarray(-np.expm1(-exponent))


def rate_quantiles(
    mean: Floats, alpha: Floats, levels: tuple[float, ...] = QUANTILES
) -> tuple[Floats, ...]:
    """Quantiles of the gamma distributed rate, one array of shape (n_cells,) each."""
    safe = np.maximum(alpha, POISSON_LIMIT)
    return tuple(
        np.where(alpha > POISSON_LIMIT, _unit_quantile(safe, level) * mean, mean)
        for level in levels
    )


def _unit_quantile(alpha: Floats, level: float) -> Floats:
    """Quantile of a gamma of mean one and variance alpha, shape of `alpha`."""
    held = np.clip(np.log(alpha), LOG_ALPHAS[0], LOG_ALPHAS[-1])
    return np.asarray(np.exp(_log_quantile_curve(level)(held)))


@lru_cache(maxsize=16)
def _log_quantile_curve(level: float) -> CubicSpline:
    """Logarithm of the quantile over the logarithm of alpha.

    Inverting the incomplete gamma function once per cell is ten times slower; the
    spline agrees to eight digits.
    """
    shape = np.exp(-LOG_ALPHAS)
    exact = gammaincinv(shape, level)
    # Where the quantile underflows, P(shape, x) is x ** shape / gamma(shape + 1).
    small = (np.log(level) + gammaln(shape + 1.0)) / shape
    safe = np.maximum(exact, SMALLEST_QUANTILE)
    log_quantile = np.where(exact > SMALLEST_QUANTILE, np.log(safe), small)
    return CubicSpline(LOG_ALPHAS, log_quantile + LOG_ALPHAS)
