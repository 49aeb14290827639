"""Intervals for the figures that the targets ask for, by blocks of windows."""

from typing import Final

import numpy as np

from scoring.engine import skill
from scoring.engine.arrays import Floats
from scoring.engine.blocks import in_blocks
from scoring.engine.distributions import event_probability
from scoring.engine.forecast_tables import ForecastTable
from scoring.engine.grid import Grid
from scoring.engine.resampling import N_RESAMPLES, Interval, ratio_interval
from scoring.services.backtests.series import number_series

Z_95: Final = 1.959964


def coverage_intervals(table: ForecastTable, grid: Grid) -> dict[str, Interval]:
    """Coverage of 90 % intervals of cells, of blocks of them and of the total."""
    calibration = table.calibration
    blocks = in_blocks(grid, table.mean)
    total = table.mean.sum(axis=1, keepdims=True)
    levels = {
        "cell": (
            table.observed,
            table.mean,
            table.alpha,
            calibration.cell_shift.apply,
        ),
        "block": (
            in_blocks(grid, table.observed),
            blocks,
            calibration.block_dispersion.alpha(blocks),
            calibration.block_shift.apply,
        ),
        "region total": (
            table.observed.sum(axis=1, keepdims=True),
            total,
            calibration.region_dispersion.alpha(total),
            calibration.region_shift.apply,
        ),
    }
    return {name: _mean_interval(_coverage(*level)) for name, level in levels.items()}


def number_test_interval(table: ForecastTable) -> Interval:
    """Share of windows that pass the negative binomial N-test at 5 %."""
    return _mean_interval(number_series(table).is_passed.astype(np.float64))


def dispersion_interval(table: ForecastTable) -> Interval:
    """Log score of the negative binomial over Poisson's, nats per event."""
    scattered, poisson = (
        skill.nb_log_score(table.mean, alpha, table.observed)
        for alpha in (table.alpha, np.zeros_like(table.alpha))
    )
    gain = (scattered - poisson).sum(axis=1)
    return ratio_interval(gain, table.observed.sum(axis=1))


def calibration_interval(
    table: ForecastTable, *, n_bins: int = skill.N_BINS, seed: int = 0
) -> Interval:
    """Calibration error of P(N >= 1), whole windows being drawn anew.

    Resampling adds noise to every bin and an absolute error cannot be negative, so
    the interval lies above the figure where the figure is small; it is conservative.
    """
    probability = event_probability(table.mean, table.alpha)
    excess = _excess_by_bin(probability, table.observed, n_bins=n_bins)
    n_origins = excess.shape[0]
    length = min(max(1, round(1.5 * n_origins ** (1 / 3))), n_origins)
    n_blocks = -(-n_origins // length)
    rng = np.random.Generator(np.random.Philox(key=seed))
    starts = rng.integers(0, n_origins - length + 1, size=(N_RESAMPLES, n_blocks))
    sums = np.cumsum(np.vstack([np.zeros(n_bins), excess]), axis=0)
    drawn = (sums[length:] - sums[:-length])[starts].sum(axis=1)
    n_cases = n_blocks * length * table.mean.shape[1]
    low, high = np.quantile(np.abs(drawn).sum(axis=1) / n_cases, (0.025, 0.975))
    value = skill.calibration_error(probability, table.observed, n_bins=n_bins)
    return Interval(value=value, low=float(low), high=float(high))


def share_interval(share: float, n_cases: int) -> Interval:
    """Wilson's interval of a share of independent cases."""
    if n_cases == 0:
        return Interval(value=share, low=0.0, high=1.0)
    square = Z_95**2
    centre = (share + square / (2 * n_cases)) / (1 + square / n_cases)
    spread = np.sqrt(share * (1 - share) / n_cases + square / (4 * n_cases**2))
    half = float(Z_95 * spread / (1 + square / n_cases))
    return Interval(value=share, low=centre - half, high=centre + half)


def _coverage(
    observed: Floats, mean: Floats, alpha: Floats, shift: skill.LevelShift
) -> Floats:
    """Coverage in each window, shape (n_origins,)."""
    rows = zip(observed, mean, alpha, strict=True)
    return np.array([skill.interval_coverage(*row, shift=shift) for row in rows])


def _mean_interval(by_origin: Floats) -> Interval:
    return ratio_interval(by_origin, np.ones_like(by_origin))


def _excess_by_bin(probability: Floats, observed: Floats, *, n_bins: int) -> Floats:
    """Forecast less observed number of cells with events, (n_origins, n_bins)."""
    order = np.argsort(probability, axis=None, kind="stable")
    bins = np.empty(order.size, dtype=np.int64)
    for number, members in enumerate(np.array_split(order, n_bins)):
        bins[members] = number
    excess = probability - (observed > 0)
    places = np.arange(probability.shape[0])[:, None] * n_bins + bins.reshape(
        probability.shape
    )
    n_places = probability.shape[0] * n_bins
    flat = np.bincount(places.ravel(), excess.ravel(), n_places)
    return flat.astype(np.float64).reshape(-1, n_bins)
