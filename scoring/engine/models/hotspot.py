"""Prospective hotspots: recent and near events weigh most (Bowers et al. 2004)."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Final

import numpy as np

from scoring.engine.arrays import Floats, SparseMatrix, product
from scoring.engine.grid import Grid
from scoring.engine.models.tuning import best_candidate
from scoring.engine.smoothing import cell_spacing_km, distances_km
from scoring.engine.snapshots import Snapshot
from scoring.engine.state import DAY_S
from scoring.engine.training import TrainingWindow

REACHES_CELLS: Final = (2.0, 4.0, 8.0)
MEMORIES_WEEKS: Final = (8.0, 26.0, 52.0)
UNIFORM_SHARES: Final = (0.03, 0.1, 0.3)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProspectiveHotspot:
    """Each recent event adds 1 / (1 + cells away) * 1 / (1 + weeks ago).

    Attributes
    ----------
    horizon_s, reach_cells, memory_weeks, uniform_share : float
    """

    kind: ClassVar[str] = "prospective_hotspot"
    recalibrates: ClassVar[bool] = True

    horizon_s: float
    reach_cells: float
    memory_weeks: float
    uniform_share: float

    def mean_of(self, snapshot: Snapshot) -> Floats:
        """Mean number of events per cell, shape (n_cells,)."""
        n_cells = len(snapshot.grid)
        weeks = snapshot.recent.age_s / (7 * DAY_S)
        inside = weeks <= self.memory_weeks
        recency = 1.0 / (1.0 + np.floor(weeks[inside]))
        cells = snapshot.recent.cell_index[inside]
        recent = np.bincount(cells, recency, n_cells).astype(np.float64)
        spread = product(_nearness(snapshot.grid, self.reach_cells), recent)
        days = min(self.memory_weeks * 7.0, snapshot.record_days)
        expected = max(cells.size, 1) / days * (self.horizon_s / DAY_S)
        share = spread / spread.sum() if cells.size else np.full(n_cells, 1 / n_cells)
        even = self.uniform_share / n_cells
        return np.asarray(expected * ((1.0 - self.uniform_share) * share + even))


def fit_prospective_hotspot(window: TrainingWindow) -> ProspectiveHotspot:
    """Tune reach, memory and uniform share."""
    candidates = [
        ProspectiveHotspot(
            horizon_s=window.horizon_s,
            reach_cells=reach,
            memory_weeks=memory,
            uniform_share=share,
        )
        for reach in REACHES_CELLS
        for memory in MEMORIES_WEEKS
        for share in UNIFORM_SHARES
    ]
    return best_candidate(window, candidates, ProspectiveHotspot.mean_of)


@lru_cache(maxsize=8)
def _nearness(grid: Grid, reach_cells: float) -> SparseMatrix:
    spacing_km = cell_spacing_km(grid)
    near = distances_km(grid, reach_cells * spacing_km).copy()
    near.data = 1.0 / (1.0 + near.data / spacing_km)
    return near
