"""What a worker does with the queue: claim a job, run it, write down how it ended.

A claim is a lease with a name that no other claim has. Every later write asks for
that name, so that a worker whose lease was taken over changes nothing any more.
"""

import json
import logging
import random
import time
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from riskplatform.api.error_log import error_log
from riskplatform.api.request_id import RequestContext, request_context
from riskplatform.kernel.errors import ApplicationError, UnavailableError
from riskplatform.kernel.heartbeat import heartbeat
from scoring.metrics import (
    JOB_FAILURES,
    JOB_SECONDS,
    JOBS_FINISHED,
    JOBS_STARTED,
    JOBS_UNFINISHED,
)
from scoring.models import Job
from scoring.services.jobs.leases import LEASE, kept_alive, new_runner
from scoring.services.jobs.queue import (
    MAX_ATTEMPTS,
    JobCancelledError,
    JobRunner,
    find_runner,
    registered_kinds,
)

WRITE_EVERY_S = 0.2
FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 600.0
BROKE_OFF = (
    "Something broke here. The error was recorded. "
    "Quote the id of the job to the operator."
)

logger = logging.getLogger(__name__)

IsOverdue = Callable[[], bool]


class JobLostError(Exception):
    """The lease ran out and another worker has the job, or it is gone."""


class JobHandedBackError(Exception):
    """The worker has to end before the job does."""


class JobProgress:
    """How far a claimed job has come; also how it hears that it should stop."""

    def __init__(self, job: Job, *, is_overdue: IsOverdue, time_limit_s: float) -> None:
        self.done = job.done
        self._job = job
        self._is_overdue = is_overdue
        self._ends_s = time.monotonic() + time_limit_s
        self._written_s = float("-inf")

    def __call__(self, done: int, total: int | None = None) -> None:
        self.done = done
        if self._is_overdue():
            raise JobHandedBackError
        now_s = time.monotonic()
        if now_s - self._written_s < WRITE_EVERY_S and total is None:
            return
        self._written_s = now_s
        written = {"done": done} if total is None else {"done": done, "total": total}
        if not claimed(self._job).update(**written, lease_until=_lease_end()):
            raise JobLostError
        if claimed(self._job).filter(is_cancel_asked=True).exists():
            raise JobCancelledError

    def renew(self) -> None:
        """Keep the lease, unless the job has taken longer than it may."""
        if time.monotonic() < self._ends_s:
            claimed(self._job).update(lease_until=_lease_end())


def run_next_job(*, is_overdue: IsOverdue = lambda: False) -> Job | None:
    """Claim and run the oldest job that is due; None when there is none."""
    job = claim_job()
    if job is not None:
        JOBS_STARTED.labels(job.kind).inc()
        with request_context(RequestContext(f"job-{job.pk}")):
            _run(job, is_overdue)
    return job


def claim_job() -> Job | None:
    """Take the oldest job that waits, or whose runner has died.

    One that has died too often fails, and one that was to be cancelled is.
    """
    # A look costs no lock; on SQLite every transaction locks the whole database.
    while _due(timezone.now()).exists():
        with transaction.atomic():
            due = _due(timezone.now()).select_for_update(skip_locked=True)
            job = due.order_by("pk").first()
            if job is None or _claimed_now(job):
                return job
    return None


def claimed(job: Job) -> QuerySet[Job]:
    """Find the job as long as this claim of it holds."""
    return Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, runner=job.runner)


def count_unfinished_jobs() -> None:
    """Bring the gauge of waiting and running jobs up to date."""
    rows = Job.objects.unfinished().order_by().values_list("kind", "state")
    counts = {(kind, state): n for kind, state, n in rows.annotate(n=Count("pk"))}
    kinds = registered_kinds() | {kind for kind, _ in counts}
    for kind, state in product(kinds, (Job.State.QUEUED, Job.State.RUNNING)):
        JOBS_UNFINISHED.labels(kind, state.value).set(counts.get((kind, state), 0))


def _due(now: datetime) -> QuerySet[Job]:
    is_ready = Q(not_before=None) | Q(not_before__lte=now)
    is_waiting = Q(state=Job.State.QUEUED) & is_ready
    is_orphaned = Q(state=Job.State.RUNNING, lease_until__lte=now)
    return Job.objects.filter(is_waiting | is_orphaned)


def _claimed_now(job: Job) -> bool:
    """Claim a job whose row is locked, or close it if it has no more attempts."""
    runner = find_runner(job.kind)
    most = MAX_ATTEMPTS if runner is None else runner.max_attempts
    if job.is_cancel_asked:
        _close(job, Job.State.CANCELLED)
    elif job.attempts >= most:
        message = f"The worker ended {job.attempts} times while it was at this job."
        _close(job, Job.State.FAILED, error=message)
    else:
        job.state = Job.State.RUNNING
        job.attempts += 1
        job.runner = new_runner()
        job.started_at = timezone.now()
        job.lease_until = _lease_end()
        job.save(
            update_fields=("state", "attempts", "runner", "started_at", "lease_until")
        )
        return True
    return False


def _run(job: Job, is_overdue: IsOverdue) -> None:
    runner = find_runner(job.kind)
    if runner is None:
        _finish(job, Job.State.FAILED, error=f"No worker knows jobs of {job.kind!r}.")
        return
    # Later than that its lease has ended, and others carry it out.
    heartbeat.expect(within_s=runner.time_limit_s + LEASE.total_seconds())
    progress = JobProgress(job, is_overdue=is_overdue, time_limit_s=runner.time_limit_s)
    with JOB_SECONDS.labels(job.kind).time(), kept_alive(progress.renew):
        _carry_out(job, runner, progress)


def _carry_out(job: Job, runner: JobRunner, progress: JobProgress) -> None:
    try:
        result = _as_json(runner.function(job, progress))
    except JobCancelledError:
        _finish(job, Job.State.CANCELLED, done=progress.done)
    except JobHandedBackError:
        claimed(job).update(
            state=Job.State.QUEUED, attempts=F("attempts") - 1, lease_until=None
        )
    except JobLostError:
        logger.warning("job %s was taken over by another worker", job.pk)
    except UnavailableError as error:
        _try_again(job, runner, error.message)
    except ApplicationError as error:
        _finish(job, Job.State.FAILED, error=error.message, traceback=_traceback())
    except Exception:
        error_log.exception("job %s of kind %s broke off", job.pk, job.kind)
        _try_again(job, runner, BROKE_OFF)
    else:
        _finish(job, Job.State.SUCCEEDED, result=result, done=progress.done)


def _try_again(job: Job, runner: JobRunner, error: str) -> None:
    """Wait twice as long after each attempt, up to a third more or less."""
    trace = _traceback()
    if job.attempts >= runner.max_attempts:
        _finish(job, Job.State.FAILED, error=error, traceback=trace)
        return
    JOB_FAILURES.labels(job.kind).inc()
    wait_s = min(FIRST_WAIT_S * 2 ** (job.attempts - 1), LONGEST_WAIT_S)
    wait_s *= random.uniform(2 / 3, 4 / 3)  # noqa: S311 - spreads load, keeps no secret
    claimed(job).update(
        state=Job.State.QUEUED,
        not_before=timezone.now() + timedelta(seconds=wait_s),
        lease_until=None,
        error=error,
        traceback=trace,
    )


def _finish(job: Job, state: Job.State, **written: Any) -> None:
    end = {"error": "", "traceback": "", **written}
    changed = claimed(job).update(
        state=state, finished_at=timezone.now(), lease_until=None, **end
    )
    if changed:
        JOBS_FINISHED.labels(job.kind, state.value).inc()


def _close(job: Job, state: Job.State, *, error: str = "") -> None:
    job.state = state
    job.error = error
    job.lease_until = None
    job.finished_at = timezone.now()
    job.save(update_fields=("state", "error", "lease_until", "finished_at"))
    JOBS_FINISHED.labels(job.kind, state.value).inc()


def _as_json(result: Any) -> Any:
    return json.loads(json.dumps(result, cls=DjangoJSONEncoder, allow_nan=False))


def _traceback() -> str:
    # PostgreSQL takes no NUL in a text.
    return traceback.format_exc().replace("\x00", "")


def _lease_end() -> datetime:
    return timezone.now() + LEASE
