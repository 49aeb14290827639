"""Finds the cells of regions in which places lie, many places at a time."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

from perf.deadlines import watched
from scoring.engine.arrays import Cells, Floats
from scoring.models import Cell, Region

# With more candidates it is quicker to read all cells than to look each one up.
MAX_LOOKED_UP = 500


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Which place lies in which cell of which region; every array is as long."""

    row: NDArray[np.int64]
    region_id: NDArray[np.int64]
    cell: Cells


def find_places(lat: Floats, lon: Floats) -> Places:
    """Find every region's cell of each place: two queries for any number of places."""
    regions = list(Region.objects.order_by("pk").values_list("pk", "resolution"))
    cells_at = {
        resolution: cells_of(lat, lon, resolution)
        for resolution in {resolution for _, resolution in regions}
    }
    known = _known_cells([pk for pk, _ in regions], cells_at.values())
    found = [
        members(pk, cells_at[resolution], known[pk])
        for pk, resolution in regions
        if pk in known
    ]
    return _joined(found)


def cells_of(lat: Floats, lon: Floats, resolution: int) -> Cells:
    find_cell = h3.latlng_to_cell
    pairs = watched(zip(lat.tolist(), lon.tolist(), strict=True))
    cells = (find_cell(y, x, resolution) for y, x in pairs)
    return np.fromiter(cells, dtype=np.uint64, count=lat.size)


def _known_cells(
    region_ids: list[int], candidates: Iterable[Cells]
) -> dict[int, Cells]:
    """Read the cells that count, by region."""
    cells = Cell.objects.filter(region__in=region_ids)
    wanted = np.unique(np.concatenate([np.zeros(0, np.uint64), *candidates]))
    if wanted.size <= MAX_LOOKED_UP:
        cells = cells.filter(h3__in=wanted.tolist())
    found: dict[int, list[int]] = defaultdict(list)
    rows = cells.order_by().values_list("region_id", "h3")
    for region_id, cell in rows.iterator(chunk_size=20_000):
        found[region_id].append(cell)
    return {pk: np.array(ids, dtype=np.uint64) for pk, ids in found.items()}


def members(region_id: int, cells: Cells, known: Cells) -> Places:
    """Give those of some cells, one for each place, that a region has."""
    rows = np.flatnonzero(np.isin(cells, known))
    return Places(
        row=rows.astype(np.int64),
        region_id=np.full(rows.size, region_id, dtype=np.int64),
        cell=cells[rows],
    )


def _joined(parts: list[Places]) -> Places:
    none = np.zeros(0, np.int64)
    return Places(
        row=np.concatenate([none, *(part.row for part in parts)]),
        region_id=np.concatenate([none, *(part.region_id for part in parts)]),
        cell=np.concatenate([none.astype(np.uint64), *(part.cell for part in parts)]),
    )
