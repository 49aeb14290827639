"""What the plots of a back-test show, computed from a forecast table."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from scoring.engine.arrays import Flags, Floats
from scoring.engine.consistency import SIGNIFICANCE
from scoring.engine.distributions import event_probability
from scoring.engine.forecast_tables import ForecastTable
from scoring.engine.grid import Grid
from scoring.engine.scores import transform_histogram
from scoring.engine.skill import cumulative, excess_by_bin, hit_rate, reliability
from scoring.engine.uncertainty import half_width

CURVE_SHARES: Final = (
    *(0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.07),
    *(0.10, 0.14, 0.20, 0.28, 0.40, 0.55, 0.75, 1.0),
)
MOST_EVENTS: Final = 100_000
TWO_SIDED_95: Final = 1.96


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NumberSeries:
    """The region's total in each window, arrays of shape (n_origins,).

    The N-test passes where `low <= observed <= high`.
    """

    origins_s: Floats
    expected: Floats
    low: Floats
    high: Floats
    observed: Floats

    @property
    def is_passed(self) -> Flags:
        inside = (self.low <= self.observed) & (self.observed <= self.high)
        return np.asarray(inside)


def accuracy_curve(table: ForecastTable, grid: Grid) -> Floats:
    """PAI at each of `CURVE_SHARES`, shape (n_shares,)."""
    hits = [
        hit_rate(table.mean, table.observed, grid.area_km2, share=share)
        for share in CURVE_SHARES
    ]
    return np.asarray(np.array(hits) / np.array(CURVE_SHARES))


def number_series(table: ForecastTable) -> NumberSeries:
    """Totals with the band in which the negative binomial N-test passes at 5 %."""
    expected = table.mean.sum(axis=1)
    alpha = table.calibration.region_dispersion.alpha(expected)
    tail = SIGNIFICANCE / 2
    return NumberSeries(
        origins_s=table.origins_s,
        expected=expected,
        low=smallest_count_above(tail, expected, alpha),
        high=smallest_count_above(1.0 - tail, expected, alpha),
        observed=table.observed.sum(axis=1),
    )


def smallest_count_above(level: float, mean: Floats, alpha: Floats) -> Floats:
    """Smallest number whose cumulative NB2 probability exceeds `level`, (n,)."""
    low, high = np.full(mean.shape, -1.0), np.ones(mean.shape)
    while (short := cumulative(high, mean, alpha) <= level).any():
        high = np.where(short, 2.0 * high, high)
        if high.max() > MOST_EVENTS:
            break
    while (high - low > 1.0).any():
        middle = np.floor((low + high) / 2.0)
        enough = cumulative(middle, mean, alpha) > level
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.asarray(high)


def reliability_half_widths(table: ForecastTable) -> Floats:
    """Half the 95 % interval of each bin's frequency if forecasts are right, (n_bins,).

    The wider of that of independent cells and the one that whole windows show: cells
    of a window, and neighbouring windows, rise and fall together.
    """
    probability = event_probability(table.mean, table.alpha)
    excess, cases = excess_by_bin(probability, table.observed)
    forecast, _, share = reliability(probability, table.observed)
    variance = forecast * (1.0 - forecast) / (share * probability.size)
    seen = [
        half_width(*windows) or 0.0 for windows in zip(excess.T, cases.T, strict=True)
    ]
    return np.asarray(np.maximum(TWO_SIDED_95 * np.sqrt(variance), seen))


def region_transform(table: ForecastTable) -> Floats:
    """Histogram of the probability integral transform of the totals, (n_bins,)."""
    expected = table.mean.sum(axis=1)
    alpha = table.calibration.region_dispersion.alpha(expected)
    return transform_histogram(table.observed.sum(axis=1), expected, alpha)
