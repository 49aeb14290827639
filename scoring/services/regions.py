"""Writes of regions. Each function is one use case and one transaction."""

from collections.abc import Iterable

import h3.api.basic_int as h3
from django.db import transaction

from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.changes import publish_changes
from scoring import change_names
from scoring.errors import RegionMismatchError
from scoring.models import Cell, Region
from scoring.services.portfolios.asset_places import place_in_cells

NEIGHBOUR_RINGS = 1
DEFINED = (
    *("name", "timezone", "owner", "is_public", "observed_since"),
    *("source_credit", "source_url", "boundary"),
)


@transaction.atomic
def define_region(defined: Region, *, cells: Iterable[int]) -> Region:
    """Create a region, or bring the one of its slug up to date; safe to repeat.

    Without an owner it is the installation's.

    Cells are added, never taken away: forecasts depend on them.
    """
    region = Region.objects.filter(slug=defined.slug).first() or defined
    if region.resolution != defined.resolution:
        raise RegionMismatchError(
            f"Region {region.slug!r} has H3 resolution {region.resolution}, not "
            f"{defined.resolution}. Use another slug for another grid.",
            region=region.slug,
        )
    for name in DEFINED:
        setattr(region, name, getattr(defined, name))
    region.full_clean()
    region.save()
    publish_region_changes(region)
    add_cells(region, cells)
    return region


@transaction.atomic
def set_region_access(
    region: Region, *, owner: Organisation | None, is_public: bool
) -> None:
    """Say whose a region is, and whether everybody sees its forecasts."""
    region.owner, region.is_public = owner, is_public
    region.save(update_fields=("owner", "is_public"))
    publish_region_changes(region)


@transaction.atomic
def add_cells(region: Region, cells: Iterable[int]) -> int:
    """Add the cells a region does not have yet; returns how many came in.

    Assets of portfolios that lie in the new cells get their places.
    """
    known = set(Cell.objects.filter(region=region).values_list("h3", flat=True))
    fresh = sorted(set(cells) - known)
    Cell.objects.bulk_create(
        [_cell(region, cell) for cell in fresh],
        batch_size=2_000,
        ignore_conflicts=True,
    )
    place_in_cells(region, fresh)
    if fresh:
        publish_region_changes(region)
    return len(fresh)


def publish_region_changes(region: Region) -> None:
    """Publish a change of a region, its owner, its readers, or its cells."""
    publish_changes(change_names.REGIONS, change_names.forecasts_of(region.slug))


def with_neighbours(cells: Iterable[int]) -> set[int]:
    """Widen cells by their neighbours: risk does not end where events did."""
    return {near for cell in cells for near in h3.grid_disk(cell, NEIGHBOUR_RINGS)}


def _cell(region: Region, cell: int) -> Cell:
    lat, lon = h3.cell_to_latlng(cell)
    area_km2 = h3.cell_area(cell, unit="km^2")
    return Cell(region=region, h3=cell, lat=lat, lon=lon, area_km2=area_km2)


def lock_region(region: Region) -> None:
    """Lock the versions of a region in this transaction."""
    Region.objects.select_for_update().only("pk").get(pk=region.pk)
