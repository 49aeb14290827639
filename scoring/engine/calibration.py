"""What turns the mean of a model into a calibrated distribution."""

from dataclasses import dataclass, field, replace
from typing import Final, Self

import numpy as np

from scoring.engine.arrays import Floats
from scoring.engine.dispersion import Dispersion, fit_dispersion
from scoring.engine.distributions import CellDistribution, distribution_of
from scoring.engine.intervals import IntervalShift
from scoring.engine.rate_uncertainty import RateUncertainty
from scoring.engine.recalibration import MeanCorrection
from scoring.engine.scenarios import SpatialCorrelation
from scoring.engine.state import DAY_S

PRIOR_EVENTS: Final = 50.0
FEWEST_TRAILING_WINDOWS: Final = 13
SHORTEST_TRAIL_S: Final = 39 * DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Level and dispersion, both from forecasts made out of sample.

    Attributes
    ----------
    level : float
        Factor on every mean: observed over forecast on the trailing windows.
    level_prior_events : float
        How many events the prior of the level is worth; more where events cluster,
        because a burst says little about the level of what follows.
    correction : MeanCorrection
        Monotone, of the mean before the level.
    dispersion, block_dispersion, region_dispersion : Dispersion
        Of the numbers of events per cell, per block of cells and in all.
    cell_shift, block_shift, region_shift : IntervalShift
        Of the intervals of these numbers.
    spatial : SpatialCorrelation
        How neighbouring cells err together.
    rate : RateUncertainty
        How well the mean of a cell is known.
    """

    level: float = 1.0
    level_prior_events: float = PRIOR_EVENTS
    correction: MeanCorrection = field(default_factory=MeanCorrection)
    dispersion: Dispersion = field(default_factory=Dispersion)
    block_dispersion: Dispersion = field(default_factory=Dispersion)
    region_dispersion: Dispersion = field(default_factory=Dispersion)
    cell_shift: IntervalShift = field(default_factory=IntervalShift)
    block_shift: IntervalShift = field(default_factory=IntervalShift)
    region_shift: IntervalShift = field(default_factory=IntervalShift)
    spatial: SpatialCorrelation = field(default_factory=SpatialCorrelation)
    rate: RateUncertainty = field(default_factory=RateUncertainty)

    def calibrated(self, mean: Floats) -> Floats:
        """Mean after recalibration, shape of `mean`."""
        return self.correction.apply(mean) * self.level

    def distribution_of_calibrated(
        self, mean: Floats, spread: Floats | float
    ) -> CellDistribution:
        """Distribution around a mean that `calibrated` has returned, (n_cells,).

        Parameters
        ----------
        mean : ndarray of shape (n_cells,)
        spread : ndarray of shape (n_cells,)
            Of the members (see `RateUncertainty.variance`); 0 of a model without.
        """
        alpha = self.dispersion.alpha(mean)
        return distribution_of(mean, alpha, self.rate.variance(mean, alpha, spread))

    def region_alpha(self, mean: Floats) -> float:
        """Dispersion of the total, given the calibrated mean of every cell."""
        return float(self.region_dispersion.alpha(np.array([mean.sum()]))[0])

    def with_level(self, level: float) -> Self:
        """The same calibration at another level."""
        return replace(self, level=level)


def n_trailing(horizon_s: float) -> int:
    """Windows before an origin that its level is taken from."""
    return max(FEWEST_TRAILING_WINDOWS, int(np.ceil(SHORTEST_TRAIL_S / horizon_s)))


def trailing_level(
    forecast_events: float,
    observed_events: float,
    *,
    prior_events: float = PRIOR_EVENTS,
) -> float:
    """Observed over forecast, drawn to one by a gamma prior worth `prior_events`.

    Parameters
    ----------
    forecast_events, observed_events : float
        Sums over all cells of the last `n_trailing` windows, of forecasts made at
        level one.
    prior_events : float
        `Calibration.level_prior_events` of the forecaster.
    """
    return (prior_events + observed_events) / (prior_events + forecast_events)


def level_variance(observed_events: float, *, prior_events: float) -> float:
    """Variance of a level drawn to one by a prior worth `prior_events`.

    That of the gamma posterior, whose events count as `PRIOR_EVENTS` does against
    the worth of the prior: clustered ones say less.
    """
    return 1.0 / (PRIOR_EVENTS * (1.0 + observed_events / prior_events))


def trailing_levels(
    forecast: Floats, observed: Floats, *, n_windows: int, prior_events: float
) -> Floats:
    """Level for each window from the `n_windows` before it.

    Parameters
    ----------
    forecast, observed : ndarray of shape (n_windows + n_origins,)
        Totals of windows that do not overlap, ascending in time.
    n_windows : int
    prior_events : float

    Returns
    -------
    ndarray of shape (n_origins,)
    """
    sums = [
        np.concatenate([[0.0], np.cumsum(totals)]) for totals in (forecast, observed)
    ]
    before = [total[n_windows:-1] - total[: -n_windows - 1] for total in sums]
    return np.asarray((prior_events + before[1]) / (prior_events + before[0]))


def prior_events_of(forecast: Floats, observed: Floats) -> float:
    """What the prior of the level is worth, given totals of windows, (n_windows,).

    `PRIOR_EVENTS` for Poisson totals; times the variance over the mean where they
    scatter more, so that the level moves with as much evidence in both cases.
    """
    scale = observed.sum() / max(float(forecast.sum()), 1e-12)
    expected = np.maximum(forecast * scale, 1e-9)
    alpha = fit_dispersion(expected, observed).alpha(expected)
    return PRIOR_EVENTS * float(1.0 + np.mean(alpha * expected))
