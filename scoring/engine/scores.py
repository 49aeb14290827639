"""Proper scores of numbers of events: CRPS, and the transform that tests calibration.

Arrays have one shape throughout, any.
"""

from typing import Final

import numpy as np

from scoring.engine.arrays import Floats
from scoring.engine.skill import cumulative

# Squared, what is left beyond the cut does not show in six digits.
TAIL: Final = 1e-4
MOST_TERMS: Final = 20_000


def ranked_probability_score(observed: Floats, mean: Floats, alpha: Floats) -> Floats:
    """CRPS of NB2 forecasts of counts; lower is better.

    The sum over k of (F(k) - 1{k >= observed}) ** 2 (Gneiting & Raftery 2007), cut
    where the rest of the tail is below `TAIL`.
    """
    shape = np.shape(mean)
    counts, means, alphas = (
        np.broadcast_to(part, shape).ravel() for part in (observed, mean, alpha)
    )
    total = np.zeros(means.size)
    open_rows = np.arange(means.size)
    for number in range(MOST_TERMS):
        below = cumulative(
            np.full(open_rows.size, float(number)), means[open_rows], alphas[open_rows]
        )
        total[open_rows] += np.square(below - (counts[open_rows] <= number))
        unfinished = (below < 1.0 - TAIL) | (counts[open_rows] > number)
        open_rows = open_rows[unfinished]
        if open_rows.size == 0:
            break
    return total.reshape(shape)


def transform_histogram(
    observed: Floats, mean: Floats, alpha: Floats, *, n_bins: int = 10
) -> Floats:
    """Share of the probability integral transform in equal bins, shape (n_bins,).

    Not random: each number spreads over the bins as its randomised transform would
    (Czado, Gneiting & Held 2009). Every bin holds 1 / n_bins when the forecasts are
    calibrated.
    """
    upper = cumulative(observed, mean, alpha)
    lower = cumulative(observed - 1.0, mean, alpha)
    width = np.maximum(upper - lower, 1e-12)
    edges = np.linspace(0.0, 1.0, n_bins + 1)
    reached = [np.mean(np.clip((edge - lower) / width, 0.0, 1.0)) for edge in edges]
    return np.diff(np.array(reached))
