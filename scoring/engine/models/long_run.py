"""The rates of the past, unchanged: raw counts and counts smoothed in space."""

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from scoring.engine.arrays import Floats, product
from scoring.engine.models.tuning import best_candidate
from scoring.engine.smoothing import gaussian_kernel
from scoring.engine.snapshots import Snapshot
from scoring.engine.state import DAY_S
from scoring.engine.training import TrainingWindow

PSEUDO_EVENTS: Final = (0.03, 0.1, 0.3, 1.0)
BANDWIDTHS_CELLS: Final = (0.35, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0)
UNIFORM_SHARES: Final = (0.003, 0.01, 0.03)
KDE_WINDOWS_DAYS: Final = (90.0, 180.0, 365.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LongRunCount:
    """Every cell goes on at the mean rate of its whole record.

    Attributes
    ----------
    horizon_s : float
    pseudo_events : float
        Events added to every cell, so that one without events stays possible.
    """

    kind: ClassVar[str] = "long_run_count"
    recalibrates: ClassVar[bool] = True

    horizon_s: float
    pseudo_events: float

    def mean_of(self, snapshot: Snapshot) -> Floats:
        """Mean number of events per cell, shape (n_cells,)."""
        count = snapshot.aggregates.count
        per_day = max(float(count.sum()), 1.0) / snapshot.record_days
        weights = count + self.pseudo_events
        return np.asarray(weights / weights.sum() * per_day * self.horizon_s / DAY_S)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TimeIndependent:
    """One smoothed map of rates, the same at every instant.

    Attributes
    ----------
    mean : ndarray of shape (n_cells,)
        Expected events per horizon, fixed when the model was fitted.
    """

    kind: ClassVar[str] = "time_independent"
    recalibrates: ClassVar[bool] = False

    mean: Floats

    def mean_of(self, snapshot: Snapshot) -> Floats:
        """Mean number of events per cell, shape (n_cells,)."""
        del snapshot
        return self.mean


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KernelDensity:
    """Gaussian kernel density of the events of a trailing window.

    Attributes
    ----------
    horizon_s, window_days, bandwidth_cells, uniform_share : float
    """

    kind: ClassVar[str] = "kernel_density"
    recalibrates: ClassVar[bool] = True

    horizon_s: float
    window_days: float
    bandwidth_cells: float
    uniform_share: float

    def mean_of(self, snapshot: Snapshot) -> Floats:
        """Mean number of events per cell, shape (n_cells,)."""
        recent = snapshot.recent
        inside = recent.age_s <= self.window_days * DAY_S
        n_cells = len(snapshot.grid)
        count = np.bincount(recent.cell_index[inside], minlength=n_cells)
        days = min(self.window_days, snapshot.record_days)
        return smoothed_mean(
            snapshot,
            count / days * (self.horizon_s / DAY_S),
            bandwidth_cells=self.bandwidth_cells,
            uniform_share=self.uniform_share,
        )


def fit_long_run_count(window: TrainingWindow) -> LongRunCount:
    """Tune the pseudo-events."""
    candidates = [
        LongRunCount(horizon_s=window.horizon_s, pseudo_events=events)
        for events in PSEUDO_EVENTS
    ]
    return best_candidate(window, candidates, LongRunCount.mean_of)


def fit_time_independent(window: TrainingWindow) -> TimeIndependent:
    """Tune the bandwidth on maps of the past, then fix the map of all training."""
    candidates = [
        (bandwidth, share) for bandwidth in BANDWIDTHS_CELLS for share in UNIFORM_SHARES
    ]

    def mean_of(candidate: tuple[float, float], snapshot: Snapshot) -> Floats:
        return _map_of(snapshot, snapshot.aggregates.count, candidate)

    best = best_candidate(window, candidates, mean_of)
    record_s = window.until_s - float(window.history.occurred_s[0])
    n_cells = len(window.grid)
    count = np.bincount(window.history.cell_index, minlength=n_cells)
    kernel = gaussian_kernel(window.grid, best[0])
    spread = product(kernel, count.astype(np.float64))
    mixed = (1.0 - best[1]) * spread + best[1] * spread.mean()
    return TimeIndependent(mean=mixed * (window.horizon_s / record_s))


def fit_kernel_density(window: TrainingWindow) -> KernelDensity:
    """Tune window, bandwidth and uniform share."""
    candidates = [
        KernelDensity(
            horizon_s=window.horizon_s,
            window_days=days,
            bandwidth_cells=bandwidth,
            uniform_share=share,
        )
        for days in KDE_WINDOWS_DAYS
        for bandwidth in BANDWIDTHS_CELLS
        for share in UNIFORM_SHARES
    ]
    return best_candidate(window, candidates, KernelDensity.mean_of)


def smoothed_mean(
    snapshot: Snapshot, count: Floats, *, bandwidth_cells: float, uniform_share: float
) -> Floats:
    """Counts spread by a Gaussian, a share of them evenly, shape (n_cells,)."""
    return _map_of(snapshot, count, (bandwidth_cells, uniform_share))


def _map_of(
    snapshot: Snapshot, count: Floats, candidate: tuple[float, float]
) -> Floats:
    bandwidth_cells, uniform_share = candidate
    spread = product(gaussian_kernel(snapshot.grid, bandwidth_cells), count)
    even = max(float(spread.mean()), 1e-9)
    return np.asarray((1.0 - uniform_share) * spread + uniform_share * even)
