"""Count intervals that hold as often as they say: a conformal shift of levels."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import expit

from scoring.engine.arrays import Flags, Floats, Integers
from scoring.engine.skill import INTERVAL_LEVEL, cumulative, interval_coverage

# Dense at both ends, where intervals that are far too narrow need it.
LEVELS: Final = np.concatenate([[0.0], expit(np.linspace(-12.0, 12.0, 73)), [1.0]])
MOST_BANDS: Final = 10
# Forecasts that a band of rates needs before it gets a shift of its own.
CASES_PER_BAND: Final = 500
FEWEST_CASES: Final = 40
# Weight of the identity, in forecasts.
PRIOR_CASES: Final = 20.0
SMALLEST_IMPROVEMENT: Final = 0.002
LOG_SCALES: Final = np.linspace(-2.0, 2.0, 41)
SMALLEST_WIDTH: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalShift:
    """Which level the forecast's cumulative probability really has, by rate band.

    It moves the intervals of numbers of events and nothing else: the probability of
    an event and the quantiles of the risk belong to one uncertain rate, whose
    identities a shift of single quantiles would break.

    Attributes
    ----------
    log_mean : tuple of float
        Borders between bands of the mean, ascending; one band without borders.
    levels : tuple of float
        Of each band, one after the other, the level at each of `LEVELS`; empty
        where nothing is shifted.
    """

    log_mean: tuple[float, ...] = ()
    levels: tuple[float, ...] = ()

    def apply(self, below: Floats, mean: Floats) -> Floats:
        """Shifted P(N <= n), given the forecast's own and its mean, of one shape."""
        if not self.levels:
            return below
        band = _bands(mean, self.log_mean)
        shifted = np.empty_like(below)
        for number, levels in enumerate(_by_band(self.levels)):
            shifted[band == number] = np.interp(below[band == number], LEVELS, levels)
        return shifted


def helpful_shift(mean: Floats, alpha: Floats, observed: Floats) -> IntervalShift:
    """Fit a shift, or none where it brings coverage no nearer to what it should be.

    Split conformal prediction on the randomised transform (Vovk 2013): each half of
    the windows is judged by the shift that the other one gives, and only if the
    coverage of both together improves all windows give the shift.

    Parameters
    ----------
    mean, alpha, observed : ndarray of shape (n_windows,) or (n_windows, n_cells)
        Forecasts of windows, ascending in time.
    """
    half = mean.shape[0] // 2
    if min(half, mean.size // 2) < FEWEST_CASES:
        return IntervalShift()
    parts = [(mean[s], alpha[s], observed[s]) for s in (slice(half), slice(half, None))]
    shifts = [fit_shift(*part) for part in reversed(parts)]
    raw, shifted = 0.0, 0.0
    for part, shift in zip(parts, shifts, strict=True):
        share = part[0].size / mean.size
        raw += share * _coverage(*part, IntervalShift())
        shifted += share * _coverage(*part, shift)
    improvement = abs(raw - INTERVAL_LEVEL) - abs(shifted - INTERVAL_LEVEL)
    if improvement < SMALLEST_IMPROVEMENT:
        return IntervalShift()
    return fit_shift(mean, alpha, observed)


def fit_shift(mean: Floats, alpha: Floats, observed: Floats) -> IntervalShift:
    """Distribution of the randomised transform within bands of the mean.

    Zeros are no special case: a number spreads evenly over the probability that it
    has, which is what the transform does on average over its randomness.
    """
    n_bands = int(np.clip(mean.size // CASES_PER_BAND, 1, MOST_BANDS))
    log_mean = np.log(np.maximum(mean, SMALLEST_WIDTH))
    borders = np.quantile(log_mean, np.arange(1, n_bands) / n_bands)
    edges = tuple(np.unique(borders).tolist())
    band = _bands(mean, edges)
    lower = cumulative(observed - 1.0, mean, alpha)
    upper = cumulative(observed, mean, alpha)
    levels = [
        _level_curve(lower, upper, band == number) for number in range(len(edges) + 1)
    ]
    return IntervalShift(log_mean=edges, levels=tuple(np.concatenate(levels).tolist()))


def coverage_scale(mean: Floats, alpha: Floats, observed: Floats) -> float:
    """Factor on the dispersion under which central intervals hold as often as said.

    One extreme window stretches the likelihood's dispersion for good; coverage counts
    it once. Of factors that do equally well the one nearest to one.
    """
    if mean.size < FEWEST_CASES:
        return 1.0
    misses = [
        abs(
            interval_coverage(observed, mean, alpha * np.exp(log_scale))
            - INTERVAL_LEVEL
        )
        + 1e-4 * abs(log_scale)
        for log_scale in LOG_SCALES
    ]
    return float(np.exp(LOG_SCALES[int(np.argmin(misses))]))


def _level_curve(lower: Floats, upper: Floats, kept: Flags) -> Floats:
    low, width = lower[kept], np.maximum(upper - lower, SMALLEST_WIDTH)[kept]
    reached = [np.clip((level - low) / width, 0.0, 1.0).sum() for level in LEVELS]
    total = low.size + PRIOR_CASES
    return np.asarray((np.array(reached) + PRIOR_CASES * LEVELS) / total)


def _coverage(
    mean: Floats, alpha: Floats, observed: Floats, shift: IntervalShift
) -> float:
    return interval_coverage(observed, mean, alpha, shift=shift.apply)


def _bands(mean: Floats, log_mean: tuple[float, ...]) -> Integers:
    place = np.log(np.maximum(mean, SMALLEST_WIDTH))
    return np.searchsorted(np.array(log_mean), place).astype(np.int64)


def _by_band(levels: tuple[float, ...]) -> Floats:
    return np.array(levels).reshape(-1, LEVELS.size)
