"""Runs the import of a file of events into a region, which may be a new one."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from django.db import transaction

from analytics.errors import RegionNotFoundError
from analytics.grid import RegionGrid
from analytics.ingest.report import ImportProgress, ImportReport, Rejection
from riskplatform.api.keys.access import FULL_ACCESS
from scoring.models import Region
from scoring.selectors.regions import get_region, get_region_grid, read_bounds
from scoring.services.boundaries import read_boundary, set_boundary
from scoring.services.regions import ImportRequest, define_region, import_events


class Imported(NamedTuple):
    region: Region
    report: ImportReport


class Destination(NamedTuple):
    region: Region
    grid: RegionGrid


def destination_of_import(
    slug: str, *, new: Region | None, request: ImportRequest
) -> Destination:
    """Find the region, or define it as `new` says, and give it its boundary.

    A dry run leaves nothing of that behind.
    """
    with transaction.atomic():
        try:
            region = get_region(slug, access=FULL_ACCESS)
        except RegionNotFoundError:
            if new is None:
                raise
            region = define_region(new, cells=())
        if request.boundary is not None:
            boundary = read_boundary(request.boundary, resolution=region.resolution)
            set_boundary(region, boundary)
        grid = get_region_grid(region, bounds=read_bounds().get(region.pk))
        transaction.set_rollback(request.dry_run)
        return Destination(region, grid)


def import_into(
    slug: str,
    path: Path,
    *,
    new: Region | None,
    request: ImportRequest,
    on_progress: Callable[[ImportProgress], None] = lambda _: None,
    on_rejection: Callable[[Rejection], None] = lambda _: None,
) -> Imported:
    """Import a file as `import_events` does, into the region of a slug.

    The region is first given the boundary of the request, where there is one.

    Raises
    ------
    RegionNotFoundError
        There is none, and `new` does not say how to make it.
    BoundaryError
        The boundary is none.
    """
    region, grid = destination_of_import(slug, new=new, request=request)
    report = import_events(
        path,
        region=region,
        grid=grid,
        request=request,
        on_progress=on_progress,
        on_rejection=on_rejection,
    )
    return Imported(region, report)
