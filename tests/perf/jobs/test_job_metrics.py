"""Operators see how many jobs wait, and what became of the others."""

import pytest
from prometheus_client import REGISTRY

from perf.jobs.models import Job
from perf.jobs.queue import enqueue_job
from perf.tasks import count_unfinished_jobs
from tests.perf.jobs.runners import run_with

pytestmark = pytest.mark.django_db


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"perf_{name}", labels) or 0.0


def test_jobs_that_wait_are_counted_until_they_have_gone() -> None:
    for _ in range(3):
        enqueue_job("counted", parameters={}, organisation=None)
    count_unfinished_jobs()
    assert sample("jobs_unfinished", kind="counted", state="queued") == 3
    run_with(lambda job, progress: None, kind="counted")
    Job.objects.filter(state="queued").delete()
    count_unfinished_jobs()
    assert sample("jobs_unfinished", kind="counted", state="queued") == 0


def test_ends_and_attempts_are_counted() -> None:
    labels = {"kind": "measured"}
    before = sample("jobs_finished_total", **labels, state="succeeded")
    enqueue_job("measured", parameters={}, organisation=None)
    run_with(lambda job, progress: None, kind="measured")
    assert sample("jobs_finished_total", **labels, state="succeeded") == before + 1
    assert sample("jobs_started_total", **labels) >= 1
    assert sample("job_seconds_count", **labels) >= 1
