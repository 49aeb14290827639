"""Forecasts and outcomes as plain arrays, for anybody to score on their own."""

from pathlib import Path

import numpy as np

from scoring.engine.forecast_tables import ForecastTable
from scoring.engine.grid import Grid
from scoring.horizons import horizon_word


def write_dump(table: ForecastTable, grid: Grid, *, folder: Path) -> Path:
    """Write one npz a model and horizon, without pickle.

    `cells` and `area_km2` have the shape (n_cells,), `origins` (n_origins,) in unix
    seconds, `mean`, `p_event`, `q05`, `q50`, `q95` and `observed` both; `horizon_sec`
    is a number. Quantiles are those of a cell's risk, `observed` counts events.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{table.kind}-{horizon_word(int(table.horizon_s))}.npz"
    risk = table.calibration.distribution_of_calibrated(table.mean, table.spread)
    np.savez_compressed(
        path,
        allow_pickle=False,
        cells=grid.cells,
        area_km2=grid.area_km2,
        origins=table.origins_s,
        horizon_sec=np.int64(table.horizon_s),
        mean=table.mean,
        p_event=risk.p_event,
        q05=risk.q05,
        q50=risk.q50,
        q95=risk.q95,
        observed=table.observed,
    )
    return path
