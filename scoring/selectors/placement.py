"""Finds the regions and the cells in which points lie."""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

from analytics.grid import RegionGrid
from perf.deadlines import watched
from riskplatform.api.keys.access import OwnedRegion
from scoring.engine.arrays import Cells, Floats
from scoring.models import Cell, Region
from scoring.selectors.regions import get_region_grid, read_bounds

# A new region takes part in ingestion after this time at the latest.
MAX_AGE_S = 30.0
# With more candidates it is quicker to read all cells than to look each one up.
MAX_LOOKED_UP = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Map:
    """The regions as they were, and the cells of each resolution with their region.

    A cell that several regions hold belongs to the region whose slug comes first.
    """

    taken_s: float
    grids: dict[str, RegionGrid]
    region_of_cell: dict[int, dict[int, str]]


class StoredRegions:
    """Answers from memory; the regions are read again every few seconds.

    A region that is named and not known yet is looked up.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._map: _Map | None = None

    def find(self, slug: str) -> RegionGrid | None:
        grid = self._current().grids.get(slug)
        if grid is None and self.find_ownership(slug) is not None:
            # It came in after the regions were read.
            self.forget()
            grid = self._current().grids.get(slug)
        return grid

    def find_ownership(self, slug: str) -> OwnedRegion | None:
        return Region.objects.defer("boundary").filter(slug=slug).first()

    def place(
        self, lat: NDArray[np.float64], lon: NDArray[np.float64]
    ) -> Sequence[str | None]:
        by_resolution = self._current().region_of_cell.items()
        return [
            next(
                (
                    region
                    for resolution, regions in by_resolution
                    if (region := regions.get(h3.latlng_to_cell(y, x, resolution)))
                ),
                None,
            )
            for y, x in zip(lat.tolist(), lon.tolist(), strict=True)
        ]

    def forget(self) -> None:
        """Read the regions again at the next call."""
        self._map = None

    def _current(self) -> _Map:
        with self._lock:
            known = self._map
            if known is None or time.monotonic() - known.taken_s > MAX_AGE_S:
                known = self._map = _read_map()
            return known


def _read_map() -> _Map:
    grids: dict[str, RegionGrid] = {}
    bounds = read_bounds()
    region_of_cell: dict[int, dict[int, str]] = {}
    slugs: dict[int, tuple[str, int]] = {}
    for region in Region.objects.defer("boundary").order_by("slug"):
        grids[region.slug] = get_region_grid(region, bounds=bounds.get(region.pk))
        slugs[region.pk] = (region.slug, region.resolution)
    cells = Cell.objects.order_by("region__slug").values_list("region_id", "h3")
    for region_id, cell in cells.iterator(chunk_size=20_000):
        if region_id not in slugs:
            # A region that came in between the two queries is there the next time.
            continue
        slug, resolution = slugs[region_id]
        region_of_cell.setdefault(resolution, {}).setdefault(cell, slug)
    return _Map(taken_s=time.monotonic(), grids=grids, region_of_cell=region_of_cell)


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
    none = np.zeros(0, np.int64)
    return Places(
        row=np.concatenate([none, *(part.row for part in found)]),
        region_id=np.concatenate([none, *(part.region_id for part in found)]),
        cell=np.concatenate([none.astype(np.uint64), *(part.cell for part in found)]),
    )


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
