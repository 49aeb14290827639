"""Forecasts of several models at the same past origins, with what happened."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoring.engine.arrays import Floats
from scoring.engine.calibration import trailing_level
from scoring.engine.events import EventHistory
from scoring.engine.fitting import TRAILING_WINDOWS
from scoring.engine.forecasters import Forecaster
from scoring.engine.grid import Grid
from scoring.engine.snapshots import walk_snapshots


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ForecastTable:
    """What one model said at every origin, and what happened.

    Attributes
    ----------
    mean, alpha, observed : ndarray of shape (n_origins, n_cells)
    origins_s : ndarray of shape (n_origins,)
    """

    kind: str
    horizon_s: float
    origins_s: Floats
    mean: Floats
    alpha: Floats
    observed: Floats


def forecast_tables(
    forecasters: Sequence[Forecaster],
    history: EventHistory,
    grid: Grid,
    origins_s: Floats,
) -> tuple[ForecastTable, ...]:
    """Forecast at each origin, at the level of the windows before it.

    Parameters
    ----------
    forecasters : sequence of Forecaster
        Of one horizon and time zone; the features are computed once for all.
    history : EventHistory
    grid : Grid
    origins_s : ndarray of shape (n_origins,)
        A horizon apart.
    """
    horizon_s = forecasters[0].horizon_s
    lead_in_s = origins_s[0] - horizon_s * np.arange(TRAILING_WINDOWS, 0, -1)
    instants_s = np.concatenate([lead_in_s, origins_s])
    plain = [forecaster.with_level(1.0) for forecaster in forecasters]
    means = np.empty((len(plain), instants_s.size, len(grid)))
    observed = np.empty((instants_s.size, len(grid)))
    snapshots = walk_snapshots(
        history, grid, instants_s.tolist(), timezone=plain[0].timezone
    )
    for row, snapshot in enumerate(snapshots):
        start_s = snapshot.instant_s
        observed[row] = history.counts_between(
            start_s, start_s + horizon_s, n_cells=len(grid)
        )
        for place, forecaster in enumerate(plain):
            means[place, row] = forecaster.mean_of(snapshot)
    return tuple(
        _table(forecaster, means[place], observed, origins_s)
        for place, forecaster in enumerate(plain)
    )


def _table(
    forecaster: Forecaster, means: Floats, observed: Floats, origins_s: Floats
) -> ForecastTable:
    """Level the means by the windows before each origin, all of them past by then."""
    mean = means[TRAILING_WINDOWS:]
    if forecaster.model.recalibrates:
        levels = _levels(means.sum(axis=1), observed.sum(axis=1))
        mean = mean * levels[:, None]
    return ForecastTable(
        kind=forecaster.kind,
        horizon_s=forecaster.horizon_s,
        origins_s=origins_s,
        mean=mean,
        alpha=forecaster.calibration.dispersion.alpha(mean),
        observed=observed[TRAILING_WINDOWS:],
    )


def _levels(forecast: Floats, observed: Floats) -> Floats:
    n_origins = forecast.size - TRAILING_WINDOWS
    return np.array(
        [
            trailing_level(
                float(forecast[first : first + TRAILING_WINDOWS].sum()),
                float(observed[first : first + TRAILING_WINDOWS].sum()),
            )
            for first in range(n_origins)
        ]
    )
