"""What turns the mean of a model into a calibrated distribution."""

from dataclasses import dataclass, field, replace
from typing import Final, Self

from scoring.engine.arrays import Floats
from scoring.engine.dispersion import Dispersion
from scoring.engine.distributions import CellDistribution, distribution_of

PRIOR_EVENTS: Final = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Level and dispersion, both from forecasts made out of sample.

    Attributes
    ----------
    level : float
        Factor on every mean: observed over forecast on the trailing windows.
    dispersion : Dispersion
    """

    level: float = 1.0
    dispersion: Dispersion = field(default_factory=Dispersion)

    def calibrated(self, mean: Floats) -> Floats:
        """Mean after recalibration, shape of `mean`."""
        return mean * self.level

    def distribution_of_calibrated(self, mean: Floats) -> CellDistribution:
        """Distribution around a mean that `calibrated` has returned, (n_cells,)."""
        return distribution_of(mean, self.dispersion.alpha(mean))

    def with_level(self, level: float) -> Self:
        """The same calibration at another level."""
        return replace(self, level=level)


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
        Sums over all cells of the last windows (8 to 13 of them), of forecasts made
        at level one.
    """
    return (prior_events + observed_events) / (prior_events + forecast_events)
