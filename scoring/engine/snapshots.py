"""A region at an instant: everything a forecaster may look at."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from scoring.engine.aggregates import CellAggregates, walk_aggregates
from scoring.engine.arrays import Floats, Integers
from scoring.engine.events import EventHistory
from scoring.engine.features import feature_matrix
from scoring.engine.grid import Grid
from scoring.engine.state import DAY_S

RECENT_S = 365 * DAY_S


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecentEvents:
    """Events of the last 365 days known at an instant, the oldest first.

    Attributes
    ----------
    cell_index, age_s, weight : ndarray of shape (n_events,)
        `weight` is that of the event in the excitation.
    """

    cell_index: Integers
    age_s: Floats
    weight: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshot:
    """A grid, its aggregates, its features and its recent events at one instant.

    Every field is required: a model may look at any of them.

    Attributes
    ----------
    grid : Grid
    aggregates : CellAggregates
    recent : RecentEvents
    instant_s : float
    timezone : str
    features : ndarray of shape (n_cells, n_features)
    """

    grid: Grid
    aggregates: CellAggregates
    recent: RecentEvents
    instant_s: float
    timezone: str
    features: Floats

    @property
    def record_days(self) -> float:
        """Days on record up to the instant, at least one."""
        return max((self.instant_s - self.aggregates.observed_since_s) / DAY_S, 1.0)


def take_snapshot(
    grid: Grid,
    aggregates: CellAggregates,
    recent: RecentEvents,
    instant_s: float,
    *,
    timezone: str,
) -> Snapshot:
    """Describe a region from what was known of its events at an instant."""
    return Snapshot(
        grid=grid,
        aggregates=aggregates,
        recent=recent,
        instant_s=instant_s,
        timezone=timezone,
        features=feature_matrix(grid, aggregates, instant_s, timezone),
    )


def walk_snapshots(
    history: EventHistory, grid: Grid, instants_s: Iterable[float], *, timezone: str
) -> Iterator[Snapshot]:
    """Describe a region at each of several ascending instants, point in time."""
    instants = list(instants_s)
    for instant_s, aggregates in zip(
        instants, walk_aggregates(history, grid, instants), strict=True
    ):
        recent = recent_events(history, instant_s)
        yield take_snapshot(grid, aggregates, recent, instant_s, timezone=timezone)


def recent_events(history: EventHistory, instant_s: float) -> RecentEvents:
    """Events of a history that happened in the 365 days before an instant."""
    bounds = (instant_s - RECENT_S, instant_s)
    first, end = np.searchsorted(history.occurred_s, bounds)
    known = history.arrived_s[first:end] <= instant_s
    return RecentEvents(
        cell_index=history.cell_index[first:end][known],
        age_s=instant_s - history.occurred_s[first:end][known],
        weight=history.weight[first:end][known],
    )
