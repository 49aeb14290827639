"""Claims a job, runs it, and writes down how it ended."""

import json
import logging
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from perf.jobs.following import call_followers
from perf.jobs.metrics import JOB_FAILURES, JOB_SECONDS, JOBS_FINISHED, JOBS_STARTED
from perf.jobs.models import Job
from riskplatform.api.error_log import error_log
from riskplatform.api.request_id import RequestContext, request_context
from riskplatform.api.structured_log import event_logger
from riskplatform.kernel.calls import Calls, counting
from riskplatform.kernel.errors import ApplicationError, UnavailableError
from riskplatform.kernel.heartbeat import heartbeat

MAX_ATTEMPTS = 5
TIME_LIMIT_S = 3_600.0
WRITE_EVERY_S = 0.2
BROKE_OFF = (
    "Something broke here. The error was recorded. "
    "Quote the id of the job to the operator."
)

logger = logging.getLogger(__name__)
events = event_logger(__name__)

IsOverdue = Callable[[], bool]
# Reports how much of a job is done; call it often. It raises to end the job at this
# step: what was written stays, and the runner lets the error pass.
Progress = Callable[[int], None]
RunnerFunction = Callable[[Job, Progress], Mapping[str, Any] | None]


class JobCancelledError(Exception):
    """The job was cancelled; raised by its progress."""


class JobStoppedError(Exception):
    """The worker has to end before the job does, or another one has the job."""


class JobRunner(NamedTuple):
    """Who does a kind of job; `function` returns the result, which must be JSON."""

    function: RunnerFunction
    time_limit_s: float


runners: dict[str, JobRunner] = {}


def job_runner(
    kind: str, *, time_limit_s: float = TIME_LIMIT_S
) -> Callable[[RunnerFunction], RunnerFunction]:
    """Make a function the runner of a kind of job.

    An ApplicationError it raises fails the job with its message; all else, and
    UnavailableError, is tried again. After `time_limit_s` the lease is not renewed.
    """

    def register(function: RunnerFunction) -> RunnerFunction:
        runners[kind] = JobRunner(function, time_limit_s)
        return function

    return register


class JobProgress:
    """The progress of a claimed job: written now and then, with the lease renewed."""

    def __init__(self, job: Job, is_overdue: IsOverdue) -> None:
        self.done = job.done
        self._job = job
        self._is_overdue = is_overdue
        self._written_s = float("-inf")

    def __call__(self, done: int) -> None:
        self.done = done
        if self._is_overdue():
            raise JobStoppedError
        now_s = time.monotonic()
        if now_s - self._written_s < WRITE_EVERY_S:
            return
        self._written_s = now_s
        if not self._job.renew(done=done):
            raise JobStoppedError
        call_followers(self._job)
        if self._job.held().filter(is_cancel_asked=True).exists():
            raise JobCancelledError


def run_next_job(is_overdue: IsOverdue = lambda: False) -> Job | None:
    """Run the oldest job that waits, or whose worker has died; None if there is none.

    One whose worker died too often fails, and one that was to be cancelled is.
    """
    queue = Job.objects.unfinished().order_by("pk")
    while claimed := queue.claim(state=Job.State.RUNNING, started_at=timezone.now()):
        [job] = claimed
        begun = job.attempts - 1
        if job.is_cancel_asked:
            _finish(job, Job.State.CANCELLED, attempts=begun)
        elif begun >= MAX_ATTEMPTS:
            error = f"The worker ended {begun} times while it was at this job."
            _finish(job, Job.State.FAILED, error=error, attempts=begun)
        else:
            JOBS_STARTED.labels(job.kind).inc()
            call_followers(job)
            with request_context(RequestContext(f"job-{job.pk}")):
                _run_logged(job, is_overdue)
            return job
    return None


def _run_logged(job: Job, is_overdue: IsOverdue) -> None:
    """Run a job; all that is logged meanwhile carries its kind."""
    started_s = time.monotonic()
    with bound_contextvars(job=job.kind), counting(Calls()) as calls:
        events.info("job started", attempt=job.attempts)
        _run(job, is_overdue)
        job.refresh_from_db(fields=("state",))
        ms = round(1_000 * (time.monotonic() - started_s), 1)
        events.info("job ended", state=job.state, ms=ms, **calls.fields())


def _run(job: Job, is_overdue: IsOverdue) -> None:
    runner = runners.get(job.kind)
    if runner is None:
        _finish(job, Job.State.FAILED, error=f"No worker knows jobs of {job.kind!r}.")
        return
    # Later than that its lease has ended, and others carry it out.
    limit_s = runner.time_limit_s
    heartbeat.expect(within_s=limit_s + job.lease.total_seconds())
    progress = JobProgress(job, is_overdue)
    with JOB_SECONDS.labels(job.kind).time(), job.renewing(longest_s=limit_s):
        _carry_out(job, runner.function, progress)


def _carry_out(job: Job, function: RunnerFunction, progress: JobProgress) -> None:
    try:
        result = function(job, progress)
        text = json.dumps(result, cls=DjangoJSONEncoder, allow_nan=False)
    except JobCancelledError:
        _finish(job, Job.State.CANCELLED, done=progress.done)
    except JobStoppedError:
        if not job.hand_back(state=Job.State.QUEUED):
            logger.warning("job %s was taken over by another worker", job.pk)
    except UnavailableError as error:
        _try_again(job, error.message)
    except ApplicationError as error:
        _finish(job, Job.State.FAILED, error=error.message, traceback=_traceback())
    except Exception:
        error_log.exception("job %s of kind %s broke off", job.pk, job.kind)
        _try_again(job, BROKE_OFF)
    else:
        done = progress.done
        _finish(job, Job.State.SUCCEEDED, result=json.loads(text), done=done)


def _try_again(job: Job, error: str) -> None:
    failure = {"error": error, "traceback": _traceback()}
    if job.attempts >= MAX_ATTEMPTS:
        _finish(job, Job.State.FAILED, **failure)
        return
    JOB_FAILURES.labels(job.kind).inc()
    job.retry_later(state=Job.State.QUEUED, **failure)
    call_followers(job)


def _finish(job: Job, state: Job.State, **written: Any) -> None:
    end = {"error": "", "traceback": "", "finished_at": timezone.now(), **written}
    if job.release(state=state, **end):
        call_followers(job)
        JOBS_FINISHED.labels(job.kind, state.value).inc()


def _traceback() -> str:
    # PostgreSQL takes no NUL in a text.
    return traceback.format_exc().replace("\x00", "")
