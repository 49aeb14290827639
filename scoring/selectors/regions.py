"""Reads of regions, of their cells and grids, and of whose they are."""

from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

import h3.api.basic_int as h3
import numpy as np
from django.db.models import Max, Min, QuerySet
from numpy.typing import NDArray

from analytics.errors import RegionNotFoundError
from analytics.grid import MAX_RESOLUTION, Bounds, RegionGrid
from perf.cache.remembered import Remembered
from riskplatform.api.keys.access import Access, how_seen, may_see_region
from scoring import change_names
from scoring.cell_ids import hex_of
from scoring.engine.grid import Grid, build_grid
from scoring.errors import require
from scoring.models import Cell, Region

# Half a degree leaves room for events just outside a boundary; a swapped pair of
# coordinates is further away almost everywhere on the globe.
BOUNDS_MARGIN_DEGREES = 0.5
MAX_GRIDS = 8


def _read_regions(_: None) -> dict[str, Region]:
    return {region.slug: region for region in Region.objects.defer("boundary")}


# All regions by slug: requests name one, and few are more than thousands.
REGIONS: Remembered[None, dict[str, Region]] = Remembered(
    "regions", read=_read_regions, names_of=lambda _: {change_names.REGIONS}
)


def list_regions(access: Access) -> QuerySet[Region]:
    regions = Region.objects.seen_by(access).with_cell_count()
    return regions.defer("boundary").order_by("slug")


def get_region(slug: str, *, access: Access) -> Region:
    """Find a region; one that may not be seen is as absent as one that is not."""
    return require(
        list_regions(access).filter(slug=slug).first(),
        RegionNotFoundError(
            f"There is no region {slug!r}.{how_seen(access)}", region=slug
        ),
    )


def find_known_region(slug: str, *, access: Access) -> Region:
    """Find a region as `get_region` does, without its count of cells.

    No query where it is remembered; the object is shared, so only read it.
    """
    region = REGIONS.get(None).get(slug) if REGIONS.is_usable else None
    if region is not None and may_see_region(access, region):
        return region
    return get_region(slug, access=access)


def find_known_regions(ids: Sequence[int], *, access: Access) -> list[Region]:
    """Find regions by key, those that may be seen, by slug; see `find_known_region`."""
    known = REGIONS.get(None).values() if REGIONS.is_usable else ()
    found = [region for region in known if region.pk in ids]
    if len(found) < len(ids):
        visible = Region.objects.seen_by(access).filter(pk__in=ids)
        return list(visible.order_by("slug").defer("boundary"))
    seen = (region for region in found if may_see_region(access, region))
    return sorted(seen, key=attrgetter("slug"))


def get_region_of_cells(cells: Sequence[int], *, access: Access) -> Region:
    """Find the one visible region that holds the first of some cells."""
    return _holder(cells[:1], f"cell {hex_of(cells[0])}", access)


def get_region_at(lat: float, lon: float, *, access: Access) -> Region:
    """Find the one visible region that holds a place, at whatever resolution."""
    resolutions = range(MAX_RESOLUTION + 1)
    cells = [h3.latlng_to_cell(lat, lon, resolution) for resolution in resolutions]
    return _holder(cells, f"the place {lat:g}, {lon:g}", access)


def _holder(cells: Sequence[int], what: str, access: Access) -> Region:
    holders = list_regions(access).filter(
        pk__in=Cell.objects.filter(h3__in=cells).values("region")
    )
    found = list(holders[:2])
    if len(found) != 1:
        count = "No region holds" if not found else "More than one region holds"
        raise RegionNotFoundError(f"{count} {what}. Name the region.")
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


def centres_of(
    cells: NDArray[np.uint64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the latitudes and longitudes of cells, shapes (n_cells,), shared."""
    return _centres(cells.tobytes())


@lru_cache(maxsize=MAX_GRIDS)
def _centres(cells: bytes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    ids = np.frombuffer(cells, dtype=np.uint64).tolist()
    centres = np.array([h3.cell_to_latlng(cell) for cell in ids]).reshape(-1, 2)
    return centres[:, 0], centres[:, 1]


@lru_cache(maxsize=MAX_GRIDS)
def _grid(cells: bytes) -> Grid:
    return build_grid(np.frombuffer(cells, dtype=np.uint64))
