"""Features of cells at an instant, of what had happened and had arrived by then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from analytics.reads.features import EventScope, cell_aggregates
from riskplatform.kernel.errors import FieldFault, InvalidInputError
from riskplatform.kernel.instants import EARLIEST
from scoring.cell_ids import hex_of
from scoring.engine.arrays import Floats
from scoring.engine.features import feature_matrix, feature_names
from scoring.engine.grid import Grid
from scoring.engine.state import DAY_S
from scoring.errors import CellNotInRegionError
from scoring.models import Region
from scoring.selectors.events import (
    CellSpreader,
    load_aggregates,
    severity_transform_of,
)
from scoring.selectors.grids import grid_of
from scoring.selectors.model_versions import find_champion
from scoring.selectors.regions import list_cell_ids

MOST_CELLS = 20_000
REPORTED_CELLS = 20


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
    grid = _grid_of_region(region)
    aggregates = load_aggregates(
        region,
        grid,
        instant=instant,
        since=_record_start(region, instant),
        known_at=known_at,
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
    rows = _rows_of(grid, cells, region)
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


def _record_start(region: Region, instant: datetime) -> datetime:
    """Give from when on the champion knows events, where it knows any by then."""
    champion = find_champion(region)
    if champion is None or champion.trained_from > instant:
        return EARLIEST
    return champion.trained_from


def _grid_of_region(region: Region) -> Grid:
    cells = list_cell_ids(region)
    if not 0 < cells.size <= MOST_CELLS:
        raise InvalidInputError(
            f"Region {region.slug!r} has {cells.size} cells; features are given for "
            f"regions of 1 to {MOST_CELLS}.",
            faults=[FieldFault("region", "The region has no usable size.")],
        )
    return grid_of(cells)


def _rows_of(grid: Grid, cells: Sequence[int], region: Region) -> NDArray[np.int64]:
    rows = grid.index_of(np.array(cells, dtype=np.uint64))
    unknown = np.flatnonzero(rows < 0)
    if unknown.size:
        raise CellNotInRegionError(
            f"{unknown.size} of {len(cells)} cells are not part of {region.slug!r}.",
            faults=[
                FieldFault(
                    ("cell_ids", index),
                    f"Cell {hex_of(cells[index])} is not in the region.",
                )
                for index in unknown[:REPORTED_CELLS].tolist()
            ],
        )
    return rows
