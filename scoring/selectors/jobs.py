"""Reads of jobs."""

from uuid import UUID

from django.db.models import QuerySet

from riskplatform.api.keys.models import Organisation
from scoring.errors import JobNotFoundError
from scoring.models import Job


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
