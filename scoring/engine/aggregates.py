"""What one GROUP BY over the events known at an instant says about each cell."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from scoring.engine.arrays import Floats, Integers
from scoring.engine.errors import EngineError
from scoring.engine.events import EventHistory
from scoring.engine.grid import Grid
from scoring.engine.state import DAY_S, ExcitationState

WINDOWS_S = (DAY_S, 7 * DAY_S, 28 * DAY_S)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellAggregates:
    """Per-cell sums over the events known at an instant t, arrays over the grid.

    Attributes
    ----------
    excitation : ndarray of shape (n_cells, n_scales)
        Sum of weight * exp(-(t - occurred) / tau_k), tau_k of `state.SCALES_S`.
    count, count_1d, count_7d, count_28d : ndarray of shape (n_cells,)
        Events with occurred < t, of all time and with t - window <= occurred.
    last_occurred_s : ndarray of shape (n_cells,)
        NaN where nothing has happened.
    observed_since_s : float
        Start of the record: counts divide by t - observed_since_s.
    """

    excitation: Floats
    count: Floats
    count_1d: Floats
    count_7d: Floats
    count_28d: Floats
    last_occurred_s: Floats
    observed_since_s: float


def aggregates_at(
    history: EventHistory, grid: Grid, instant_s: float
) -> CellAggregates:
    """Aggregate what was known at one instant (occurred before, arrived by it)."""
    return next(iter(walk_aggregates(history, grid, [instant_s])))


def walk_aggregates(
    history: EventHistory, grid: Grid, instants_s: Iterable[float]
) -> Iterator[CellAggregates]:
    """Aggregate at each of several instants, taking in every event once.

    Parameters
    ----------
    history : EventHistory
    grid : Grid
    instants_s : iterable of float
        Ascending unix seconds.
    """
    walk = _Walk(history, len(grid))
    for instant_s in instants_s:
        walk.advance(instant_s)
        yield walk.read(instant_s)


class _Walk:
    """Running aggregates over events in the order in which they became known."""

    def __init__(self, history: EventHistory, n_cells: int) -> None:
        # An event that happens at t is no news of t: it is known just after.
        after = np.nextafter(history.occurred_s, np.inf)
        self.known_s = np.maximum(after, history.arrived_s)
        self.order = np.argsort(self.known_s, kind="stable")
        self.sorted_known_s = self.known_s[self.order]
        self.history = history
        self.n_cells = n_cells
        self.n_taken = 0
        self.state = ExcitationState(n_cells)
        self.count: Floats = np.zeros(n_cells)
        self.last_s: Floats = np.full(n_cells, -np.inf)
        self.since_s = float(history.occurred_s[0]) if len(history) else np.nan

    def advance(self, instant_s: float) -> None:
        end = int(np.searchsorted(self.sorted_known_s, instant_s, side="right"))
        if end < self.n_taken:
            raise EngineError("Instants of a walk through history ascend.")
        news = self.order[self.n_taken : end]
        self.n_taken = end
        cells, occurred_s = self.history.cell_index[news], self.history.occurred_s[news]
        self.state.add(cells, occurred_s, weight=self.history.weight[news])
        self.count += np.bincount(cells, minlength=self.n_cells)
        np.maximum.at(self.last_s, cells, occurred_s)

    def read(self, instant_s: float) -> CellAggregates:
        one_day, week, four_weeks = (
            self._count_since(instant_s, window_s) for window_s in WINDOWS_S
        )
        return CellAggregates(
            excitation=self.state.read(instant_s),
            count=self.count.copy(),
            count_1d=one_day,
            count_7d=week,
            count_28d=four_weeks,
            last_occurred_s=np.where(np.isinf(self.last_s), np.nan, self.last_s),
            observed_since_s=min(instant_s, self.since_s),
        )

    def _count_since(self, instant_s: float, window_s: float) -> Floats:
        bounds = (instant_s - window_s, instant_s)
        first, end = np.searchsorted(self.history.occurred_s, bounds)
        known = self.known_s[first:end] <= instant_s
        cells: Integers = self.history.cell_index[first:end][known]
        return np.bincount(cells, minlength=self.n_cells).astype(np.float64)
