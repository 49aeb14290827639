"""Bring a file of events into a region, and widen the region by where they happened."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from django.utils import timezone

from analytics.ingest.column_map import ColumnMap
from analytics.ingest.files import FileFormat
from analytics.ingest.importer import ImportPlan, import_file
from analytics.ingest.report import ImportProgress, ImportReport, Rejection
from analytics.ingest.saved import begin_run, end_run, note_progress
from analytics.ingest.unpacking import STANDARD_INPUT
from analytics.models import ImportRun
from analytics.reads.features import cell_aggregates
from scoring.engine.state import SCALES_S
from scoring.models import Region
from scoring.selectors.regions import get_region_grid, list_cell_ids, read_bounds
from scoring.services.regions import add_cells, with_neighbours


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """What to do with a file.

    Parameters
    ----------
    restart
        Begin at the first row, also where an interrupted run could go on.
    """

    column_map: ColumnMap
    source: str
    file_format: FileFormat = FileFormat.CSV
    default_timezone: str | None = None
    dry_run: bool = False
    restart: bool = False
    workers: int = 1


def import_events(
    path: Path,
    *,
    region: Region,
    request: ImportRequest,
    on_progress: Callable[[ImportProgress], None],
    on_rejection: Callable[[Rejection], None],
) -> ImportReport:
    """Import a file; safe to repeat and to interrupt (see `import_file`).

    An interrupted import of a file goes on where it was; the standard input and a
    rehearsal leave no trace of how far they got. The region grows with its events.
    """
    plan = _plan(region, request)
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


def _plan(region: Region, request: ImportRequest) -> ImportPlan:
    return ImportPlan(
        column_map=request.column_map,
        grid=get_region_grid(region, bounds=read_bounds().get(region.pk)),
        source=request.source,
        default_timezone=request.default_timezone,
        file_format=request.file_format,
        is_dry_run=request.dry_run,
        workers=request.workers,
    )


def _begin(path: Path, plan: ImportPlan, request: ImportRequest) -> ImportRun | None:
    if request.dry_run or path == STANDARD_INPUT:
        return None
    return begin_run(path, plan=plan, restart=request.restart)
