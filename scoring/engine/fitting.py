"""From a history of events to a fitted, calibrated forecaster."""

from dataclasses import replace

from scoring.engine.calibrating import calibrate
from scoring.engine.events import EventHistory
from scoring.engine.forecasters import Forecaster
from scoring.engine.grid import Grid
from scoring.engine.models.registry import fit_model
from scoring.engine.scenario_models import fit_scenario_model
from scoring.engine.training import TrainingWindow, open_window


def fit_forecaster(
    history: EventHistory,
    grid: Grid,
    *,
    horizon_s: float,
    timezone: str,
    until_s: float,
    kind: str = "ensemble",
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
    forecaster = fit_on_window(window, kind)
    return replace(forecaster, scenario_model=fit_scenario_model(window))


def fit_on_window(window: TrainingWindow, kind: str) -> Forecaster:
    """As `fit_forecaster` without scenarios, on a window that kinds may share."""
    return Forecaster(
        model=fit_model(kind, window),
        horizon_s=window.horizon_s,
        timezone=window.timezone,
        calibration=calibrate(kind, window),
        fitted_from_s=float(window.history.occurred_s[0]),
        fitted_until_s=window.until_s,
        n_events=len(window.history),
    )
