"""How good forecasts were: ranking, information, probability scores, calibration.

Arrays have the shape (n_origins, n_cells) unless said otherwise; functions that
average return one number over all of them.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.special import betainc, gammaincc, xlogy

from scoring.engine.arrays import Floats
from scoring.engine.dispersion import log_mass
from scoring.engine.distributions import POISSON_LIMIT

SMALLEST_MEAN: Final = 1e-12
N_BINS: Final = 10
INTERVAL_LEVEL: Final = 0.9

# From a cumulative probability and the mean to the level it really has.
LevelShift = Callable[[Floats, Floats], Floats]


def captured(
    mean: Floats, observed: Floats, area_km2: Floats, *, share: float
) -> float:
    """Events inside the cells that a forecast ranks highest, for one origin.

    Cells are flagged by expected events per km2 until `share` of the area is
    flagged. Ties and the cell on the border count in proportion to their area, which
    is the expected value over random orders.

    Parameters
    ----------
    mean, observed, area_km2 : ndarray of shape (n_cells,)
    share : float
        Flagged share of the area, in (0, 1].
    """
    density = mean / area_km2
    order = np.argsort(-density, kind="stable")
    last_of_tie = np.append(np.diff(density[order]) != 0, [True])
    areas = np.cumsum(area_km2[order])[last_of_tie]
    events = np.cumsum(observed[order])[last_of_tie]
    flagged = share * area_km2.sum()
    return float(np.interp(flagged, np.append(0.0, areas), np.append(0.0, events)))


def hit_rate(
    mean: Floats, observed: Floats, area_km2: Floats, *, share: float
) -> float:
    """Share of all events inside the flagged area; higher is better.

    Parameters
    ----------
    mean, observed : ndarray of shape (n_origins, n_cells) or (n_cells,)
    area_km2 : ndarray of shape (n_cells,)
    share : float

    Notes
    -----
    The predictive accuracy index is `hit_rate / share` (Chainey et al. 2008).
    """
    captures = captures_by_origin(mean, observed, area_km2, share=share)
    return float(captures.sum() / max(float(observed.sum()), 1.0))


def captures_by_origin(
    mean: Floats, observed: Floats, area_km2: Floats, *, share: float
) -> Floats:
    """Events inside the flagged area at each origin, shape (n_origins,)."""
    pairs = zip(np.atleast_2d(mean), np.atleast_2d(observed), strict=True)
    return np.array(
        [captured(row, counts, area_km2, share=share) for row, counts in pairs]
    )


def efficiency(
    mean: Floats, observed: Floats, area_km2: Floats, *, share: float
) -> float:
    """Prediction efficiency index n / n*: hits over the most any map could have had.

    Both at the same area and origin (the reading of the 2017 NIJ challenge's winner);
    in [0, 1], higher is better.
    """
    best = captures_by_origin(observed, observed, area_km2, share=share)
    hits = captures_by_origin(mean, observed, area_km2, share=share)
    return float(hits.sum() / max(float(best.sum()), 1e-12))


def poisson_log_score(mean: Floats, observed: Floats) -> Floats:
    """Poisson log-likelihood without the factorial of the data; higher is better."""
    safe = np.maximum(mean, SMALLEST_MEAN)
    return np.asarray(xlogy(observed, safe) - safe)


def information_gain(mean: Floats, reference: Floats, observed: Floats) -> float:
    """Information gain per event over a reference, nats; higher is better.

    (1 / N) sum over events of ln(mean / reference) minus the difference of the
    expected numbers per event (Rhoades et al. 2011).
    """
    gain = poisson_log_score(mean, observed) - poisson_log_score(reference, observed)
    return float(gain.sum() / max(float(observed.sum()), 1.0))


def nb_log_score(mean: Floats, alpha: Floats, observed: Floats) -> Floats:
    """NB2 log-likelihood of each number; higher is better."""
    return log_mass(observed, mean, alpha)


def brier_score(probability: Floats, observed: Floats) -> float:
    """Mean squared error of P(N >= 1); lower is better (Brier 1950)."""
    return float(np.mean(np.square(probability - (observed > 0))))


def reliability(
    probability: Floats, observed: Floats, *, n_bins: int = N_BINS
) -> tuple[Floats, Floats, Floats]:
    """Mean forecast, observed frequency and share of cases in equal-count bins."""
    order = np.argsort(probability, axis=None, kind="stable")
    happened = (observed.ravel() > 0)[order].astype(np.float64)
    bins = np.array_split(np.arange(order.size), n_bins)
    forecasts = probability.ravel()[order]
    filled = [members for members in bins if members.size]
    return (
        np.array([forecasts[members].mean() for members in filled]),
        np.array([happened[members].mean() for members in filled]),
        np.array([members.size / order.size for members in filled]),
    )


def calibration_error(
    probability: Floats, observed: Floats, *, n_bins: int = N_BINS
) -> float:
    """Expected calibration error of P(N >= 1) over equal-count bins; lower is better.

    Mean distance of forecast and frequency, weighted by cases (Naeini et al. 2015).
    """
    forecast, frequency, share = reliability(probability, observed, n_bins=n_bins)
    return float(np.sum(share * np.abs(forecast - frequency)))


def excess_by_bin(
    probability: Floats, observed: Floats, *, n_bins: int = N_BINS
) -> tuple[Floats, Floats]:
    """Forecast less observed cells with events, and cells, by window and bin.

    The bins are those of `reliability`; both have the shape (n_origins, n_bins).
    """
    order = np.argsort(probability, axis=None, kind="stable")
    bins = np.empty(order.size, dtype=np.int64)
    for number, members in enumerate(np.array_split(order, n_bins)):
        bins[members] = number
    windows = np.arange(probability.shape[0])[:, None]
    entries = (windows * n_bins + bins.reshape(probability.shape)).ravel()
    excess, cases = (
        np.bincount(entries, weights.ravel(), windows.size * n_bins).astype(np.float64)
        for weights in (probability - (observed > 0), np.ones_like(probability))
    )
    return excess.reshape(-1, n_bins), cases.reshape(-1, n_bins)


def cumulative(observed: Floats, mean: Floats, alpha: Floats) -> Floats:
    """P(N <= observed) of NB2(mean, alpha); zero below zero."""
    counts, means, alphas = np.broadcast_arrays(np.floor(observed), mean, alpha)
    values = np.zeros(counts.shape)
    inside = counts >= 0
    numbers = counts[inside] + 1.0
    safe_mean = np.maximum(means[inside], SMALLEST_MEAN)
    safe_alpha = np.maximum(alphas[inside], POISSON_LIMIT)
    scattered = betainc(1.0 / safe_alpha, numbers, 1.0 / (1.0 + safe_alpha * safe_mean))
    poisson = alphas[inside] <= POISSON_LIMIT
    scattered[poisson] = gammaincc(numbers[poisson], safe_mean[poisson])
    values[inside] = scattered
    return values


def interval_coverage(
    observed: Floats,
    mean: Floats,
    alpha: Floats,
    *,
    level: float = INTERVAL_LEVEL,
    shift: LevelShift | None = None,
) -> float:
    """Share of numbers inside the central interval; right is `level`.

    Numbers are discrete: a number on the border counts with the share of its
    probability that lies inside, the expected value of the randomised probability
    integral transform (Czado, Gneiting & Held 2009).
    """
    upper = cumulative(observed, mean, alpha)
    lower = cumulative(observed - 1.0, mean, alpha)
    if shift is not None:
        lower, upper = shift(lower, mean), shift(upper, mean)
    tail = (1.0 - level) / 2.0
    overlap = np.clip(np.minimum(upper, 1.0 - tail) - np.maximum(lower, tail), 0, None)
    return float(np.mean(overlap / np.maximum(upper - lower, SMALLEST_MEAN)))
