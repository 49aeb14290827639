"""From an expected number of events to the distribution of a cell's risk."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline
from scipy.special import gammaincinv

from scoring.engine.arrays import Floats
from scoring.engine.errors import EngineError

SMALLEST_MEAN: Final = 1e-12
# Below this dispersion the gamma is a point to eight digits.
POISSON_LIMIT: Final = 1e-8
# The 90 % interval of such a rate spans a factor of a thousand.
LARGEST_RATE_VARIANCE: Final = 2.0
LOG_VARIANCES: Final = np.linspace(
    np.log(POISSON_LIMIT), np.log(LARGEST_RATE_VARIANCE), 2_048
)
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
    rate_variance : ndarray
        Variance of the rate over its squared mean: how well `mean` is known.
    p_event : ndarray
        Probability of at least one event, which is also the mean of the risk.
    q05, q50, q95 : ndarray
        Quantiles of the risk, the probability of an event at the uncertain rate.
        q05 <= q50 <= q95 and q05 <= p_event <= q95.
    """

    mean: Floats
    alpha: Floats
    rate_variance: Floats
    p_event: Floats
    q05: Floats
    q50: Floats
    q95: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UncertainHazard:
    """The hazard of each cell, gamma distributed; its risk is 1 - exp(-hazard).

    Attributes
    ----------
    mean, variance : ndarray of shape (n_cells,)
        The variance is relative to the squared mean; zero where it is negligible.
    """

    mean: Floats
    variance: Floats


def distribution_of(
    mean: ArrayLike, alpha: ArrayLike, rate_variance: ArrayLike
) -> CellDistribution:
    """Distribution of the risk of each cell.

    The number of events is NB2(mean, alpha); how it clusters is no part of the
    quantiles. They say how well the rate is known (see `uncertain_hazard`).

    Parameters
    ----------
    mean : array_like of shape (n_cells,)
        Not negative.
    alpha : float or array_like of shape (n_cells,)
        Not negative; zero is the Poisson limit.
    rate_variance : float or array_like of shape (n_cells,)
        Not negative; with zero all quantiles are `p_event`. Taken for at most alpha,
        since the dispersion of numbers holds what is not known of their rate, and
        for at most `LARGEST_RATE_VARIANCE`.
    """
    means = np.maximum(np.asarray(mean, dtype=np.float64), SMALLEST_MEAN)
    alphas = np.asarray(alpha, dtype=np.float64)
    variances = np.asarray(rate_variance, dtype=np.float64)
    if not (
        np.isfinite(means).all() and (alphas >= 0).all() and (variances >= 0).all()
    ):
        raise EngineError(
            "Means are finite numbers, dispersions and variances not negative."
        )
    alphas = np.broadcast_to(alphas, means.shape)
    held = np.minimum(np.minimum(variances, alphas), LARGEST_RATE_VARIANCE)
    p_event = event_probability(means, alphas)
    q05, q50, q95 = _risk_quantiles(uncertain_hazard(means, alphas, held))
    return CellDistribution(
        mean=means,
        alpha=alphas,
        rate_variance=held,
        p_event=p_event,
        # They hold it by themselves, except where the risk is one to eleven digits.
        q05=np.minimum(q05, p_event),
        q50=q50,
        q95=np.maximum(q95, p_event),
    )


def event_probability(mean: Floats, alpha: Floats) -> Floats:
    """P(N >= 1) of NB2: 1 - (1 + alpha * mean) ** (-1 / alpha), shape of `mean`."""
    return np.asarray(-np.expm1(-_hazard(mean, alpha)))


def uncertain_hazard(
    mean: Floats, alpha: Floats, rate_variance: Floats
) -> UncertainHazard:
    """Hazard -ln(1 - P(N >= 1)) of each cell, whose rate is uncertain.

    NB2 is a Poisson number of clusters (Quenouille 1949), whose rate is the hazard
    ln(1 + alpha * mean) / alpha. The hazard is taken for gamma distributed, with the
    variance that `rate_variance` gives to first order (the hazard is concave in the
    mean), and with the mean under which the risk averages to P(N >= 1).

    Parameters
    ----------
    mean, alpha, rate_variance : ndarray of shape (n_cells,)
        As in `CellDistribution`.
    """
    hazard = _hazard(mean, alpha)
    elasticity = mean / ((1.0 + alpha * mean) * hazard)
    variance = rate_variance * np.square(elasticity)
    is_certain = variance <= POISSON_LIMIT
    safe = np.where(is_certain, POISSON_LIMIT, variance)
    # E[exp(-gamma)] is (1 + variance * its mean) ** (-1 / variance).
    raised = np.expm1(safe * hazard) / safe
    return UncertainHazard(
        mean=np.where(is_certain, hazard, raised),
        variance=np.where(is_certain, 0.0, variance),
    )


def _hazard(mean: Floats, alpha: Floats) -> Floats:
    safe = np.maximum(alpha, POISSON_LIMIT)
    return np.where(alpha > POISSON_LIMIT, np.log1p(safe * mean) / safe, mean)


def _risk_quantiles(hazard: UncertainHazard) -> tuple[Floats, ...]:
    held = np.log(np.maximum(hazard.variance, POISSON_LIMIT))
    factors = np.exp(_log_quantiles()(held))
    factors[..., hazard.variance == 0.0] = 1.0
    return tuple(-np.expm1(-factor * hazard.mean) for factor in factors)


@lru_cache(maxsize=1)
def _log_quantiles() -> Callable[[Floats], Floats]:
    """Logs of the `QUANTILES` of a gamma of mean one, over the log of its variance.

    Inverting the incomplete gamma function once per cell is ten times slower; the
    spline agrees to eight digits.
    """
    variance = np.exp(LOG_VARIANCES)
    levels = np.array(QUANTILES)[:, None]
    exact = np.log(gammaincinv(1.0 / variance, levels) * variance)
    spline = CubicSpline(LOG_VARIANCES, exact, axis=1)
    return lambda log_variance: np.asarray(spline(log_variance))
