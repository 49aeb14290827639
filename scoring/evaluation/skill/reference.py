"""How far the served model is ahead of weaker maps than the tuned one."""

from dataclasses import replace
from typing import Final

import numpy as np

from scoring.engine.arrays import Floats, product
from scoring.engine.forecast_tables import ForecastTable
from scoring.engine.frozen_sets import FrozenSet
from scoring.engine.report import gain_interval
from scoring.engine.skill import hit_rate
from scoring.engine.smoothing import gaussian_kernel
from scoring.evaluation.backtests.running import HorizonResult
from scoring.evaluation.skill.targets import REFERENCE_GAINS, REFERENCE_SET, Finding

UNIFORM_BELOW_REFERENCE: Final = 0.89
REFERENCE_BANDWIDTH_CELLS: Final = 1.0
REFERENCE_UNIFORM_SHARE: Final = 0.01
REFERENCE_HIT_RATE: Final = 0.302
AREA_SHARE: Final = 0.05


def reference_findings(frozen: FrozenSet, result: HorizonResult) -> tuple[Finding, ...]:
    """Gains over a uniform map and over one smoothed by a whole cell.

    They are no targets: they show how much of a shortfall against
    the tuned map is the strength of that map.
    """
    fixed = [table for table in result.tables if table.kind == "time_independent"]
    target = REFERENCE_GAINS.get(result.horizon_sec)
    if frozen.name != REFERENCE_SET or target is None or not fixed:
        return ()
    known = frozen.history.known_at(float(fixed[0].origins_s[0]) - result.horizon_sec)
    count = np.bincount(known.cell_index, minlength=len(frozen.grid))
    smooth = _map_of(fixed[0], _smoothed(frozen, count.astype(np.float64)))
    uniform = _map_of(fixed[0], frozen.grid.area_km2)
    hits = hit_rate(
        smooth.mean, smooth.observed, frozen.grid.area_km2, share=AREA_SHARE
    )
    return (
        Finding(
            figure="information gain over a map smoothed by one cell, nats per event",
            target=f"none; {target} was over a map with {REFERENCE_HIT_RATE} at 5 %",
            found=gain_interval(result.tables[0], smooth),
            is_met=None,
            note=f"the map has {hits:.3f} of the events at 5 % of area",
        ),
        Finding(
            figure="information gain over a uniform map, nats per event",
            target=f"none; {target + UNIFORM_BELOW_REFERENCE:.2f} was on other cells",
            found=gain_interval(result.tables[0], uniform),
            is_met=None,
        ),
    )


def _smoothed(frozen: FrozenSet, count: Floats) -> Floats:
    spread = product(gaussian_kernel(frozen.grid, REFERENCE_BANDWIDTH_CELLS), count)
    even = REFERENCE_UNIFORM_SHARE * spread.mean()
    return np.asarray((1.0 - REFERENCE_UNIFORM_SHARE) * spread + even)


def _map_of(fixed: ForecastTable, weight: Floats) -> ForecastTable:
    """The same totals as a table's, spread over the cells by weight."""
    share = weight / weight.sum()
    return replace(fixed, mean=fixed.mean.sum(axis=1, keepdims=True) * share)
