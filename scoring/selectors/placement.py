"""Finds the region of an event for ingestion, from the stored regions."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

from analytics.grid import RegionGrid
from riskplatform.api.keys.access import Ownership
from scoring.models import Cell, Region
from scoring.selectors.region_owners import read_ownerships
from scoring.selectors.regions import get_region_grid, read_bounds

# A new region takes part in ingestion after this time at the latest.
MAX_AGE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Map:
    """The regions as they were, and the cells of each resolution with their region.

    A cell that several regions hold belongs to the region whose slug comes first.
    """

    taken_s: float
    grids: dict[str, RegionGrid]
    region_of_cell: dict[int, dict[int, str]]


class StoredRegions:
    """Answers from memory; the regions are read again every few seconds."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._map: _Map | None = None

    def find(self, slug: str) -> RegionGrid | None:
        return self._current().grids.get(slug)

    def find_ownership(self, slug: str) -> Ownership | None:
        return read_ownerships(Region.objects.filter(slug=slug)).get(slug)

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
