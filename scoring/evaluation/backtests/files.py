"""What a back-test leaves in a folder: plots, and forecasts as plain arrays."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from scoring.engine.forecast_tables import ForecastTable
from scoring.engine.grid import Grid
from scoring.evaluation.backtests.plots import (
    accuracy_curve,
    accuracy_plot,
    number_plot,
    number_series,
    region_transform,
    reliability_half_widths,
    reliability_plot,
    transform_plot,
)
from scoring.evaluation.backtests.running import HorizonResult
from scoring.horizons import horizon_label, horizon_word


def write_plots(
    result: HorizonResult, grid: Grid, *, region: str, folder: Path
) -> list[Path]:
    """Write one SVG a plot; all but the PAI curves show the model under test."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, svg in _plots(result, grid, region=region):
        path = folder / f"{name}-{horizon_word(result.horizon_sec)}.svg"
        path.write_text(svg, encoding="utf-8")
        written.append(path)
    return written


def _plots(
    result: HorizonResult, grid: Grid, *, region: str
) -> Iterator[tuple[str, str]]:
    tested, skill = result.tables[0], result.report.models[0]
    about = f"{region}, next {horizon_label(result.horizon_sec)}"
    named = f"{about}: {tested.kind.replace('_', ' ')}"
    yield (
        "reliability",
        reliability_plot(
            skill.reliability,
            reliability_half_widths(tested),
            n_cases=tested.mean.size,
            title=f"Reliability, {named}",
        ),
    )
    curves = {
        table.kind.replace("_", " "): accuracy_curve(table, grid)
        for table in result.tables
    }
    yield "pai", accuracy_plot(curves, title=f"Predictive accuracy index, {about}")
    yield (
        "n-test",
        number_plot(number_series(tested), title=f"Number of events, {named}"),
    )
    yield (
        "pit",
        transform_plot(
            skill.reliability.transform,
            region_transform(tested).tolist(),
            title=f"Calibration of numbers, {named}",
        ),
    )


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
