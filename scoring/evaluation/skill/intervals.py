"""Intervals for the figures that the targets need."""

import numpy as np

from scoring.engine import skill
from scoring.engine.arrays import Floats
from scoring.engine.blocks import in_blocks
from scoring.engine.distributions import event_probability
from scoring.engine.forecast_tables import ForecastTable
from scoring.engine.grid import Grid
from scoring.engine.uncertainty import (
    Interval,
    distance_interval,
    ratio_interval,
    share_interval,
)


def coverage_intervals(table: ForecastTable, grid: Grid) -> dict[str, Interval]:
    """Coverage of 90 % intervals of cells, of blocks of them and of the total."""
    calibration = table.calibration
    blocks = in_blocks(grid, table.mean)
    total = table.mean.sum(axis=1, keepdims=True)
    levels = {
        "cell": (
            table.observed,
            table.mean,
            table.alpha,
            calibration.cell_shift.apply,
        ),
        "block": (
            in_blocks(grid, table.observed),
            blocks,
            calibration.block_dispersion.alpha(blocks),
            calibration.block_shift.apply,
        ),
        "region total": (
            table.observed.sum(axis=1, keepdims=True),
            total,
            calibration.region_dispersion.alpha(total),
            calibration.region_shift.apply,
        ),
    }
    return {name: share_interval(_coverage(*level)) for name, level in levels.items()}


def dispersion_interval(table: ForecastTable) -> Interval:
    """Log score of the negative binomial over Poisson's, nats per event."""
    scattered, poisson = (
        skill.nb_log_score(table.mean, alpha, table.observed)
        for alpha in (table.alpha, np.zeros_like(table.alpha))
    )
    gain = (scattered - poisson).sum(axis=1)
    return ratio_interval(gain, table.observed.sum(axis=1))


def calibration_interval(table: ForecastTable) -> Interval:
    """Calibration error of P(N >= 1) over bins of equal count."""
    probability = event_probability(table.mean, table.alpha)
    excess, cases = skill.excess_by_bin(probability, table.observed)
    return distance_interval(excess, cases.sum(axis=1))


def _coverage(
    observed: Floats, mean: Floats, alpha: Floats, shift: skill.LevelShift
) -> Floats:
    """Coverage in each window, shape (n_origins,)."""
    rows = zip(observed, mean, alpha, strict=True)
    return np.array([skill.interval_coverage(*row, shift=shift) for row in rows])
