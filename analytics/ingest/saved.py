"""What is kept of imports: how a source's files are read, and how far each run got."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import Any

import orjson
from django.utils import timezone

from analytics.errors import UnknownImportSourceError
from analytics.grid import load_zone
from analytics.ingest.column_map import ColumnMap
from analytics.ingest.events import check_source
from analytics.ingest.files import FileFormat
from analytics.ingest.importer import ImportPlan
from analytics.ingest.report import ImportProgress, ImportReport
from analytics.ingest.unpacking import open_binary
from analytics.models import ImportRun, ImportSource

MAX_FILE_CHARS = 255
DIGEST_BYTES = 32


def save_source(
    name: str,
    *,
    column_map: ColumnMap,
    file_format: FileFormat | None = None,
    times_in: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> ImportSource:
    """Save how the files of a source are read, replacing what was saved before."""
    check_source(name)
    if times_in is not None:
        load_zone(times_in)
    source, _ = ImportSource.objects.update_or_create(
        name=name,
        defaults={
            "column_map": str(column_map),
            "file_format": file_format or "",
            "times_in": times_in or "",
            "options": dict(options or {}),
            "updated_at": timezone.now(),
        },
    )
    return source


def find_source(name: str) -> ImportSource | None:
    return ImportSource.objects.filter(name=name).first()


def get_source(name: str) -> ImportSource:
    source = find_source(name)
    if source is None:
        saved = ", ".join(ImportSource.objects.values_list("name", flat=True)[:20])
        raise UnknownImportSourceError(
            f"There is no saved source {name!r}. Give a column map with --map, and save"
            f" it with --save-source {name}. Saved are: {saved or 'none'}.",
            source=name,
        )
    return source


def list_sources() -> Sequence[ImportSource]:
    return list(ImportSource.objects.order_by("name"))


def begin_run(path: Path, *, plan: ImportPlan, restart: bool = False) -> ImportRun:
    """Note that an import begins, at the `rows_done` of its run.

    It goes on from the last run over the same bytes, read in the same way, if that one
    did not end. The whole file is read for that: one of the same name may be another.
    """
    with open_binary(path) as file:
        digest = file_digest(file, lambda: blake2b(digest_size=DIGEST_BYTES))
    run = ImportRun(
        source=plan.source,
        region=plan.grid.slug,
        file=path.name[:MAX_FILE_CHARS],
        file_bytes=path.stat().st_size,
        file_digest=digest.hexdigest(),
        fingerprint=_fingerprint(plan),
    )
    earlier = ImportRun.objects.filter(
        file_digest=run.file_digest, fingerprint=run.fingerprint
    ).first()
    if earlier and earlier.state == ImportRun.State.RUNNING and not restart:
        run.rows_done = earlier.rows_done
    run.save(force_insert=True)
    return run


def note_progress(run: ImportRun, progress: ImportProgress) -> None:
    """Write down how far a run is; all up to there is in ClickHouse."""
    report = progress.report
    ImportRun.objects.filter(pk=run.pk).update(
        rows_done=progress.rows_done,
        accepted_count=report.accepted,
        duplicate_count=report.duplicates,
        refused_by_code=report.rejected_by_code,
        updated_at=timezone.now(),
    )


def end_run(run: ImportRun, report: ImportReport) -> None:
    now = timezone.now()
    is_whole = report.broken_off is None
    state = ImportRun.State.FINISHED if is_whole else ImportRun.State.BROKEN_OFF
    ImportRun.objects.filter(pk=run.pk).update(
        state=state, finished_at=now, updated_at=now
    )


def _fingerprint(plan: ImportPlan) -> str:
    """Digest all that decides what the rows of a file become."""
    facts = {
        "map": str(plan.column_map),
        "format": plan.file_format,
        "source": plan.source,
        "region": plan.grid.slug,
        "resolution": plan.grid.resolution,
        "times_in": plan.default_timezone,
        "options": repr(plan.options),
        "updates": plan.updates,
        "bounds": str(plan.grid.bounds),
    }
    text = orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)
    return blake2b(text, digest_size=DIGEST_BYTES).hexdigest()
