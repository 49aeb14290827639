"""Work of known size on made-up inputs, for whoever measures how long it takes."""

from typing import Final

import h3.api.numpy_int as h3
import numpy as np

from scoring.engine.arrays import Floats
from scoring.engine.branching import BranchingProcess
from scoring.engine.grid import RING_RADII, Grid, build_grid
from scoring.engine.models.glm import PoissonGlm, fit_glm_rows
from scoring.engine.simulation import ScenarioSet, simulate
from scoring.engine.state import DAY_S, ExcitationState
from scoring.engine.training import TrainingRows

SEED: Final = 1
CENTRE: Final = (41.88, -87.63)
RESOLUTION: Final = 8
EVENTS_PER_CELL_AND_DAY: Final = 0.01


def compact_grid(n_cells: int) -> Grid:
    """A grid of the cells nearest to one place, about `n_cells` of them."""
    # A disk of radius k holds 1 + 3 k (k + 1) cells.
    radius = round((np.sqrt(12.0 * n_cells - 3.0) - 3.0) / 6.0)
    return build_grid(h3.grid_disk(h3.latlng_to_cell(*CENTRE, RESOLUTION), radius))


def clustered_process(grid: Grid, *, n_steps: int) -> BranchingProcess:
    """A branching process in which every event begets 0.5 others within the horizon."""
    rng = _generator()
    shape = (n_steps, len(grid))
    reach = np.zeros((n_steps, len(RING_RADII)))
    reach[1:] = 0.5 * np.array([0.5, 0.3, 0.15, 0.05]) / max(n_steps - 1, 1)
    background = rng.gamma(0.6, EVENTS_PER_CELL_AND_DAY / 0.6, len(grid))
    return BranchingProcess(
        immigrants=np.broadcast_to(background, shape) + 1e-9,
        reach=reach,
        spread=grid.rings,
        tilt=np.ones(len(grid)),
        mean_weight=1.0,
        step_s=DAY_S,
    )


def draw_scenarios(process: BranchingProcess, *, n_scenarios: int) -> ScenarioSet:
    """Tilt a process to other means and draw joint scenarios of it."""
    target = process.expected().sum(axis=0) * 1.1
    alpha = np.full(target.size, 2.0)
    return simulate(
        process.tilted_to(target),
        n_scenarios=n_scenarios,
        seed=SEED,
        alpha=alpha,
        frailty=0.05,
    )


def arriving_events(n_events: int, *, n_cells: int) -> tuple[Floats, Floats]:
    """Cells and times of events in the order in which they happened."""
    rng = _generator()
    cells = rng.integers(0, n_cells, n_events).astype(np.float64)
    return cells, np.sort(rng.uniform(0.0, 30.0 * DAY_S, n_events))


def take_in(events: tuple[Floats, Floats], *, n_cells: int, batch: int) -> Floats:
    """Add events to a state in batches and read it, shape (n_cells, n_scales)."""
    cells, times_s = events
    state = ExcitationState(n_cells)
    for start in range(0, cells.size, batch):
        part = slice(start, start + batch)
        state.add(cells[part].astype(np.int64), times_s[part])
    return state.read(30.0 * DAY_S)


def training_rows(n_rows: int, *, n_features: int) -> TrainingRows:
    """Rows of features, of which the first two make events likelier."""
    rng = _generator()
    features = rng.standard_normal((n_rows, n_features))
    mean = np.exp(0.6 * features[:, 0] - 0.4 * features[:, 1] - 3.0)
    return TrainingRows(
        features=features,
        observed=rng.poisson(mean).astype(np.float64),
        weight=np.ones(n_rows),
        origin=np.zeros(n_rows, dtype=np.int64),
        cell_index=np.arange(n_rows),
    )


def fit_regression(rows: TrainingRows) -> PoissonGlm:
    """Fit the regression of the served ensemble."""
    return fit_glm_rows(rows, ridge=np.full(rows.features.shape[1], 1e-3))


def _generator() -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=SEED))
