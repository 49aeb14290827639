"""Bring a file of events into a region, and widen the region by where they happened."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.utils import timezone

from analytics.features import cell_aggregates
from analytics.grid import Bounds
from analytics.ingest.column_map import ColumnMap
from analytics.ingest.importer import ImportPlan, import_file
from analytics.ingest.rejections import Rejection
from analytics.ingest.report import ImportProgress, ImportReport
from scoring.engine.state import SCALES_S
from scoring.models import Cell, Region
from scoring.selectors.regions import get_region_grid
from scoring.services.regions import add_cells, with_neighbours

# Half a degree leaves room for events just outside a boundary; a swapped pair of
# coordinates is further away almost everywhere on the globe.
BOUNDS_MARGIN_DEGREES = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    column_map: ColumnMap
    source: str
    default_timezone: str | None = None
    dry_run: bool = False


def import_events(
    path: Path,
    *,
    region: Region,
    request: ImportRequest,
    on_progress: Callable[[ImportProgress], None],
    on_rejection: Callable[[Rejection], None],
) -> ImportReport:
    """Import a file; safe to repeat and to interrupt (see `import_file`).

    A region without a boundary grows by the cells of its events and their
    neighbours; one with a boundary refuses events far from it.
    """
    has_boundary = region.boundary is not None
    plan = ImportPlan(
        column_map=request.column_map,
        grid=get_region_grid(region),
        source=request.source,
        default_timezone=request.default_timezone,
        bounds=_bounds(region) if has_boundary else None,
    )
    report = import_file(
        path,
        plan=plan,
        now=timezone.now(),
        dry_run=request.dry_run,
        on_progress=on_progress,
        on_rejection=on_rejection,
    )
    if not (request.dry_run or has_boundary):
        seen = cell_aggregates(region.slug, timezone.now(), scales_s=SCALES_S).cell
        add_cells(region, with_neighbours(seen.tolist()))
    return report


def _bounds(region: Region) -> Bounds:
    centres = np.array(Cell.objects.filter(region=region).values_list("lat", "lon"))
    south, west = centres.min(axis=0) - BOUNDS_MARGIN_DEGREES
    north, east = centres.max(axis=0) + BOUNDS_MARGIN_DEGREES
    return Bounds(
        south=float(south), west=float(west), north=float(north), east=float(east)
    )
