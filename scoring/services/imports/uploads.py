"""Files uploaded by a browser: kept, given to the worker to import, and deleted."""

import os
import shutil
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.text import get_valid_filename
from msgspec import convert, to_builtins

from analytics.ingest.unpacking import limited
from perf.jobs.models import Job
from perf.jobs.queue import enqueue_job
from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.errors import ConflictError
from riskplatform.kernel.ids import uuid7
from scoring.metrics import UPLOADS_RECEIVED
from scoring.models import Upload
from scoring.services.imports.asset_files import run_asset_import
from scoring.services.imports.event_files import run_event_import
from scoring.services.imports.instructions import (
    AssetInstructions,
    EventInstructions,
    Instructions,
)
from scoring.services.imports.outcome import ImportOutcome, OnFraction

IMPORT: Final = "import-file"
# Progress is counted in parts of the file.
PARTS: Final = 100
MAX_NAME_CHARS: Final = 120


class UploadInUseError(ConflictError):
    code = "upload_in_use"
    title = "The file is being imported"


def receive_upload(
    pieces: Iterable[bytes],
    *,
    name: str,
    kind: Upload.Kind,
    user: User,
    organisation: Organisation | None,
) -> Upload:
    """Keep a file in the folder of uploads, readable by this account only.

    Raises
    ------
    BodyTooLargeError
        It has more than UPLOAD_MAX_BYTES.
    """
    upload = Upload(
        pk=uuid7(),
        kind=kind,
        name=_safe(name),
        user_id=user.pk,
        organisation=organisation,
    )
    upload.folder.mkdir(mode=0o700, parents=True)
    try:
        upload.size_bytes = _write(upload, pieces)
        upload.save(force_insert=True)
    except BaseException:
        shutil.rmtree(upload.folder)
        raise
    UPLOADS_RECEIVED.labels(upload.kind).inc()
    return upload


@transaction.atomic
def queue_import(upload: Upload, instructions: Instructions, *, dry_run: bool) -> Job:
    """Have a file imported, or its import tried, by the worker.

    Raises
    ------
    UploadInUseError
        It is at work on the file.
    """
    locked = Upload.objects.select_for_update(of=("self",)).get(pk=upload.pk)
    if locked.job is not None and is_unfinished(locked.job):
        raise UploadInUseError("The worker is at this file. Wait until it is done.")
    locked.instructions = to_builtins(instructions)
    locked.job = enqueue_job(
        IMPORT,
        parameters={"upload": str(upload.pk), "dry_run": dry_run},
        organisation=upload.organisation,
        total=PARTS,
    )
    locked.save(update_fields=("instructions", "job"))
    return locked.job


def is_unfinished(job: Job) -> bool:
    return job.state in {Job.State.QUEUED, Job.State.RUNNING}


def run_upload(
    upload_id: str, *, dry_run: bool, on_fraction: OnFraction
) -> ImportOutcome:
    """Import an uploaded file as its instructions say; safe to repeat."""
    upload = Upload.objects.select_related("organisation").get(pk=upload_id)
    if upload.kind == Upload.Kind.ASSETS:
        assets = convert(upload.instructions, AssetInstructions)
        return run_asset_import(
            upload, assets, dry_run=dry_run, on_fraction=on_fraction
        )
    events = convert(upload.instructions, EventInstructions)
    return run_event_import(upload, events, dry_run=dry_run, on_fraction=on_fraction)


def forget_uploads() -> int:
    """Delete the files older than UPLOAD_RETENTION_DAYS; give how many."""
    before = timezone.now() - timedelta(days=settings.UPLOAD_RETENTION_DAYS)
    old = Upload.objects.filter(created_at__lt=before).select_related("job")
    forgotten = [it for it in old if it.job is None or not is_unfinished(it.job)]
    for upload in forgotten:
        shutil.rmtree(upload.folder, ignore_errors=True)
        upload.delete()
    return len(forgotten)


def _safe(name: str) -> str:
    """Keep of a name what no file system minds, and its end, which says the format."""
    safe = get_valid_filename(name.rpartition("/")[2] or "file")
    return safe[-MAX_NAME_CHARS:].lstrip(".-") or "file"


def _write(upload: Upload, pieces: Iterable[bytes]) -> int:
    most, size_bytes = settings.UPLOAD_MAX_BYTES, 0
    with open(upload.path, "xb", opener=_private) as file:
        for piece in limited(pieces, max_bytes=most, what="of the upload has"):
            size_bytes += file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return size_bytes


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
