"""How far neighbouring cells move together: correlation by distance, from residuals."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import gammainc, gammaincinv, gammaln, ndtri, xlogy

from scoring.engine.arrays import Floats, Integers
from scoring.engine.dispersion import Dispersion
from scoring.engine.distributions import POISSON_LIMIT, SMALLEST_MEAN
from scoring.engine.grid import Grid
from scoring.engine.scenarios import SpatialCorrelation
from scoring.engine.skill import cumulative
from scoring.engine.smoothing import EARTH_RADIUS_KM, cell_spacing_km, unit_vectors

MOST_CELLS: Final = 600
MOST_WINDOWS: Final = 800
FEWEST_EVENTS: Final = 100.0
# Borders of the bins of distance and candidates of the range, in cell spacings.
BINS_CELLS: Final = (0.5, 1.5, 2.5, 3.5, 5.0, 7.0, 10.0, 15.0, np.inf)
RANGES_CELLS: Final = np.geomspace(0.6, 8.0, 28)
CORRELATIONS: Final = np.linspace(0.0, 0.99, 200)
N_ORDERS: Final = 6
N_KNOTS: Final = 24
N_QUADRATURE: Final = 400
# Larger numbers tell no more apart than that they are large.
LARGEST_NUMBER: Final = 60
LARGEST_SHARED: Final = 0.95
NOISE_LEVELS: Final = 3.0
SMALLEST_WEIGHT: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Correlogram:
    """Correlation of the normals behind the rates, by bin of distance.

    Attributes
    ----------
    distance_km, correlation, weight : ndarray of shape (n_bins,)
        Mean distance of the pairs of a bin, and how much they say.
    """

    distance_km: Floats
    correlation: Floats
    weight: Floats


def fit_spatial_correlation(
    grid: Grid, dispersion: Dispersion, *, mean: Floats, observed: Floats
) -> SpatialCorrelation:
    """Fit the shared part and the range of exp(-3 d / range) to residuals.

    Parameters
    ----------
    grid : Grid
    dispersion : Dispersion
        Of the numbers per cell.
    mean, observed : ndarray of shape (n_windows, n_cells)
        Calibrated forecasts of windows that the model has not seen.

    Returns
    -------
    SpatialCorrelation
        The default where there are too few events to tell.
    """
    if observed.sum() < FEWEST_EVENTS or len(grid) < len(BINS_CELLS):
        return SpatialCorrelation()
    found = correlogram(grid, dispersion, mean=mean, observed=observed)
    spacing_km = cell_spacing_km(grid)
    best_error, best = np.inf, SpatialCorrelation()
    for range_km in (RANGES_CELLS * spacing_km).tolist():
        near = np.exp(-3.0 * found.distance_km / range_km)
        far = found.weight * (1.0 - near)
        shared = far @ (found.correlation - near) / max(far @ (1.0 - near), 1e-12)
        held = float(np.clip(shared, 0.0, LARGEST_SHARED))
        misfit = found.correlation - held - (1.0 - held) * near
        error = float(found.weight @ np.square(misfit))
        if error < best_error:
            best_error = error
            best = SpatialCorrelation(shared=held, range_km=range_km)
    return best


def correlogram(
    grid: Grid, dispersion: Dispersion, *, mean: Floats, observed: Floats
) -> Correlogram:
    """Correlation of the normals by distance, from normal scores of the transform.

    A number has the mean score of the normals that give it, so that zeros are no
    special case. How much less scores are correlated than the normals behind them
    follows from the Hermite coefficients of the score (Mehler's formula); what the
    pairs of a bin say together is solved for their common correlation.
    """
    cells = np.argsort(-mean.sum(axis=0), kind="stable")[:MOST_CELLS]
    kept = np.ix_(np.arange(mean.shape[0])[-MOST_WINDOWS:], cells)
    means = np.maximum(mean[kept], SMALLEST_MEAN)
    numbers = np.minimum(observed[kept], LARGEST_NUMBER)
    scores = normal_scores(numbers, means, dispersion.alpha(means))
    bins, distance_km = _pair_bins(grid, cells)
    upper = np.triu_indices(cells.size, k=1)
    place = bins[upper]
    n_bins = len(BINS_CELLS) - 1

    def by_bin(matrix: Floats) -> Floats:
        inside = place >= 0
        sums = np.bincount(place[inside], matrix[upper][inside], n_bins)
        return sums.astype(np.float64)

    seen = by_bin(scores.T @ scores)
    said = np.array([by_bin(c.T @ c) for c in _coefficients(means, dispersion)])
    pairs = np.maximum(by_bin(np.ones_like(bins, dtype=np.float64)), 1.0)
    curves = np.power.outer(CORRELATIONS, np.arange(1, N_ORDERS + 1)) @ said
    noise = float(np.square(scores).mean()) * np.sqrt(pairs * scores.shape[0])
    solved = [
        np.interp(seen[b], np.maximum.accumulate(curves[:, b]), CORRELATIONS)
        # Rates that hardly scatter cannot be seen to scatter together.
        if curves[-1, b] > NOISE_LEVELS * noise[b]
        else 0.0
        for b in range(n_bins)
    ]
    return Correlogram(
        distance_km=by_bin(distance_km) / pairs,
        correlation=np.array(solved),
        weight=np.maximum(said[0], SMALLEST_WEIGHT),
    )


def normal_scores(observed: Floats, mean: Floats, alpha: Floats) -> Floats:
    """Mean of a standard normal over the probability that each number has.

    Numbers from `LARGEST_NUMBER` on are one number.
    """
    below = cumulative(observed - 1.0, mean, alpha)
    is_largest = observed >= LARGEST_NUMBER
    reached = np.where(is_largest, 1.0, cumulative(observed, mean, alpha))
    width = np.maximum(reached - below, 1e-15)
    return np.asarray((_density(below) - _density(reached)) / width)


def _coefficients(mean: Floats, dispersion: Dispersion) -> Floats:
    """Hermite coefficients of the score of each forecast, (n_orders, *mean.shape)."""
    logs = np.log(mean)
    knots = np.linspace(logs.min(), logs.max() + 1e-9, N_KNOTS)
    table = np.array([_hermite_of(float(np.exp(k)), dispersion) for k in knots])
    return np.array([np.interp(logs, knots, order) for order in table.T])


def _hermite_of(mean: float, dispersion: Dispersion) -> Floats:
    alpha = max(float(dispersion.alpha(np.array([mean]))[0]), POISSON_LIMIT)
    levels = (np.arange(N_QUADRATURE) + 0.5) / N_QUADRATURE
    rate = gammaincinv(1.0 / alpha, levels) * alpha * mean
    numbers = np.arange(LARGEST_NUMBER, dtype=np.float64)
    mass = np.exp(xlogy(numbers, rate[:, None]) - rate[:, None] - gammaln(numbers + 1))
    largest = gammainc(float(LARGEST_NUMBER), rate)
    every = np.arange(LARGEST_NUMBER + 1, dtype=np.float64)
    size = np.full(every.size, 1.0)
    scores = normal_scores(every, mean * size, alpha * size)
    expected = mass @ scores[:-1] + largest * scores[-1]
    normal = ndtri(levels)
    before, now = np.ones_like(normal), normal
    found = []
    for order in range(1, N_ORDERS + 1):
        found.append(float(np.mean(now * expected)))
        # Hermite polynomials scaled to unit variance.
        following = (normal * now - np.sqrt(order) * before) / np.sqrt(order + 1)
        before, now = now, following
    return np.array(found)


def _pair_bins(grid: Grid, cells: Integers) -> tuple[Integers, Floats]:
    """Bin and distance of every pair of cells; bin -1 is nearer than neighbours."""
    points = unit_vectors(grid)[cells]
    cosine = np.clip(points @ points.T, -1.0, 1.0)
    distance_km = EARTH_RADIUS_KM * np.arccos(cosine)
    edges = np.array(BINS_CELLS) * cell_spacing_km(grid)
    return np.searchsorted(edges, distance_km).astype(np.int64) - 1, distance_km


def _density(level: Floats) -> Floats:
    """Density of a standard normal at its quantile of each level."""
    inside = np.clip(level, 1e-300, 1.0)
    return np.asarray(np.exp(-0.5 * np.square(ndtri(inside))) / np.sqrt(2.0 * np.pi))
