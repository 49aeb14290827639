"""A branching process on the grid: what is expected of it, and its tilt to a forecast.

Time runs in steps. An event of weight w in cell j adds w * weights[k, r] of each
scale k and ring r to what the cells around j expect of later steps, as in the linear
Hawkes process from which it is made. Means are linear in it, so that they are known
without a simulation and can be tilted to those of another forecast exactly.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from scipy import sparse

from scoring.engine.arrays import Floats, SparseMatrix, product, row_scaled
from scoring.engine.errors import EngineError
from scoring.engine.grid import RING_RADII
from scoring.engine.models.hawkes import LinearHawkes
from scoring.engine.snapshots import Snapshot
from scoring.engine.state import SCALES_S

N_TILTS: Final = 12
TILT_BOUNDS: Final = (1e-3, 1e3)
LARGEST_BRANCHING_RATIO: Final = 0.95
SMALLEST: Final = 1e-15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BranchingProcess:
    """Immigrants by step and cell, and how events there beget others.

    Attributes
    ----------
    immigrants : ndarray of shape (n_steps, n_cells)
        Expected events that no event of the horizon has triggered, before the tilt.
    reach : ndarray of shape (n_steps, n_rings)
        Events that one of weight one triggers on each ring, by lag; none at lag zero.
    spread : tuple of sparse arrays of shape (n_cells, n_cells)
        Per ring: which cells (rows) the offspring of a cell (column) falls in.
    tilt : ndarray of shape (n_cells,)
        Factor on everything that falls in a cell.
    mean_weight : float
    step_s : float
    """

    immigrants: Floats
    reach: Floats
    spread: tuple[SparseMatrix, ...]
    tilt: Floats
    mean_weight: float
    step_s: float

    @property
    def tilted_spread(self) -> tuple[SparseMatrix, ...]:
        """Spread with the tilt of the cells that receive."""
        return tuple(row_scaled(ring, self.tilt) for ring in self.spread)

    def expected(self) -> Floats:
        """Mean number of events by step and cell, shape (n_steps, n_cells)."""
        mean = np.zeros_like(self.immigrants)
        for step in range(mean.shape[0]):
            arriving = self.immigrants[step].copy()
            for lag in range(1, step + 1):
                for ring, matrix in enumerate(self.spread):
                    share = self.reach[lag, ring] * self.mean_weight
                    if share > 0:
                        arriving += share * product(matrix, mean[step - lag])
            mean[step] = self.tilt * arriving
        return mean

    def tilted_to(self, target: Floats) -> Self:
        """The process whose mean numbers over the horizon are `target`, (n_cells,)."""
        process = self
        for _ in range(N_TILTS):
            mean = np.maximum(process.expected().sum(axis=0), SMALLEST)
            tilt = np.clip(process.tilt * target / mean, *TILT_BOUNDS)
            process = type(self)(
                immigrants=self.immigrants,
                reach=self.reach,
                spread=self.spread,
                tilt=tilt,
                mean_weight=self.mean_weight,
                step_s=self.step_s,
            )
        return process


def branching_process(
    hawkes: LinearHawkes, snapshot: Snapshot, *, horizon_s: float, mean_weight: float
) -> BranchingProcess:
    """Unfold a linear Hawkes process over a horizon.

    Parameters
    ----------
    hawkes : LinearHawkes
        Fitted for the step, its `horizon_s`.
    snapshot : Snapshot
        What has been known when the horizon begins.
    horizon_s : float
        A whole number of steps.
    mean_weight : float
        Of an event, by the severity transform.

    Raises
    ------
    EngineError
        When the horizon is no whole number of steps.
    """
    n_steps = round(horizon_s / hawkes.horizon_s)
    if n_steps < 1 or abs(n_steps * hawkes.horizon_s - horizon_s) > 1.0:
        raise EngineError("The horizon of a simulation is a whole number of its steps.")
    scales_s = np.asarray(SCALES_S)
    shape = (scales_s.size, len(RING_RADII))
    weights = hawkes.weights[1:].reshape(shape)
    weights = weights * _damping(weights, mean_weight)
    within = -np.expm1(-hawkes.horizon_s / scales_s)
    decay = np.exp(-hawkes.horizon_s / scales_s)
    excitation = snapshot.aggregates.excitation * within
    immigrants = np.empty((n_steps, len(snapshot.grid)))
    for step in range(n_steps):
        immigrants[step] = hawkes.background * hawkes.weights[0]
        for ring, matrix in enumerate(snapshot.grid.rings):
            immigrants[step] += product(matrix, excitation @ weights[:, ring])
        excitation = excitation * decay
    # An event in the middle of its step has decayed by half a step at the end of it.
    lags = np.arange(n_steps)[:, None] - 0.5
    fading = np.exp(-lags * hawkes.horizon_s / scales_s) * within
    reach = fading @ weights
    reach[0] = 0.0
    return BranchingProcess(
        immigrants=np.maximum(immigrants, SMALLEST),
        reach=reach,
        spread=snapshot.grid.rings,
        tilt=np.ones(len(snapshot.grid)),
        mean_weight=mean_weight,
        step_s=hawkes.horizon_s,
    )


def columns_of(matrix: SparseMatrix) -> SparseMatrix:
    """The transpose by rows: row j lists where column j of the matrix points."""
    return sparse.csr_array(matrix.T)


def _damping(weights: Floats, mean_weight: float) -> float:
    """Factor that keeps the expected offspring of an event below one."""
    ratio = float(weights.sum()) * mean_weight
    return min(1.0, LARGEST_BRANCHING_RATIO / max(ratio, SMALLEST))


def steps_of(horizon_s: float, *, longest_s: float) -> float:
    """The longest step of at most `longest_s` that divides a horizon."""
    return horizon_s / int(np.ceil(horizon_s / longest_s))
