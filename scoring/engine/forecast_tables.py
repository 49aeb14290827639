"""Forecasts of several models at the same past origins, with what happened."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoring.engine.arrays import Floats
from scoring.engine.calibration import Calibration, n_trailing, trailing_levels
from scoring.engine.events import EventHistory
from scoring.engine.forecasters import Forecaster, forecast_with_spread
from scoring.engine.grid import Grid
from scoring.engine.snapshots import walk_snapshots


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ForecastTable:
    """What one model said at every origin, and what happened.

    Attributes
    ----------
    mean, alpha, spread, observed : ndarray of shape (n_origins, n_cells)
        The spread is that of the members of the model, zero without.
    origins_s : ndarray of shape (n_origins,)
    calibration : Calibration
        Of the model; its dispersions of blocks and of the region judge totals.
    """

    kind: str
    horizon_s: float
    origins_s: Floats
    mean: Floats
    alpha: Floats
    spread: Floats
    observed: Floats
    calibration: Calibration


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
    n_lead_in = n_trailing(horizon_s)
    lead_in_s = origins_s[0] - horizon_s * np.arange(n_lead_in, 0, -1)
    instants_s = np.concatenate([lead_in_s, origins_s])
    means, spreads = np.empty((2, len(forecasters), instants_s.size, len(grid)))
    observed = np.empty((instants_s.size, len(grid)))
    snapshots = walk_snapshots(
        history, grid, instants_s.tolist(), timezone=forecasters[0].timezone
    )
    for row, snapshot in enumerate(snapshots):
        start_s = snapshot.instant_s
        observed[row] = history.counts_between(
            start_s, start_s + horizon_s, n_cells=len(grid)
        )
        for place, forecaster in enumerate(forecasters):
            means[place, row], spreads[place, row] = forecast_with_spread(
                forecaster.model, snapshot
            )
    return tuple(
        _table(forecaster, means[place], spreads[place], observed, origins_s)
        for place, forecaster in enumerate(forecasters)
    )


def _table(
    forecaster: Forecaster,
    means: Floats,
    spreads: Floats,
    observed: Floats,
    origins_s: Floats,
) -> ForecastTable:
    """Level the means by the windows before each origin, all of them past by then."""
    n_lead_in = n_trailing(forecaster.horizon_s)
    means = forecaster.calibration.correction.apply(means)
    mean = means[n_lead_in:]
    if forecaster.model.recalibrates:
        levels = trailing_levels(
            means.sum(axis=1),
            observed.sum(axis=1),
            n_windows=n_lead_in,
            prior_events=forecaster.calibration.level_prior_events,
        )
        mean = mean * levels[:, None]
    return ForecastTable(
        kind=forecaster.kind,
        horizon_s=forecaster.horizon_s,
        origins_s=origins_s,
        mean=mean,
        alpha=forecaster.calibration.dispersion.alpha(mean),
        spread=spreads[n_lead_in:],
        observed=observed[n_lead_in:],
        calibration=forecaster.calibration,
    )
