"""Runs the import of a file of events into a region, which may be a new one."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from django.db import transaction

from analytics.errors import RegionNotFoundError
from analytics.ingest.report import ImportProgress, ImportReport, Rejection
from riskplatform.api.keys.access import FULL_ACCESS
from scoring.models import Region
from scoring.selectors.regions import get_region
from scoring.services.regions import ImportRequest, define_region, import_events


class Imported(NamedTuple):
    region: Region
    report: ImportReport


def region_of_import(slug: str, *, new: Region | None, is_dry_run: bool) -> Region:
    """Find the region, or define it as `new` says; a dry run leaves none behind."""
    with transaction.atomic():
        try:
            return get_region(slug, access=FULL_ACCESS)
        except RegionNotFoundError:
            if new is None:
                raise
            return define_region(new, cells=())
        finally:
            transaction.set_rollback(is_dry_run)


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

    Raises
    ------
    RegionNotFoundError
        There is none, and `new` does not say how to make it.
    """
    region = region_of_import(slug, new=new, is_dry_run=request.dry_run)
    report = import_events(
        path,
        region=region,
        request=request,
        on_progress=on_progress,
        on_rejection=on_rejection,
    )
    return Imported(region, report)
