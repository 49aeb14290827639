"""What an import found out about a file beside its rows."""

from collections.abc import Iterable

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

from analytics.grid import MAX_RESOLUTION
from analytics.ingest.chunk_work import Sights
from analytics.ingest.report import ImportReport
from analytics.ingest.survey import Survey

COARSEST = 2
FINEST = 10
EVENTS_PER_CELL = 2
# Neighbours of more cells than these would take longer to count than the file.
MAX_WIDENED = 200_000


class Findings:
    """Looks at the events of a file; a rehearsal also counts cells of many sizes."""

    def __init__(self, *, resolution: int, counts_cells: bool) -> None:
        self._survey = Survey()
        self._resolution = min(max(resolution + 1, FINEST - 1), MAX_RESOLUTION)
        self._cells: set[int] | None = set() if counts_cells else None

    def add(self, sights: Sights) -> None:
        self._survey.add(*sights)
        if self._cells is not None:
            self._cells.update(self._cells_of(sights.lat, sights.lon))

    def write(self, report: ImportReport) -> None:
        survey = self._survey
        report.extent = survey.extent
        report.midnight_share = round(survey.midnight_share, 4)
        report.oddities = survey.oddities()
        if self._cells:
            counts = self._counts_by_resolution(self._cells)
            chosen = _proposed(counts, survey.count)
            report.proposed_resolution = chosen
            shown = range(max(chosen - 1, COARSEST), chosen + 2)
            report.cells_by_resolution = {
                resolution: counts[resolution]
                for resolution in shown
                if resolution in counts
            }

    def _cells_of(
        self, lat: NDArray[np.float64], lon: NDArray[np.float64]
    ) -> Iterable[int]:
        # Many events share a place.
        places = np.unique(np.column_stack((lat, lon)), axis=0).tolist()
        return (h3.latlng_to_cell(y, x, self._resolution) for y, x in places)

    def _counts_by_resolution(self, cells: set[int]) -> dict[int, int]:
        """Count the cells that a region of these events would have."""
        counts = {}
        for resolution in range(self._resolution, COARSEST - 1, -1):
            cells = {h3.cell_to_parent(cell, resolution) for cell in cells}
            counts[resolution] = len(_widened(cells))
        return counts


def _widened(cells: set[int]) -> set[int]:
    if len(cells) > MAX_WIDENED:
        return cells
    return {near for cell in cells for near in h3.grid_disk(cell, 1)}


def _proposed(counts: dict[int, int], event_count: int) -> int:
    """Choose the finest grid with some events for each of its cells."""
    fine = [
        it for it, cells in counts.items() if event_count >= EVENTS_PER_CELL * cells
    ]
    return max(fine, default=COARSEST)
