"""A job goes through the queue once, and its end is written down."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from perf.jobs import runner
from perf.jobs.models import Job
from perf.jobs.queue import JobStateError, cancel_job, enqueue_job, retry_job
from perf.jobs.runner import Progress, run_next_job
from riskplatform.kernel.errors import UnavailableError
from scoring.errors import TooFewEventsError
from tests.perf.jobs.runners import run_with

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


def enqueue(**parameters: Any) -> Job:
    return enqueue_job("tested", parameters=parameters, organisation=None)


def test_a_job_runs_once_and_its_result_is_kept() -> None:
    asked = enqueue_job("tested", parameters={"number": 3}, organisation=None, total=4)

    def work(job: Job, progress: Progress) -> dict[str, Any]:
        progress(2)
        return {"double": 2 * job.parameters["number"], "loss": Decimal("1.50")}

    job = run_with(work)
    assert job.pk == asked.pk
    assert (job.state, job.attempts, job.done, job.total) == ("succeeded", 1, 2, 4)
    assert job.result == {"double": 6, "loss": "1.50"}
    assert job.finished_at is not None
    assert run_next_job() is None


def test_jobs_run_in_the_order_they_were_asked_for() -> None:
    asked = [enqueue(number=number) for number in range(5)]
    ran = [run_with(lambda job, progress: None).pk for _ in asked]
    # Within a millisecond their order is any.
    assert ran == sorted(job.pk for job in asked)


def test_a_broken_rule_fails_the_job_with_its_sentence() -> None:
    enqueue()

    def work(job: Job, progress: Progress) -> None:
        raise TooFewEventsError("There are 3 events.")

    job = run_with(work)
    assert (job.state, job.attempts) == ("failed", 1)
    assert job.error == "There are 3 events."
    assert "TooFewEventsError" in job.traceback


@pytest.mark.parametrize("error", [ValueError("secret"), UnavailableError("Down.")])
def test_what_may_pass_is_tried_again_later_and_at_last_fails(
    error: Exception,
) -> None:
    enqueue()

    def work(job: Job, progress: Progress) -> None:
        raise error

    waits = []
    for attempt in range(1, 6):
        started = timezone.now()
        job = run_with(work)
        assert job.attempts == attempt
        if job.state == "queued":
            waits.append((job.due_at - started).total_seconds())
            assert run_next_job() is None
            Job.objects.update(due_at=timezone.now())
    assert job.state == "failed"
    assert "secret" not in job.error
    assert type(error).__name__ in job.traceback
    for attempt, wait_s in enumerate(waits):
        assert 2 ** (attempt + 1) * 2 / 3 <= wait_s <= 2 ** (attempt + 1) * 4 / 3 + 1


def test_a_result_that_is_not_json_is_a_failure() -> None:
    enqueue()
    Job.objects.update(attempts=runner.MAX_ATTEMPTS - 1)
    job = run_with(lambda job, progress: {"number": float("nan")})
    assert (job.state, job.result) == ("failed", None)


def test_a_job_of_an_unknown_kind_fails() -> None:
    enqueue_job("nobody-knows", parameters={}, organisation=None)
    run_next_job()
    job = Job.objects.get()
    assert job.error == "No worker knows jobs of 'nobody-knows'."


def test_a_failed_job_can_be_tried_again_and_a_finished_one_cannot() -> None:
    enqueue()

    def work(job: Job, progress: Progress) -> None:
        raise TooFewEventsError("There are 3 events.")

    job = retry_job(run_with(work))
    assert (job.state, job.attempts, job.error) == ("queued", 0, "")
    done = run_with(lambda job, progress: None)
    with pytest.raises(JobStateError, match="is succeeded; only one that failed"):
        retry_job(done)
    with pytest.raises(JobStateError, match="has succeeded already"):
        cancel_job(done)


def test_a_job_that_waits_is_cancelled_at_once() -> None:
    job = cancel_job(enqueue())
    assert job.state == "cancelled"
    assert run_next_job() is None


def test_a_job_that_runs_is_cancelled_at_its_next_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runner, "WRITE_EVERY_S", 0.0)
    enqueue()
    reached = []

    def work(job: Job, progress: Progress) -> None:
        progress(1)
        cancel_job(job)
        progress(2)
        reached.append("beyond")

    job = run_with(work)
    assert (job.state, job.done, reached) == ("cancelled", 2, [])


def test_the_same_work_is_not_asked_for_twice_where_one_will_do() -> None:
    ask: dict[str, Any] = {"parameters": {"a": 1}, "organisation": None}
    first = enqueue_job("tested", **ask, is_single=True)
    assert enqueue_job("tested", **ask, is_single=True) == first
    assert enqueue_job("tested", **ask) != first


def test_a_job_whose_worker_died_is_taken_over_and_at_last_fails() -> None:
    asked = enqueue()
    Job.objects.update(state="running", attempts=1, holder="gone")
    Job.objects.update(lease_until=timezone.now() + timedelta(seconds=9))
    assert run_next_job() is None
    Job.objects.update(lease_until=timezone.now())
    job = run_with(lambda job, progress: None)
    assert (job.pk, job.state, job.attempts) == (asked.pk, "succeeded", 2)
    Job.objects.update(state="running", attempts=5, lease_until=timezone.now())
    assert run_next_job() is None
    job.refresh_from_db()
    assert job.error == "The worker ended 5 times while it was at this job."
