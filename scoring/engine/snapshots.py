"""A region at an instant: everything a forecaster may look at."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

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
    """Events of the last 365 days known at an instant, shape (n_events,) each."""

    cell_index: Integers
    age_s: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshot:
    """A grid, its aggregates and its features as known at one instant.

    Attributes
    ----------
    grid : Grid
    aggregates : CellAggregates
    instant_s : float
    timezone : str
    features : ndarray of shape (n_cells, n_features)
    recent : RecentEvents
        For the baselines that look at single events; empty where not supplied.
    """

    grid: Grid
    aggregates: CellAggregates
    instant_s: float
    timezone: str
    features: Floats
    recent: RecentEvents = field(
        default_factory=lambda: RecentEvents(
            cell_index=np.zeros(0, np.int64), age_s=np.zeros(0)
        )
    )

    @property
    def record_days(self) -> float:
        """Days on record up to the instant, at least one."""
        return max((self.instant_s - self.aggregates.observed_since_s) / DAY_S, 1.0)


def take_snapshot(
    grid: Grid, aggregates: CellAggregates, instant_s: float, *, timezone: str
) -> Snapshot:
    """Describe a region from the aggregates of its cells."""
    return Snapshot(
        grid=grid,
        aggregates=aggregates,
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
        yield Snapshot(
            grid=grid,
            aggregates=aggregates,
            instant_s=instant_s,
            timezone=timezone,
            features=feature_matrix(grid, aggregates, instant_s, timezone),
            recent=_recent(history, instant_s),
        )


def _recent(history: EventHistory, instant_s: float) -> RecentEvents:
    bounds = (instant_s - RECENT_S, instant_s)
    first, end = np.searchsorted(history.occurred_s, bounds)
    known = history.arrived_s[first:end] <= instant_s
    return RecentEvents(
        cell_index=history.cell_index[first:end][known],
        age_s=instant_s - history.occurred_s[first:end][known],
    )
