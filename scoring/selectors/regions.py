"""Reads of regions, of their cells and grids, and of whose they are."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from django.db.models import Max, Min, QuerySet
from numpy.typing import NDArray

from analytics.errors import RegionNotFoundError
from analytics.grid import Bounds, RegionGrid
from perf.cache.edge.remembered import Remembered
from riskplatform.api.keys.access import Access, Ownership
from scoring import change_names
from scoring.cell_ids import hex_of
from scoring.engine.grid import Grid, build_grid
from scoring.errors import require
from scoring.models import Cell, Region

# Half a degree leaves room for events just outside a boundary; a swapped pair of
# coordinates is further away almost everywhere on the globe.
BOUNDS_MARGIN_DEGREES = 0.5
MAX_GRIDS = 8


def list_regions(access: Access) -> QuerySet[Region]:
    regions = Region.objects.seen_by(access).with_cell_count()
    return regions.defer("boundary").order_by("slug")


def get_region(slug: str, *, access: Access) -> Region:
    """Find a region; one that may not be seen is as absent as one that is not."""
    return require(
        list_regions(access).filter(slug=slug).first(),
        RegionNotFoundError(f"There is no region {slug!r}.", region=slug),
    )


def get_region_of_cells(cells: Sequence[int], *, access: Access) -> Region:
    """Find the one visible region that holds the first of some cells."""
    holders = list_regions(access).filter(
        pk__in=Cell.objects.filter(h3=cells[0]).values("region")
    )
    found = list(holders[:2])
    if len(found) != 1:
        count = "No region holds" if not found else "More than one region holds"
        raise RegionNotFoundError(f"{count} cell {hex_of(cells[0])}. Name the region.")
    return found[0]


def get_boundary(region: Region) -> dict[str, Any]:
    boundary: dict[str, Any] | None = (
        Region.objects.filter(pk=region.pk).values_list("boundary", flat=True).get()
    )
    return boundary or {"type": "FeatureCollection", "features": []}


def list_cell_ids(region: Region) -> NDArray[np.uint64]:
    """Return the H3 indexes of a region, ascending, shape (n_cells,)."""
    ids = Cell.objects.filter(region=region).order_by("h3").values_list("h3", flat=True)
    return np.fromiter(ids.iterator(), dtype=np.uint64)


def get_region_grid(region: Region, *, bounds: Bounds | None = None) -> RegionGrid:
    return RegionGrid(
        slug=region.slug,
        resolution=region.resolution,
        timezone=region.timezone,
        bounds=bounds,
    )


def read_bounds() -> dict[int, Bounds]:
    """Give the box in which events lie, for each region that has a boundary, by key."""
    cells = Cell.objects.filter(region__boundary__isnull=False).order_by()
    boxes = cells.values_list("region_id").annotate(
        Min("lat"), Min("lon"), Max("lat"), Max("lon")
    )
    return {
        key: Bounds(
            south=south - BOUNDS_MARGIN_DEGREES,
            west=west - BOUNDS_MARGIN_DEGREES,
            north=north + BOUNDS_MARGIN_DEGREES,
            east=east + BOUNDS_MARGIN_DEGREES,
        )
        for key, south, west, north, east in boxes
    }


def grid_of_region(region: Region) -> Grid:
    """Give the grid of a region as it is now: one query."""
    return grid_of(list_cell_ids(region))


def grid_of(cells: NDArray[np.uint64]) -> Grid:
    """Give the grid of a region's cells, ascending; it is shared, so only read it."""
    return _grid(cells.tobytes())


@lru_cache(maxsize=MAX_GRIDS)
def _grid(cells: bytes) -> Grid:
    return build_grid(np.frombuffer(cells, dtype=np.uint64))


def read_ownerships(regions: QuerySet[Region]) -> dict[str, Ownership]:
    """Give the ownership of regions by slug: one query."""
    rows = regions.order_by().values_list("slug", "owner_id", "is_public")
    return {
        slug: Ownership(owner_id=owner_id, is_public=is_public)
        for slug, owner_id, is_public in rows
    }


OWNERSHIPS: Remembered[dict[str, Ownership]] = Remembered(
    frozenset({change_names.REGIONS}), lambda: read_ownerships(Region.objects.all())
)
