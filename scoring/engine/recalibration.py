"""A monotone correction of the mean, taken up only where it helps."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import isotonic_regression

from scoring.engine.arrays import Floats
from scoring.engine.dispersion import Dispersion, log_mass
from scoring.engine.distributions import POISSON_LIMIT, event_probability
from scoring.engine.skill import calibration_error

N_BINS: Final = 40
EVENTS_PER_BIN: Final = 25.0
SMALLEST_IMPROVEMENT: Final = 0.1
LARGEST_LOG_FACTOR: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanCorrection:
    """Factor on the mean, as a function of the mean; none without knots.

    Attributes
    ----------
    log_mean, log_factor : tuple of float
        Knots between which the logarithm of the factor is linear, constant beyond.
    """

    log_mean: tuple[float, ...] = ()
    log_factor: tuple[float, ...] = ()

    def apply(self, mean: Floats) -> Floats:
        """Corrected mean, shape of `mean`."""
        if not self.log_mean:
            return mean
        place = np.log(np.maximum(mean, 1e-12))
        return mean * np.exp(np.interp(place, self.log_mean, self.log_factor))


def helpful_correction(
    mean: Floats, observed: Floats, dispersion: Dispersion
) -> MeanCorrection:
    """Isotonic regression of P(N >= 1) on forecasts, put into the mean.

    Fitted on the first half of the windows and kept only if it lowers the
    calibration error of the second half by a tenth and does not worsen its log
    score; then it is fitted on both.

    Parameters
    ----------
    mean, observed : ndarray of shape (n_windows, n_cells)
        Forecasts of windows that the model has not seen, ascending in time.
    dispersion : Dispersion
    """
    half = mean.shape[0] // 2
    if half == 0 or observed[:half].sum() < 2 * EVENTS_PER_BIN:
        return MeanCorrection()
    # The level is recalibrated anyway; what is judged here is the shape.
    levelled = mean * (observed[:half].sum() / mean[:half].sum())
    trial = fit_correction(levelled[:half], observed[:half], dispersion)
    before, after = (
        _errors(corrected, observed[half:], dispersion)
        for corrected in (levelled[half:], trial.apply(levelled[half:]))
    )
    is_better = after[0] <= (1.0 - SMALLEST_IMPROVEMENT) * before[0]
    if not is_better or after[1] > before[1]:
        return MeanCorrection()
    return fit_correction(mean, observed, dispersion)


def fit_correction(
    mean: Floats, observed: Floats, dispersion: Dispersion
) -> MeanCorrection:
    """Isotonic frequencies in bins of equal expectation, read as means.

    The mean of NB2 that gives a probability p is ((1 - p) ** -alpha - 1) / alpha.
    """
    order = np.argsort(mean, axis=None, kind="stable")
    means = mean.ravel()[order]
    happened = (observed.ravel()[order] > 0).astype(np.float64)
    expected = np.cumsum(means)
    n_bins = int(np.clip(happened.sum() / EVENTS_PER_BIN, 1, N_BINS))
    edges = np.searchsorted(expected, expected[-1] * np.arange(1, n_bins) / n_bins)
    starts = np.unique(np.append(0, edges))
    sizes = np.diff(np.append(starts, means.size))
    centre = np.add.reduceat(means, starts) / sizes
    frequency = np.add.reduceat(happened, starts) / sizes
    smooth = isotonic_regression(frequency, weights=sizes).x
    alpha = np.maximum(dispersion.alpha(centre), POISSON_LIMIT)
    implied = np.expm1(-alpha * np.log1p(-np.minimum(smooth, 1.0 - 1e-9))) / alpha
    factor = np.log(np.maximum(implied, 1e-12) / np.maximum(centre, 1e-12))
    bounded = np.clip(factor, -LARGEST_LOG_FACTOR, LARGEST_LOG_FACTOR)
    return MeanCorrection(
        log_mean=tuple(np.log(np.maximum(centre, 1e-12)).tolist()),
        log_factor=tuple(bounded.tolist()),
    )


def _errors(
    mean: Floats, observed: Floats, dispersion: Dispersion
) -> tuple[float, float]:
    """Calibration error and negative log score, lower is better for both."""
    alpha = dispersion.alpha(mean)
    probability = event_probability(mean, alpha)
    return (
        calibration_error(probability, observed),
        -float(log_mass(observed, mean, alpha).mean()),
    )
