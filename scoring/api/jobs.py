"""Jobs: how far they have come, and what became of them."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from perf.jobs.models import Job
from perf.jobs.queue import cancel_job, get_job, list_jobs, retry_job
from riskplatform.api.creating import IDEMPOTENCY_KEY, answer_creation
from riskplatform.api.inputs import body_schema, decode_query, query_parameters
from riskplatform.api.keys.models import Scope
from riskplatform.api.keys.permissions import has_scope
from riskplatform.api.keys.principal import get_principal
from riskplatform.api.paging import PageQuery, page_of
from scoring.api.access import region_to_change
from scoring.api.schemas import AwareTime
from scoring.services.registry.jobs import FIT

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
# Whoever may start a kind of job may follow it.
READERS = has_scope(Scope.PORTFOLIOS_READ) | has_scope(Scope.MODELS_WRITE)
WRITERS = has_scope(Scope.PORTFOLIOS_WRITE) | has_scope(Scope.MODELS_WRITE)

# The result of a job may have a megabyte.
JOBS_AT_ONCE: Final = 25


class JobListQuery(PageQuery):
    kind: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}$")] | None = None
    state: JobState | None = None


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


class JobDetail(JobStatus):
    parameters: dict[str, Any]
    traceback: Annotated[str | None, Meta(description="For staff that may see jobs.")]


class JobList(Struct):
    results: list[JobStatus]
    next: str | None


class JobListView(APIView):
    permission_classes = (READERS,)

    @extend_schema(
        operation_id="jobs_list",
        parameters=query_parameters(JobListQuery),
        responses={(200, "application/json"): body_schema(JobList)},
    )
    def get(self, request: Request) -> Response:
        """List the jobs of the organisation, newest first."""
        query = decode_query(request, JobListQuery)
        organisation = get_principal(request).organisation
        jobs = list_jobs(organisation, kind=query.kind, state=query.state)
        page = page_of(
            jobs,
            query,
            render=job_status,
            newest_first=True,
            rows_at_once=JOBS_AT_ONCE,
        )
        return Response(page)


class JobDetailView(APIView):
    permission_classes = (READERS,)

    @extend_schema(
        operation_id="jobs_get",
        responses={(200, "application/json"): body_schema(JobDetail)},
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        job = get_job(get_principal(request).organisation, job_id)
        return Response(_detail(request, job))


class JobCancelView(APIView):
    permission_classes = (WRITERS,)

    @extend_schema(
        operation_id="jobs_cancel",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={(200, "application/json"): body_schema(JobDetail)},
    )
    def post(self, request: Request, job_id: UUID) -> HttpResponse:
        """Cancel it if it waits; if it runs, it stops at its next step."""
        job = get_job(get_principal(request).organisation, job_id)
        return answer_creation(
            request, lambda: _detail(request, cancel_job(job)), status=200
        )


class JobRetryView(APIView):
    permission_classes = (WRITERS,)

    @extend_schema(
        operation_id="jobs_retry",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={(200, "application/json"): body_schema(JobDetail)},
    )
    def post(self, request: Request, job_id: UUID) -> HttpResponse:
        """Put a job that failed or was cancelled into the queue again."""
        job = get_job(get_principal(request).organisation, job_id)
        if job.kind == FIT:
            region_to_change(request, job.parameters["region"])
        return answer_creation(
            request, lambda: _detail(request, retry_job(job)), status=200
        )


def job_status(job: Job) -> dict[str, Any]:
    return {
        "id": str(job.pk),
        "kind": job.kind,
        "state": job.state,
        "done": job.done,
        "total": job.total,
        "attempts": job.attempts,
        "is_cancel_asked": job.is_cancel_asked,
        "result": job.result,
        "error": job.error,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "not_before": job.due_at if job.due_at > job.created_at else None,
    }


def _detail(request: Request, job: Job) -> dict[str, Any]:
    user = request.user
    is_seen = user.is_active and user.is_staff and user.has_perm("perf.view_job")
    return {
        **job_status(job),
        "parameters": job.parameters,
        "traceback": job.traceback if is_seen else None,
    }
