"""Writes of regions: define them, and bring events into them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import h3.api.basic_int as h3
import numpy as np
from django.db import transaction
from django.utils import timezone

from analytics.grid import RegionGrid
from analytics.ingest.column_map import ColumnMap
from analytics.ingest.files import FileFormat
from analytics.ingest.importer import ImportPlan, import_file
from analytics.ingest.reading_options import ReadingOptions
from analytics.ingest.report import ImportProgress, ImportReport, Rejection
from analytics.ingest.saved import begin_run, end_run, note_progress
from analytics.ingest.sources import note_file, source_of_file
from analytics.ingest.unpacking import STANDARD_INPUT
from analytics.models import ImportRun
from analytics.reads.features import cell_aggregates
from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.changes import publish_changes
from scoring import change_names
from scoring.engine.state import SCALES_S
from scoring.errors import RegionMismatchError
from scoring.models import Cell, Region
from scoring.selectors.regions import list_cell_ids
from scoring.services.portfolios.asset_rows import place_in_cells

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
    centres = [h3.cell_to_latlng(cell) for cell in fresh]
    Cell.objects.bulk_create(
        [
            Cell(
                region=region,
                h3=cell,
                lat=lat,
                lon=lon,
                area_km2=h3.cell_area(cell, unit="km^2"),
            )
            for cell, (lat, lon) in zip(fresh, centres, strict=True)
        ],
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


def lock_region(region: Region) -> None:
    """Lock the versions of a region in this transaction."""
    Region.objects.select_for_update().only("pk").get(pk=region.pk)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """What to do with a file.

    Parameters
    ----------
    organisation
        Whose the events are; the installation's else.
    default_timezone
        Zone of times without an offset; the region's else.
    restart
        Begin at the first row, also where an interrupted run could go on.
    updates
        Events that are there take the other values that the file has for them.
    boundary
        What the region is, as GeoJSON; as it was else.
    options
        How the file is written. People's files are read as people write.
    """

    column_map: ColumnMap
    source: str
    organisation: Organisation | None = None
    file_format: FileFormat = FileFormat.CSV
    default_timezone: str | None = None
    dry_run: bool = False
    restart: bool = False
    workers: int = 1
    updates: bool = False
    boundary: dict[str, Any] | None = None
    options: ReadingOptions = field(
        default_factory=lambda: ReadingOptions(is_lenient=True)
    )


def import_events(
    path: Path,
    *,
    region: Region,
    grid: RegionGrid,
    request: ImportRequest,
    on_progress: Callable[[ImportProgress], None],
    on_rejection: Callable[[Rejection], None],
) -> ImportReport:
    """Import a file; safe to repeat and to interrupt (see `import_file`).

    An interrupted import of a file goes on where it was; the standard input and a
    rehearsal leave no trace of how far they got. The region grows with its events.
    """
    source = source_of_file(
        request.source, organisation=request.organisation, region=region.slug
    )
    plan = _plan(grid, request, source=source.stored_name)
    if not request.dry_run:
        note_file(source, region=region.slug)
    run = _begin(path, plan, request)

    def keep(progress: ImportProgress) -> None:
        if run is not None:
            note_progress(run, progress)
        on_progress(progress)

    report = import_file(
        path,
        plan=replace(plan, skip_rows=0 if run is None else run.rows_done),
        now=timezone.now(),
        on_progress=keep,
        on_rejection=on_rejection,
    )
    if run is not None:
        end_run(run, report)
    if not request.dry_run:
        grow_region(region)
    return report


def grow_region(region: Region) -> int:
    """Add cells where events happened outside, and their neighbours; give how many.

    A region with a boundary is what its boundary says, wherever events happen.
    """
    if region.boundary is not None:
        return 0
    seen = cell_aggregates(region.slug, timezone.now(), scales_s=SCALES_S).cell
    outside = np.setdiff1d(seen, list_cell_ids(region))
    return add_cells(region, with_neighbours(outside.tolist()))


def _plan(grid: RegionGrid, request: ImportRequest, *, source: str) -> ImportPlan:
    return ImportPlan(
        column_map=request.column_map,
        grid=grid,
        source=source,
        default_timezone=request.default_timezone or grid.timezone,
        file_format=request.file_format,
        is_dry_run=request.dry_run,
        workers=request.workers,
        updates=request.updates,
        counts_cells=request.dry_run,
        options=request.options,
    )


def _begin(path: Path, plan: ImportPlan, request: ImportRequest) -> ImportRun | None:
    if request.dry_run or path == STANDARD_INPUT:
        return None
    return begin_run(path, plan=plan, restart=request.restart)
