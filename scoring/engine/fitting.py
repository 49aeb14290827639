"""From a history of events to a fitted, calibrated forecaster."""

from typing import Final

import numpy as np

from scoring.engine.arrays import Floats
from scoring.engine.calibration import Calibration, trailing_level
from scoring.engine.dispersion import Dispersion, fit_dispersion
from scoring.engine.events import EventHistory
from scoring.engine.forecasters import Forecaster, MeanModel
from scoring.engine.grid import Grid
from scoring.engine.models.registry import fit_model
from scoring.engine.snapshots import walk_snapshots
from scoring.engine.training import TrainingWindow, open_window

HELD_OUT_SHARE: Final = 0.25
TRAILING_WINDOWS: Final = 13


def fit_forecaster(
    history: EventHistory,
    grid: Grid,
    *,
    horizon_s: float,
    timezone: str,
    until_s: float,
    kind: str = "poisson_glm",
) -> Forecaster:
    """Fit a mean model on all windows and calibrate it out of sample.

    The served model learns from everything known at `until_s`. The same kind fitted
    without the last quarter of the windows forecasts that quarter, which gives the
    dispersion; the last windows give the level.

    Parameters
    ----------
    history : EventHistory
        Events that arrived after `until_s` are not looked at.
    grid : Grid
    horizon_s : float
    timezone : str
        IANA zone of the region.
    until_s : float
        End of the training window, unix seconds.
    kind : str
        One of `models.registry.KINDS`.

    Raises
    ------
    EngineError
        When the kind is unknown or the record too short.
    """
    window = open_window(
        history, grid, horizon_s=horizon_s, timezone=timezone, until_s=until_s
    )
    return fit_on_window(window, kind)


def fit_on_window(window: TrainingWindow, kind: str) -> Forecaster:
    """As `fit_forecaster`, on a window that several kinds may share."""
    model = fit_model(kind, window)
    level = _level(model, window) if model.recalibrates else 1.0
    return Forecaster(
        model=model,
        horizon_s=window.horizon_s,
        timezone=window.timezone,
        calibration=Calibration(level=level, dispersion=_dispersion(kind, window)),
        fitted_from_s=float(window.history.occurred_s[0]),
        fitted_until_s=window.until_s,
        n_events=len(window.history),
    )


def _level(model: MeanModel, window: TrainingWindow) -> float:
    means, observed = _forecast(model, window, window.origins_s[-TRAILING_WINDOWS:])
    return trailing_level(float(means.sum()), float(observed.sum()))


def _dispersion(kind: str, window: TrainingWindow) -> Dispersion:
    n_origins = window.origins_s.size
    n_held_out = max(int(n_origins * HELD_OUT_SHARE), 2)
    # Origins lie a horizon apart, so the training windows end before the held-out
    # ones begin and share no event with them.
    model = fit_model(kind, window.first(n_origins - n_held_out))
    return fit_dispersion(*_forecast(model, window, window.origins_s[-n_held_out:]))


def _forecast(
    model: MeanModel, window: TrainingWindow, origins_s: Floats
) -> tuple[Floats, Floats]:
    """Means and observed numbers at origins, each of (n_origins * n_cells,)."""
    snapshots = walk_snapshots(
        window.history, window.grid, origins_s.tolist(), timezone=window.timezone
    )
    means = [model.mean_of(snapshot) for snapshot in snapshots]
    observed = [
        window.history.counts_between(
            start_s, start_s + window.horizon_s, n_cells=len(window.grid)
        )
        for start_s in origins_s.tolist()
    ]
    return np.concatenate(means), np.concatenate(observed)
