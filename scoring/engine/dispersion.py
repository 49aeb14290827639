"""How much more the numbers scatter than Poisson: negative binomial by likelihood."""

from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

from scoring.engine.arrays import Floats

LOG_ALPHA_BOUNDS: Final = (-12.0, 6.0)
SLOPE_BOUNDS: Final = (-1.0, 1.0)
PRIOR_SCALES: Final = np.array([3.0, 0.3])


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispersion:
    """NB2 dispersion as a power of the mean: alpha = exp(intercept) * mean ** slope."""

    intercept: float = LOG_ALPHA_BOUNDS[0]
    slope: float = 0.0

    def alpha(self, mean: Floats) -> Floats:
        """Dispersion at each mean, shape of `mean`."""
        exponent = self.intercept + self.slope * np.log(np.maximum(mean, 1e-12))
        return np.exp(np.clip(exponent, *LOG_ALPHA_BOUNDS))

    def scaled(self, factor: float) -> Self:
        """The same curve times a factor."""
        return replace(self, intercept=self.intercept + float(np.log(factor)))


def fit_dispersion(
    mean: Floats, observed: Floats, *, weight: Floats | None = None
) -> Dispersion:
    """Maximise the NB2 likelihood over the dispersion, the means being given.

    A weak normal prior on the logarithm and the slope keeps a handful of events from
    bending the curve.

    Parameters
    ----------
    mean, observed, weight : ndarray of one shape
        Means from a model that has not seen these rows.
    """
    weights = np.ones_like(mean) if weight is None else weight
    events = float((weights * observed).sum())
    if events <= 0:
        return Dispersion()

    def loss(parameters: Floats) -> float:
        dispersion = Dispersion(intercept=parameters[0], slope=parameters[1])
        scores = log_mass(observed, mean, dispersion.alpha(mean))
        prior = 0.5 * np.square(parameters / PRIOR_SCALES).sum()
        return float((prior - (weights * scores).sum()) / events)

    best = minimize(
        loss,
        np.array([0.0, 0.0]),
        method="L-BFGS-B",
        bounds=[LOG_ALPHA_BOUNDS, SLOPE_BOUNDS],
    )
    return Dispersion(intercept=float(best.x[0]), slope=float(best.x[1]))


def log_mass(observed: Floats, mean: Floats, alpha: Floats) -> Floats:
    """Logarithm of P(N = observed) of NB2(mean, alpha), shape of `mean`."""
    safe_mean = np.maximum(mean, 1e-12)
    size = 1.0 / np.maximum(alpha, np.exp(LOG_ALPHA_BOUNDS[0]))
    # The two gammaln of a count of zero cancel, and most counts are zero.
    chosen = np.zeros(np.broadcast_shapes(observed.shape, size.shape))
    busy = np.broadcast_to(observed > 0, chosen.shape)
    counts = np.broadcast_to(observed, chosen.shape)[busy]
    sizes = np.broadcast_to(size, chosen.shape)[busy]
    chosen[busy] = gammaln(counts + sizes) - gammaln(sizes) - gammaln(counts + 1.0)
    ratio = safe_mean / size
    return np.asarray(
        chosen - size * np.log1p(ratio) + observed * (np.log(ratio) - np.log1p(ratio))
    )
