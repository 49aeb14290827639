"""The queue of jobs: put work in, ask to stop it, try it again, say who does it.

A job is carried out at least once: its runner has to bear repetition.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.db import transaction
from django.utils import timezone

from riskplatform.api.keys.models import Organisation
from scoring.errors import JobStateError
from scoring.models import Job

MAX_ATTEMPTS = 5
TIME_LIMIT_S = 3_600.0


class JobCancelledError(Exception):
    """Somebody asked to cancel the job; raised by its progress."""


class Progress(Protocol):
    """Tells how far a job has come; call it often, it writes now and then.

    Raises
    ------
    JobCancelledError
        Leave the work as it is: what was written stays.
    """

    def __call__(self, done: int, total: int | None = None) -> None: ...


RunnerFunction = Callable[[Job, Progress], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRunner:
    """Who does a kind of job; `function` returns the result, which must be JSON."""

    function: RunnerFunction
    max_attempts: int
    time_limit_s: float


_runners: dict[str, JobRunner] = {}


def job_runner(
    kind: str, *, max_attempts: int = MAX_ATTEMPTS, time_limit_s: float = TIME_LIMIT_S
) -> Callable[[RunnerFunction], RunnerFunction]:
    """Make a function the runner of a kind of job.

    An ApplicationError it raises fails the job with its message; all else, and
    UnavailableError, is tried again. After `time_limit_s` the lease is not renewed.
    """

    def register(function: RunnerFunction) -> RunnerFunction:
        _runners[kind] = JobRunner(
            function=function, max_attempts=max_attempts, time_limit_s=time_limit_s
        )
        return function

    return register


def find_runner(kind: str) -> JobRunner | None:
    return _runners.get(kind)


def registered_kinds() -> set[str]:
    return set(_runners)


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
    asked = {"kind": kind, "parameters": dict(parameters), "organisation": organisation}
    if is_single:
        waiting = Job.objects.unfinished().filter(**asked).first()
        if waiting is not None:
            return waiting
    return Job.objects.create(**asked, total=total)


@transaction.atomic
def cancel_job(job: Job) -> Job:
    """Cancel a job that waits; ask one that runs to stop at its next step.

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
    job.error = job.traceback = job.runner = ""
    job.result = job.not_before = job.lease_until = None
    job.started_at = job.finished_at = None
    job.is_cancel_asked = False
    job.save()
    return job
