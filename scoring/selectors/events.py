"""The events of a region as the engine wants them: records, aggregates and features."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from analytics.reads.features import (
    EventScope,
    RegionExtent,
    cell_aggregates,
    event_columns,
    region_extent,
)
from riskplatform.kernel.errors import FieldFault, InvalidInputError
from riskplatform.kernel.instants import EARLIEST, LATEST
from scoring.cell_ids import hex_of
from scoring.engine.aggregates import CellAggregates
from scoring.engine.arrays import Floats
from scoring.engine.events import EventHistory, SeverityTransform, build_history
from scoring.engine.features import feature_matrix, feature_names
from scoring.engine.grid import Grid
from scoring.engine.outliers import UsableRecord, without_outliers
from scoring.engine.snapshots import (
    RECENT_S,
    Snapshot,
    recent_events,
    take_snapshot,
)
from scoring.engine.state import DAY_S, SCALES_S
from scoring.errors import CellNotInRegionError
from scoring.models import Region
from scoring.selectors.model_versions import find_champion
from scoring.selectors.regions import grid_of, list_cell_ids

TRANSFORMS = {
    Region.SeverityTransform.NONE: SeverityTransform(kind="one"),
    Region.SeverityTransform.LOG: SeverityTransform(kind="log"),
    Region.SeverityTransform.MAGNITUDE: SeverityTransform(kind="exponential"),
}
MOST_CELLS = 20_000
REPORTED_CELLS = 20


def extent_until_now(region: Region) -> RegionExtent:
    """Say what a region has events of, leaving out what is dated in the future."""
    now, extent = timezone.now(), region_extent(region.slug)
    if extent.last_occurred_at is None or extent.last_occurred_at < now:
        return extent
    return region_extent(region.slug, until=now)


def load_history(
    region: Region, grid: Grid, *, until: datetime, since: datetime = EARLIEST
) -> EventHistory:
    """Read the events from `since` on and before `until`, one row an event.

    An event counts as known from when it happened: a history that was imported in
    one go arrived long after it all, and would teach nothing otherwise.
    """
    columns = event_columns(region.slug, since=since, until=until)
    return build_history(
        grid,
        columns.cell,
        columns.occurred_s,
        severity=columns.severity,
        transform=severity_transform_of(region),
    )


def load_usable_record(region: Region, grid: Grid, *, until: datetime) -> UsableRecord:
    """Read the events before `until` that models learn from."""
    return without_outliers(load_history(region, grid, until=until))


def notes_on(record: UsableRecord) -> list[str]:
    """Name the events that models do not learn from."""
    if not record.left_out_s.size:
        return []
    first, last = (
        datetime.fromtimestamp(float(moment_s), tz=UTC).isoformat()
        for moment_s in record.left_out_s[[0, -1]]
    )
    count = record.left_out_s.size
    what = (
        f"1 event of {first}" if count == 1 else f"{count} events, {first} to {last},"
    )
    begins = datetime.fromtimestamp(float(record.history.occurred_s[0]), tz=UTC)
    note = (
        f"Left out: {what} far before all others; the record is taken to begin at "
        f"{begins.isoformat()}. Correct or retract events that have a wrong date."
    )
    return [note]


def load_snapshot(
    region: Region, grid: Grid, *, instant: datetime, since: datetime
) -> Snapshot:
    """Describe a region as the back-test does: the same fields from the same events.

    `since` is where the record begins that the model was fitted on; what happened
    before counts for nothing, as in the fit.
    """
    aggregates = load_aggregates(region, grid, instant=instant, since=since)
    oldest = max(since, instant - timedelta(seconds=RECENT_S))
    instant_s = instant.timestamp()
    recent = recent_events(
        load_history(region, grid, since=oldest, until=instant), instant_s
    )
    return take_snapshot(grid, aggregates, recent, instant_s, timezone=region.timezone)


def load_aggregates(
    region: Region,
    grid: Grid,
    *,
    instant: datetime,
    since: datetime = EARLIEST,
    known_at: datetime = LATEST,
) -> CellAggregates:
    """Aggregate in ClickHouse what happened in each cell before `instant`.

    What happened before `since` is left out, and with `known_at` what arrived later.
    """
    columns = cell_aggregates(
        region.slug,
        instant,
        scales_s=SCALES_S,
        weight=severity_transform_of(region),
        scope=EventScope(since=since, known_at=known_at),
    )
    spread = CellSpreader(grid, columns.cell)
    first_s = columns.first_occurred_s[spread.inside]
    return CellAggregates(
        excitation=spread(columns.excitation),
        count=spread(columns.count),
        count_1d=spread(columns.count_1d),
        count_7d=spread(columns.count_7d),
        count_28d=spread(columns.count_28d),
        last_occurred_s=spread(columns.last_occurred_s, fill=np.nan),
        # Before the first event the record begins, and ends, at the instant.
        observed_since_s=float(first_s.min(initial=instant.timestamp())),
    )


def severity_transform_of(region: Region) -> SeverityTransform:
    return TRANSFORMS[Region.SeverityTransform(region.severity_transform)]


class CellSpreader:
    """Puts the values of the cells that saw events where the grid has these cells."""

    def __init__(self, grid: Grid, cells: NDArray[np.uint64]) -> None:
        index = grid.index_of(cells)
        self.n_cells = len(grid)
        self.inside = index >= 0
        self._index = index[self.inside]

    def __call__(
        self, values: NDArray[np.float64 | np.int64], *, fill: float = 0.0
    ) -> NDArray[np.float64]:
        spread_out = np.full((self.n_cells, *values.shape[1:]), fill)
        spread_out[self._index] = values[self.inside]
        return spread_out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeatureSnapshot:
    """What models look at: `features` (n_cells, n_names) of each of `cells`.

    The features depend on events from `window_start` on and before the instant.
    """

    cells: NDArray[np.uint64]
    names: tuple[str, ...]
    features: Floats
    window_start: datetime


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowFeatures:
    """Sums over trailing windows, (n_cells, n_windows); over all time, (n_cells,).

    Attributes
    ----------
    count
        Events in the window.
    excitation
        Events of all time, each weighed by its severity, as the region transforms it,
        and by exp(-age / window).
    total
        Events of all time.
    days_since_last
        NaN where nothing has happened.
    """

    count: Floats
    excitation: Floats
    total: Floats
    days_since_last: Floats


def take_feature_snapshot(
    region: Region, *, instant: datetime, known_at: datetime
) -> FeatureSnapshot:
    """Describe every cell as the engine does for the region's champion."""
    grid, champion = _grid_of_region(region), find_champion(region)
    since = EARLIEST
    if champion is not None and champion.trained_from <= instant:
        since = champion.trained_from
    aggregates = load_aggregates(
        region, grid, instant=instant, since=since, known_at=known_at
    )
    return FeatureSnapshot(
        cells=grid.cells,
        names=feature_names(),
        features=feature_matrix(grid, aggregates, instant.timestamp(), region.timezone),
        window_start=datetime.fromtimestamp(aggregates.observed_since_s, tz=UTC),
    )


def build_windows(
    region: Region,
    *,
    cells: Sequence[int],
    instant: datetime,
    windows_s: Sequence[float],
    known_at: datetime,
) -> WindowFeatures:
    """Describe some cells by windows that end at an instant, in the order given.

    Raises
    ------
    CellNotInRegionError
        Names the first cells that the region does not have.
    """
    grid = _grid_of_region(region)
    rows = grid.index_of(np.array(cells, dtype=np.uint64))
    refuse_unknown(np.flatnonzero(rows < 0), cells, repr(region.slug), field="cell_ids")
    columns = cell_aggregates(
        region.slug,
        instant,
        scales_s=windows_s,
        windows_s=windows_s,
        weight=severity_transform_of(region),
        scope=EventScope(known_at=known_at),
    )
    spread = CellSpreader(grid, columns.cell)
    last_s = spread(columns.last_occurred_s, fill=np.nan)[rows]
    return WindowFeatures(
        count=spread(columns.window_count)[rows],
        excitation=spread(columns.excitation)[rows],
        total=spread(columns.count)[rows],
        days_since_last=(instant.timestamp() - last_s) / DAY_S,
    )


def _grid_of_region(region: Region) -> Grid:
    cells = list_cell_ids(region)
    if not 0 < cells.size <= MOST_CELLS:
        raise InvalidInputError(
            f"Region {region.slug!r} has {cells.size} cells; features are given for "
            f"regions of 1 to {MOST_CELLS}.",
            faults=[FieldFault("region", "The region has no usable size.")],
        )
    return grid_of(cells)


def refuse_unknown(
    unknown: NDArray[np.int64],
    cells: Sequence[int],
    whole: str,
    *,
    field: str,
    member: tuple[str, ...] = (),
) -> None:
    """Name the first of the cells, by position, that are not part of a whole."""
    if unknown.size:
        raise CellNotInRegionError(
            f"{unknown.size} of {len(cells)} cells are not part of {whole}.",
            faults=[
                FieldFault(
                    (field, index, *member),
                    f"Cell {hex_of(cells[index])} is not in the region.",
                )
                for index in unknown[:REPORTED_CELLS].tolist()
            ],
        )
