"""Forecasts whose scenarios hold the events that their cells expect."""

from datetime import datetime

import numpy as np

from scoring.arrays import pack_scenarios
from scoring.engine.simulation import ScenarioSet
from scoring.models import Forecast, ForecastArrays, Region
from scoring.selectors.forecasts import get_columns
from tests.support.factories import DAY_S, ISSUED_FOR, make_forecast

SEED = 7
N_SCENARIOS = 2_000


def make_forecast_with_events(
    region: Region,
    *,
    horizon_sec: int = DAY_S,
    issued_for: datetime = ISSUED_FOR,
    scale: float = 1.0,
) -> Forecast:
    """Publish a forecast; in each cell the number of events is as it says, NB2."""
    forecast = make_forecast(
        region, horizon_sec=horizon_sec, issued_for=issued_for, scale=scale
    )
    columns = get_columns(forecast)
    rng = np.random.default_rng(SEED)
    shape = (N_SCENARIOS, columns.cells.size)
    rate = rng.gamma(1.0 / columns.alpha, columns.alpha * columns.mean, shape)
    scenario, cell = np.nonzero(counts := rng.poisson(rate))
    repeats = counts[scenario, cell]
    n_events = int(repeats.sum())
    scenarios = ScenarioSet(
        scenario=np.repeat(scenario, repeats).astype(np.int32),
        step=rng.integers(0, 24, n_events).astype(np.int16),
        cell_index=np.repeat(cell, repeats).astype(np.int32),
        mark=rng.random(n_events).astype(np.float32),
        n_scenarios=N_SCENARIOS,
        n_steps=24,
        n_cells=columns.cells.size,
        step_s=horizon_sec / 24,
    )
    ForecastArrays.objects.filter(forecast=forecast).update(
        scenarios=pack_scenarios(scenarios)
    )
    return forecast
