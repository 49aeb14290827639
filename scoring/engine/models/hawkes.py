"""Linear Hawkes process on the grid: background plus what past events trigger."""

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from scoring.engine.arrays import Floats, product
from scoring.engine.grid import RING_RADII, Grid
from scoring.engine.models.long_run import TimeIndependent, fit_time_independent
from scoring.engine.snapshots import Snapshot, walk_snapshots
from scoring.engine.state import SCALES_S
from scoring.engine.training import TrainingWindow

MOST_FITTING_ORIGINS: Final = 500
N_STEPS: Final = 300
TOLERANCE: Final = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinearHawkes:
    """Expected events as a sum of background and decaying excitation.

    Attributes
    ----------
    background : ndarray of shape (n_cells,)
        Smoothed map of the training window, events per horizon.
    weights : ndarray of shape (1 + n_scales * n_rings,)
        Not negative: of the background, then of each scale and ring.
    horizon_s : float
    """

    kind: ClassVar[str] = "linear_hawkes"
    recalibrates: ClassVar[bool] = True

    background: Floats
    weights: Floats
    horizon_s: float

    def mean_of(self, snapshot: Snapshot) -> Floats:
        """Mean number of events per cell, shape (n_cells,)."""
        parts = hawkes_parts(
            snapshot.grid, snapshot.aggregates.excitation, self.horizon_s
        )
        return np.asarray(self.background * self.weights[0] + parts @ self.weights[1:])


def fit_linear_hawkes(window: TrainingWindow) -> LinearHawkes:
    """Fit by expectation maximisation, which keeps every weight from below zero.

    Each step shares every event out among the parts that may have caused it (Veen &
    Schoenberg 2008); parts are the background and each pair of scale and ring.
    """
    background: TimeIndependent = fit_time_independent(window)
    stride = -(-window.origins_s.size // MOST_FITTING_ORIGINS)
    origins_s = window.origins_s[::stride].tolist()
    n_parts = 1 + len(SCALES_S) * len(RING_RADII)
    totals = np.zeros(n_parts)
    busy_parts: list[Floats] = []
    busy_counts: list[Floats] = []
    snapshots = walk_snapshots(
        window.history, window.grid, origins_s, timezone=window.timezone
    )
    for snapshot in snapshots:
        excitation = snapshot.aggregates.excitation
        parts = np.column_stack(
            [
                background.mean,
                hawkes_parts(window.grid, excitation, window.horizon_s),
            ]
        )
        end_s = snapshot.instant_s + window.horizon_s
        observed = window.history.counts_between(
            snapshot.instant_s, end_s, n_cells=len(window.grid)
        )
        totals += parts.sum(axis=0)
        busy_parts.append(parts[observed > 0])
        busy_counts.append(observed[observed > 0])
    weights = maximise_weights(
        np.concatenate(busy_parts), np.concatenate(busy_counts), totals
    )
    return LinearHawkes(
        background=background.mean, weights=weights, horizon_s=window.horizon_s
    )


def hawkes_parts(grid: Grid, excitation: Floats, horizon_s: float) -> Floats:
    """Events each scale and ring would trigger within a horizon at weight one.

    Shape (n_cells, n_scales * n_rings): the excitation integrated over the horizon
    as it decays, averaged over each ring.
    """
    scales_s = np.asarray(SCALES_S)
    decayed = excitation * -np.expm1(-horizon_s / scales_s)
    means = np.stack([product(ring, decayed) for ring in grid.rings], axis=2)
    return means.reshape(len(grid), -1)


def maximise_weights(parts: Floats, counts: Floats, totals: Floats) -> Floats:
    """Non-negative weights that maximise a Poisson likelihood of a linear mean.

    Parameters
    ----------
    parts, counts : ndarray of shape (n_busy, n_parts) and (n_busy,)
        Rows with events.
    totals : ndarray of shape (n_parts,)
        Sum of each part over all rows, with events and without.
    """
    safe = np.maximum(totals, 1e-12)
    weights = np.full(totals.size, counts.sum() / totals.size) / safe
    for _ in range(N_STEPS):
        shares = parts.T @ (counts / np.maximum(parts @ weights, 1e-300))
        updated = weights * shares / safe
        change = np.abs(updated - weights) @ safe / max(float(counts.sum()), 1.0)
        weights = updated
        if change < TOLERANCE:
            break
    return weights
