"""Runs the next job with a runner made for one test."""

from scoring.models import Job
from scoring.services.jobs.queue import RunnerFunction, job_runner
from scoring.services.jobs.running import IsOverdue, run_next_job


def run_with(
    function: RunnerFunction,
    *,
    kind: str = "tested",
    max_attempts: int = 5,
    is_overdue: IsOverdue = lambda: False,
) -> Job:
    job_runner(kind, max_attempts=max_attempts)(function)
    job = run_next_job(is_overdue=is_overdue)
    assert job is not None
    job.refresh_from_db()
    return job
