"""Several workers at one queue: no job is begun twice, none is lost."""

import signal
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from perf.jobs.models import Job
from perf.jobs.queue import enqueue_job
from tests.support.processes import start_python
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.databases,
    pytest.mark.slow,
]

RACER = """
import sys
from pathlib import Path
from perf.jobs.runner import job_runner
from perf.jobs.runner import run_next_job

@job_runner("noted")
def note(job, progress):
    with (Path(sys.argv[1]) / sys.argv[2]).open("a") as notes:
        notes.write(f"{job.pk}\\n")

while run_next_job() is not None:
    pass
"""
WORKER = """
import sys, time
from pathlib import Path
from perf.jobs import worker
from perf.jobs.runner import job_runner

worker.DRAIN_S, worker.LAST_STEP_S = float(sys.argv[2]), 2.0

@job_runner("slow")
def be_slow(job, progress):
    (Path(sys.argv[1]) / "began").write_text(str(job.attempts))
    for step in range(int(10 * job.parameters["seconds"])):
        progress(step)
        time.sleep(0.1)

sys.exit(0 if worker.Worker(threads=1).run() else 3)
"""


def start_worker(folder: Path, *, drain_s: float = 10.0) -> "subprocess.Popen[str]":
    return start_python(WORKER, str(folder), str(drain_s))


def wait_for(ask: Callable[[], bool], what: str) -> None:
    wait_until(ask, within_s=30, what=what)


def ask_slow_job(*, seconds: float) -> Job:
    return enqueue_job("slow", parameters={"seconds": seconds}, organisation=None)


def has_begun(folder: Path) -> Callable[[], bool]:
    return (folder / "began").exists


def test_two_workers_begin_each_of_a_hundred_jobs_once(tmp_path: Path) -> None:
    asked = [
        str(enqueue_job("noted", parameters={}, organisation=None).pk)
        for _ in range(100)
    ]
    racers = [start_python(RACER, str(tmp_path), name) for name in ("a", "b")]
    assert [racer.wait(60) for racer in racers] == [0, 0]
    noted = [note for file in tmp_path.iterdir() for note in file.read_text().split()]
    assert sorted(noted) == sorted(asked)
    assert Job.objects.filter(state="succeeded", attempts=1).count() == 100


def test_a_job_survives_the_kill_of_its_worker(tmp_path: Path) -> None:
    job = ask_slow_job(seconds=60)
    victim = start_worker(tmp_path)
    wait_for(has_begun(tmp_path), "the job to begin")
    victim.kill()
    victim.wait()
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("running", 1)
    assert job.lease_until is not None
    assert job.lease_until > timezone.now() + timedelta(seconds=30)
    Job.objects.update(lease_until=timezone.now(), parameters={"seconds": 0.2})
    heir = start_worker(tmp_path)
    wait_for(Job.objects.filter(state="succeeded", attempts=2).exists, "the job's end")
    heir.send_signal(signal.SIGTERM)
    assert heir.wait(20) == 0


def test_sigterm_lets_the_job_at_work_come_to_its_end(tmp_path: Path) -> None:
    ask_slow_job(seconds=1.0)
    waiting = ask_slow_job(seconds=1.0)
    worker = start_worker(tmp_path)
    wait_for(has_begun(tmp_path), "the job to begin")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    states = dict(Job.objects.values_list("pk", "state"))
    assert states.pop(waiting.pk) == "queued"
    assert list(states.values()) == ["succeeded"]


def test_a_job_that_takes_too_long_after_sigterm_is_handed_back(tmp_path: Path) -> None:
    job = ask_slow_job(seconds=60)
    worker = start_worker(tmp_path, drain_s=0.3)
    wait_for(has_begun(tmp_path), "the job to begin")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    job.refresh_from_db()
    assert (job.state, job.attempts, job.lease_until) == ("queued", 0, None)
