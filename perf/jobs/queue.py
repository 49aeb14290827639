"""The queue of jobs: put work in, follow it, cancel it, retry it.

A job is carried out at least once: its runner has to bear repetition.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from perf.jobs.models import Job
from riskplatform.api.keys.models import Organisation
from riskplatform.kernel.errors import ConflictError, NotFoundError


class JobNotFoundError(NotFoundError):
    code = "job_not_found"
    title = "There is no such job"


class JobStateError(ConflictError):
    code = "job_state"
    title = "The job is in another state"


def enqueue_job(
    kind: str,
    *,
    parameters: Mapping[str, Any],
    organisation: Organisation | None,
    total: int = 0,
    is_single: bool = False,
) -> Job:
    """Put a job into the queue; a worker sees it once the transaction commits.

    With `is_single`, an unfinished job with the same kind and parameters is given
    back instead.
    """
    wanted = {
        "kind": kind,
        "parameters": dict(parameters),
        "organisation": organisation,
    }
    if is_single:
        waiting = Job.objects.unfinished().filter(**wanted).first()
        if waiting is not None:
            return waiting
    return Job.objects.create(**wanted, total=total)


def list_jobs(
    organisation: Organisation, *, kind: str | None = None, state: str | None = None
) -> QuerySet[Job]:
    """Leave out parameters and traceback, which may be large."""
    jobs = Job.objects.for_organisation(organisation).defer("parameters", "traceback")
    if kind is not None:
        jobs = jobs.filter(kind=kind)
    return jobs if state is None else jobs.filter(state=state)


def get_job(organisation: Organisation, job_id: UUID) -> Job:
    job = Job.objects.for_organisation(organisation).filter(pk=job_id).first()
    if job is None:
        raise JobNotFoundError(f"There is no job {job_id}.")
    return job


@transaction.atomic
def cancel_job(job: Job) -> Job:
    """Cancel a job that waits; one that runs stops at its next step.

    Raises
    ------
    JobStateError
        It has finished.
    """
    job = Job.objects.select_for_update().get(pk=job.pk)
    if job.state == Job.State.QUEUED:
        job.state = Job.State.CANCELLED
        job.finished_at = timezone.now()
    elif job.state != Job.State.RUNNING:
        raise JobStateError(
            f"The job has {job.state} already; only one that waits or runs can be "
            "cancelled.",
            state=job.state,
        )
    job.is_cancel_asked = True
    job.save(update_fields=("state", "finished_at", "is_cancel_asked"))
    return job


@transaction.atomic
def retry_job(job: Job) -> Job:
    """Put a job that failed or was cancelled into the queue again, as if it were new.

    Raises
    ------
    JobStateError
        It did neither.
    """
    job = Job.objects.select_for_update().get(pk=job.pk)
    if job.state not in {Job.State.FAILED, Job.State.CANCELLED}:
        raise JobStateError(
            f"The job is {job.state}; only one that failed or was cancelled can be "
            "tried again.",
            state=job.state,
        )
    job.state = Job.State.QUEUED
    job.done = job.attempts = 0
    job.due_at = job.created_at
    job.error = job.traceback = job.holder = ""
    job.result = job.started_at = job.finished_at = None
    job.is_cancel_asked = False
    job.save()
    return job
