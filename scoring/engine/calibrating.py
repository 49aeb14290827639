"""Calibrating a kind of model on forecasts of windows it has not seen."""

from dataclasses import replace
from typing import Final

import numpy as np

from scoring.engine.arrays import Floats
from scoring.engine.blocks import in_blocks
from scoring.engine.calibration import (
    Calibration,
    level_variance,
    n_trailing,
    prior_events_of,
    trailing_level,
    trailing_levels,
)
from scoring.engine.dependence import fit_spatial_correlation
from scoring.engine.dispersion import fit_dispersion
from scoring.engine.forecasters import FeatureModel, MeanModel, PooledModel
from scoring.engine.grid import Grid
from scoring.engine.intervals import coverage_scale, helpful_shift
from scoring.engine.models.registry import fit_model
from scoring.engine.rate_uncertainty import (
    MISFIT_ALONE,
    MISFIT_OF_POOLED,
    RateUncertainty,
)
from scoring.engine.recalibration import MeanCorrection, helpful_correction
from scoring.engine.snapshots import walk_snapshots
from scoring.engine.training import TrainingWindow

MOST_FORECASTS: Final = 600_000


def calibrate(kind: str, window: TrainingWindow) -> Calibration:
    """Level and dispersion of one kind of model on a training window.

    A model fitted without the last quarter of the windows forecasts. What it says of
    that quarter gives the dispersion of cells; totals of blocks and of the region
    are few, so that theirs come from as many windows as can be forecast in time,
    the earlier ones included, where the model has few ways to fit a total.
    """
    model = fit_model(kind, window)
    earlier = window.training_part
    n_origins = window.origins_s.size
    n_held_out = n_origins - earlier.origins_s.size
    n_lead_in = min(n_trailing(window.horizon_s), n_origins - n_held_out)
    n_recent = max(MOST_FORECASTS // len(window.grid), n_lead_in + n_held_out)
    means, observed = forecast_windows(
        fit_model(kind, earlier), window, window.origins_s[-n_recent:]
    )
    correction = _correction(model, means[-n_held_out:], observed[-n_held_out:])
    means = correction.apply(means)
    totals = means.sum(axis=1), observed.sum(axis=1)
    prior_events = prior_events_of(*totals)
    if model.recalibrates:
        levels = trailing_levels(
            *totals, n_windows=n_lead_in, prior_events=prior_events
        )
        means[n_lead_in:] *= levels[:, None]
    means, observed = means[n_lead_in:], observed[n_lead_in:]
    uncalibrated = Calibration(
        level_prior_events=prior_events,
        correction=correction,
        rate=_expected_uncertainty(model, window, observed[-n_lead_in:], prior_events),
    )
    levelled = replace(
        uncalibrated, level=_level(model, window, n_lead_in, uncalibrated)
    )
    return with_scatter(
        levelled, window.grid, means=means, observed=observed, n_held_out=n_held_out
    )


def with_scatter(
    calibration: Calibration,
    grid: Grid,
    *,
    means: Floats,
    observed: Floats,
    n_held_out: int,
) -> Calibration:
    """Complete a calibration with how numbers scatter, alone and together.

    Parameters
    ----------
    calibration : Calibration
    grid : Grid
    means, observed : ndarray of shape (n_windows, n_cells)
        Calibrated forecasts; the model has not seen the last `n_held_out` windows.
    n_held_out : int
    """
    cells = means[-n_held_out:], observed[-n_held_out:]
    blocks = in_blocks(grid, means), in_blocks(grid, observed)
    totals = means.sum(axis=1), observed.sum(axis=1)
    cell, block, region = (fit_dispersion(*pair) for pair in (cells, blocks, totals))
    # Scenarios scatter in total as this dispersion says, shifts do not reach them.
    region = region.scaled(
        coverage_scale(totals[0], region.alpha(totals[0]), totals[1])
    )
    shifts = [
        helpful_shift(mean, dispersion.alpha(mean), happened)
        for dispersion, (mean, happened) in (
            (cell, cells),
            (block, blocks),
            (region, totals),
        )
    ]
    return replace(
        calibration,
        dispersion=cell,
        block_dispersion=block,
        region_dispersion=region,
        cell_shift=shifts[0],
        block_shift=shifts[1],
        region_shift=shifts[2],
        spatial=fit_spatial_correlation(grid, cell, mean=cells[0], observed=cells[1]),
        rate=calibration.rate.fitted(*cells, cell.alpha(cells[0])),
    )


def forecast_windows(
    model: MeanModel, window: TrainingWindow, origins_s: Floats
) -> tuple[Floats, Floats]:
    """Means and observed numbers at origins, each of shape (n_origins, n_cells)."""
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
    return np.array(means), np.array(observed)


def _correction(model: MeanModel, means: Floats, observed: Floats) -> MeanCorrection:
    # Flat steps of an isotonic correction would cost a baseline its ranking.
    if not isinstance(model, FeatureModel):
        return MeanCorrection()
    return helpful_correction(means, observed, fit_dispersion(means, observed))


def _expected_uncertainty(
    model: MeanModel, window: TrainingWindow, recent: Floats, prior_events: float
) -> RateUncertainty:
    """Uncertainty of rates before held-out windows are looked at.

    `recent` are the numbers of the windows that give the level, (n_windows, n_cells).
    """
    level = level_variance(float(recent.sum()), prior_events=prior_events)
    record_s = window.until_s - float(window.history.occurred_s[0])
    return RateUncertainty(
        windows=record_s / window.horizon_s,
        level=level if model.recalibrates else 0.0,
        misfit=MISFIT_OF_POOLED if isinstance(model, PooledModel) else MISFIT_ALONE,
    )


def _level(
    model: MeanModel, window: TrainingWindow, n_windows: int, before: Calibration
) -> float:
    if not model.recalibrates:
        return 1.0
    means, observed = forecast_windows(model, window, window.origins_s[-n_windows:])
    return trailing_level(
        float(before.calibrated(means).sum()),
        float(observed.sum()),
        prior_events=before.level_prior_events,
    )
