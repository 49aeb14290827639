"""Writes the plots of a back-test into a folder."""

from collections.abc import Iterator
from pathlib import Path

from scoring.engine.grid import Grid
from scoring.evaluation.backtests.running import HorizonResult
from scoring.evaluation.backtests.series import (
    accuracy_curve,
    number_series,
    region_transform,
    reliability_half_widths,
)
from scoring.evaluation.plots import (
    accuracy_plot,
    number_plot,
    reliability_plot,
    transform_plot,
)
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
