"""The events of a region as the engine wants them: trained on, and aggregated."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from analytics.features import cell_aggregates, event_columns
from scoring.engine.aggregates import CellAggregates
from scoring.engine.events import EventHistory, SeverityTransform, build_history
from scoring.engine.grid import Grid
from scoring.engine.state import SCALES_S
from scoring.models import Region

TRANSFORMS = {
    Region.SeverityTransform.NONE: SeverityTransform(kind="one"),
    Region.SeverityTransform.LOG: SeverityTransform(kind="log"),
    Region.SeverityTransform.MAGNITUDE: SeverityTransform(kind="exponential"),
}


def load_history(region: Region, grid: Grid, *, until: datetime) -> EventHistory:
    """Read the events before `until`, one row an event.

    An event counts as known from when it happened: a history that was imported in
    one go arrived long after it all, and would teach nothing otherwise.
    """
    columns = event_columns(region.slug, until=until)
    return build_history(
        grid,
        columns.cell,
        columns.occurred_s,
        severity=columns.severity,
        transform=severity_transform_of(region),
    )


def load_aggregates(
    region: Region, grid: Grid, *, instant: datetime, known_at: datetime | None = None
) -> CellAggregates:
    """Aggregate in ClickHouse what happened in each cell before `instant`.

    With `known_at`, what arrived later is left out.
    """
    columns = cell_aggregates(
        region.slug,
        instant,
        scales_s=SCALES_S,
        weight=severity_transform_of(region),
        known_at=known_at,
    )
    spread, instant_s = CellSpreader(grid, columns.cell), instant.timestamp()
    return CellAggregates(
        excitation=spread(columns.excitation),
        count=spread(columns.count),
        count_1d=spread(columns.count_1d),
        count_7d=spread(columns.count_7d),
        count_28d=spread(columns.count_28d),
        last_occurred_s=spread(columns.last_occurred_s, fill=np.nan),
        # Before the first event the record begins, and ends, at the instant.
        observed_since_s=float(np.nan_to_num(columns.first_occurred_s, nan=instant_s)),
    )


def severity_transform_of(region: Region) -> SeverityTransform:
    return TRANSFORMS[Region.SeverityTransform(region.severity_transform)]


class CellSpreader:
    """Puts the values of the cells that saw events where the grid has these cells."""

    def __init__(self, grid: Grid, cells: NDArray[np.uint64]) -> None:
        place = grid.index_of(cells)
        self.n_cells = len(grid)
        self.inside = place >= 0
        self.place = place[self.inside]

    def __call__(
        self, values: NDArray[np.float64 | np.int64], *, fill: float = 0.0
    ) -> NDArray[np.float64]:
        spread_out = np.full((self.n_cells, *values.shape[1:]), fill)
        spread_out[self.place] = values[self.inside]
        return spread_out
