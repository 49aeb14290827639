"""Runs the next job with a runner made for one test."""

from perf.jobs.models import Job
from perf.jobs.runner import IsOverdue, RunnerFunction, job_runner, run_next_job


def run_with(
    function: RunnerFunction,
    *,
    kind: str = "tested",
    is_overdue: IsOverdue = lambda: False,
) -> Job:
    job_runner(kind)(function)
    job = run_next_job(is_overdue=is_overdue)
    assert job is not None
    job.refresh_from_db()
    return job
