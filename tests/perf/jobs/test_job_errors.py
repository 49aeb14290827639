"""What breaks a job, periodic work or the worker is in the log of errors."""

import logging
import signal

import pytest

from perf.jobs.models import Job
from perf.jobs.periodic import run_due_work
from perf.jobs.queue import enqueue_job
from perf.jobs.runner import Progress
from perf.jobs.worker import Worker
from riskplatform.kernel import periodic
from riskplatform.kernel.periodic import register_periodic
from tests.perf.jobs.runners import run_with
from tests.support.log_reading import errors_in, written_log

pytestmark = pytest.mark.django_db


def explode() -> None:
    raise ZeroDivisionError


def test_a_job_that_breaks_off_is_found_by_its_id() -> None:
    asked = enqueue_job("tested", parameters={}, organisation=None)

    def work(job: Job, progress: Progress) -> None:
        logging.getLogger("elsewhere").warning("at work")
        explode()

    with written_log() as log:
        job = run_with(work)

    assert "Quote the id of the job" in job.error
    [line] = errors_in(log)
    assert line.endswith(
        f" ERROR riskplatform.errors [job-{asked.pk}]: "
        f"job {asked.pk} of kind tested broke off"
    )
    assert "in explode" in log.getvalue()
    assert f"WARNING elsewhere [job-{asked.pk}]: at work" in log.getvalue()


def test_periodic_work_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periodic, "registered", {})
    register_periodic("exploding", 1.0, explode)

    with written_log() as log:
        run_due_work()

    [line] = errors_in(log)
    assert line.endswith(
        "ERROR riskplatform.errors [-]: the periodic work exploding failed"
    )
    assert "in explode" in log.getvalue()


def test_a_worker_that_breaks_off_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perf.jobs.worker.run_due_work", explode)
    monkeypatch.setattr("perf.jobs.worker.loops", {})
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    with written_log() as log:
        assert not Worker(threads=0).run()

    [line] = errors_in(log)
    assert "riskplatform.errors [-]: a thread of the worker broke off" in line
    assert "in explode" in log.getvalue()
