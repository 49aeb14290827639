"""Small regions with events, made from a seed."""

import h3.api.numpy_int as h3
import numpy as np
from numpy.typing import NDArray

from scoring.engine.events import EventHistory, build_history
from scoring.engine.grid import Grid, build_grid
from scoring.engine.state import DAY_S

START_S = 1_600_000_000.0
TIMEZONE = "America/Chicago"


def make_grid(*, radius: int = 4) -> Grid:
    centre = h3.latlng_to_cell(41.88, -87.63, 8)
    return build_grid(h3.grid_disk(centre, radius))


def make_history(
    grid: Grid, *, n_days: int = 400, events_per_day: float = 6.0, seed: int = 1
) -> EventHistory:
    """Events around a few hot cells; a third of them repeats within days nearby."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    n_events = rng.poisson(events_per_day * n_days)
    rate = rng.gamma(0.7, size=len(grid)) + 0.05
    cell_index = rng.choice(len(grid), size=n_events, p=rate / rate.sum())
    occurred_s = START_S + np.sort(rng.uniform(0, n_days * DAY_S, n_events))
    repeats = rng.random(n_events) < 1 / 3
    later_s = occurred_s[repeats] + rng.exponential(2 * DAY_S, int(repeats.sum()))
    cells: NDArray[np.uint64] = grid.cells[
        np.concatenate([cell_index, cell_index[repeats]])
    ]
    times = np.concatenate([occurred_s, later_s])
    kept = times < START_S + n_days * DAY_S
    return build_history(grid, cells[kept], times[kept])
