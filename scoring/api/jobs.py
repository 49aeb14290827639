"""Jobs: how far they have come, and what became of them."""

from typing import Annotated, Any, Final, Literal, Self, cast
from uuid import UUID

from msgspec import Meta, Struct
from rest_framework.request import Request

from perf.jobs.models import Job
from perf.jobs.queue import cancel_job, get_job, list_jobs, retry_job
from riskplatform.api.creating import Once
from riskplatform.api.endpoints import Router
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.permissions import has_scope
from riskplatform.api.keys.principal import get_principal
from riskplatform.api.paging import Page, PageQuery, page_of
from riskplatform.kernel.instants import AwareTime
from scoring.api.access import region_to_change
from scoring.services.registry.fitting import FIT

router = Router()

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
# Who may start a kind of job may read its state.
READERS = has_scope(Scope.PORTFOLIOS_READ) | has_scope(Scope.MODELS_WRITE)
WRITERS = has_scope(Scope.PORTFOLIOS_WRITE) | has_scope(Scope.MODELS_WRITE)
# The result of a job may have a megabyte.
JOBS_AT_ONCE: Final = 25


class JobListQuery(PageQuery):
    kind: (
        Annotated[
            str,
            Meta(
                pattern=r"^[a-z0-9-]{1,40}$", description="Such as assess-portfolios."
            ),
        ]
        | None
    ) = None
    state: Annotated[JobState, Meta(description="How far it is.")] | None = None


class JobStatus(Struct):
    id: str
    kind: str
    state: JobState
    done: int
    total: Annotated[int, Meta(description="0 where it is not known.")]
    attempts: int
    is_cancel_asked: bool
    result: Any
    error: Annotated[str, Meta(description="Of the last attempt.")]
    created_at: AwareTime
    started_at: AwareTime | None
    finished_at: AwareTime | None
    not_before: Annotated[AwareTime | None, Meta(description="When it is tried again.")]

    @classmethod
    def of(cls, job: Job, **more: Any) -> Self:
        return cls(
            id=str(job.pk),
            kind=job.kind,
            state=cast("JobState", job.state),
            done=job.done,
            total=job.total,
            attempts=job.attempts,
            is_cancel_asked=job.is_cancel_asked,
            result=job.result,
            error=job.error,
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            not_before=job.due_at if job.due_at > job.created_at else None,
            **more,
        )


class JobDetail(JobStatus):
    parameters: dict[str, Any]
    traceback: Annotated[str | None, Meta(description="For staff that may see jobs.")]


@router.get("jobs", READERS)
def jobs_list(request: Request, query: JobListQuery) -> Page[JobStatus]:
    """List the jobs of the organisation, newest first."""
    organisation = get_principal(request).organisation
    jobs = list_jobs(organisation, kind=query.kind, state=query.state)
    return page_of(
        jobs, query, JobStatus.of, newest_first=True, rows_at_once=JOBS_AT_ONCE
    )


@router.get("jobs/<uuid:job_id>", READERS)
def jobs_get(request: Request, job_id: UUID) -> JobDetail:
    """Give one job: how far it is, and what came of it."""
    return _detail(request, get_job(get_principal(request).organisation, job_id))


@router.post("jobs/<uuid:job_id>/cancel", WRITERS)
def jobs_cancel(request: Request, job_id: UUID) -> Once[JobDetail]:
    """Cancel it if it waits; if it runs, it stops at its next step."""
    job = get_job(get_principal(request).organisation, job_id)
    return Once(lambda: _detail(request, cancel_job(job)))


@router.post("jobs/<uuid:job_id>/retry", WRITERS)
def jobs_retry(request: Request, job_id: UUID) -> Once[JobDetail]:
    """Put a job that failed or was cancelled into the queue again."""
    job = get_job(get_principal(request).organisation, job_id)
    if job.kind == FIT:
        region_to_change(request, job.parameters["region"])
    return Once(lambda: _detail(request, retry_job(job)))


def _detail(request: Request, job: Job) -> JobDetail:
    user = request.user
    is_seen = user.is_active and user.is_staff and user.has_perm("perf.view_job")
    return JobDetail.of(
        job,
        parameters=job.parameters,
        traceback=job.traceback if is_seen else None,
    )
