"""Keeps how far each import got, so that an interrupted one goes on from there."""

from dataclasses import dataclass
from hashlib import blake2b, file_digest
from pathlib import Path

import orjson
from django.utils import timezone

from analytics.ingest.importer import ImportPlan
from analytics.ingest.report import ImportProgress, ImportReport
from analytics.models import ImportRun

MAX_FILE_CHARS = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class FileIdentity:
    """Identifies a file and the way it is read."""

    digest: str
    fingerprint: str


def identify(path: Path, plan: ImportPlan) -> FileIdentity:
    """Read the whole file once: a file of the same name may be another one."""
    with path.open("rb") as file:
        digest = file_digest(file, lambda: blake2b(digest_size=32)).hexdigest()
    return FileIdentity(digest=digest, fingerprint=_fingerprint(plan))


def begin_run(
    path: Path, *, plan: ImportPlan, identity: FileIdentity, restart: bool = False
) -> ImportRun:
    """Note that an import begins, at the `rows_done` of its run.

    It goes on from the last run over the same bytes, if that one did not end.
    """
    earlier = ImportRun.objects.of_file(
        digest=identity.digest, fingerprint=identity.fingerprint
    ).first()
    is_unfinished = earlier is not None and earlier.state == ImportRun.State.RUNNING
    goes_on = is_unfinished and not restart
    return ImportRun.objects.create(
        source=plan.source,
        region=plan.grid.slug,
        file=path.name[:MAX_FILE_CHARS],
        file_bytes=path.stat().st_size,
        file_digest=identity.digest,
        fingerprint=identity.fingerprint,
        rows_done=earlier.rows_done if earlier and goes_on else 0,
    )


def note_progress(run: ImportRun, progress: ImportProgress) -> None:
    """Write down how far a run is; all up to there is in ClickHouse."""
    ImportRun.objects.filter(pk=run.pk).update(
        rows_done=progress.rows_done,
        accepted_count=progress.accepted,
        duplicate_count=progress.duplicates,
        refused_by_code=progress.rejected_by_code,
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
    facts = {
        "map": str(plan.column_map),
        "format": plan.file_format,
        "source": plan.source,
        "region": plan.grid.slug,
        "resolution": plan.grid.resolution,
        "times_in": plan.default_timezone,
        "bounds": str(plan.grid.bounds),
    }
    text = orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)
    return blake2b(text, digest_size=32).hexdigest()
