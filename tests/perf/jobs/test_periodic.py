"""Periodic work is done by one of many processes, at its time."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from perf.jobs.models import PeriodicRun
from perf.jobs.periodic import run_due_work
from riskplatform.kernel import periodic
from riskplatform.kernel.periodic import register_periodic
from tests.support.processes import start_python

RACER = """
import sys, time
from pathlib import Path
from perf.jobs.periodic import run_due_work
from riskplatform.kernel.periodic import register_periodic

def work():
    with (Path(sys.argv[1]) / sys.argv[2]).open("a") as notes:
        notes.write("done\\n")

register_periodic("raced", 3_600, work)
print(run_due_work(), flush=True)
"""


@pytest.fixture(autouse=True)
def only_what_a_test_registers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periodic, "registered", {})


@pytest.mark.django_db
def test_work_is_done_when_it_is_due_and_not_before() -> None:
    done = []
    register_periodic("tested", 60, lambda: done.append("done"))
    assert run_due_work() == ["tested"]
    assert run_due_work() == []
    row = PeriodicRun.objects.get()
    assert (row.run_count, row.error, row.lease_until) == (1, "", None)
    assert timedelta(seconds=50) < row.due_at - timezone.now() <= timedelta(seconds=60)
    PeriodicRun.objects.update(due_at=timezone.now())
    assert run_due_work() == ["tested"]
    assert done == ["done", "done"]


@pytest.mark.django_db
def test_work_that_fails_is_written_down_and_stops_no_other() -> None:
    def fail() -> None:
        raise ValueError("no such luck")

    done = []
    register_periodic("failing", 3_600, fail)
    register_periodic("fine", 3_600, lambda: done.append("done"))
    assert run_due_work() == ["failing", "fine"]
    row = PeriodicRun.objects.get(name="failing")
    assert row.error == "ValueError: no such luck"
    assert row.due_at <= timezone.now() + timedelta(seconds=60)
    assert done == ["done"]


@pytest.mark.django_db
def test_failures_wait_longer_and_longer_until_one_run_succeeds() -> None:
    errors: list[Exception] = [ValueError("no such luck")] * 3

    def work() -> None:
        if errors:
            raise errors.pop()

    register_periodic("tested", 3_600, work)
    for longest_s in (2, 4, 8, 3_600):
        started = timezone.now()
        assert run_due_work() == ["tested"]
        row = PeriodicRun.objects.get()
        wait = row.due_at - started
        assert longest_s * 2 / 3 <= wait.total_seconds() <= longest_s + 1
        PeriodicRun.objects.update(due_at=timezone.now())
    assert (row.attempts, row.error) == (0, "")


@pytest.mark.django_db
def test_work_under_a_lease_is_left_alone_until_the_lease_ends() -> None:
    done = []
    register_periodic("tested", 60, lambda: done.append("done"))
    later = timezone.now() + timedelta(seconds=30)
    row = PeriodicRun.objects.create(
        name="tested", due_at=timezone.now(), lease_until=later, holder="another"
    )
    assert run_due_work() == []
    row.lease_until = timezone.now()
    row.save()
    assert run_due_work() == ["tested"]


@pytest.mark.slow
@pytest.mark.databases
@pytest.mark.django_db(transaction=True)
def test_of_eight_processes_one_does_the_work(tmp_path: Path) -> None:
    racers = [
        start_python(RACER, str(tmp_path), str(number), OPENBLAS_NUM_THREADS="1")
        for number in range(8)
    ]
    assert [racer.wait(60) for racer in racers] == [0] * 8
    assert [file.read_text() for file in tmp_path.iterdir()] == ["done\n"]
    assert PeriodicRun.objects.get(name="raced").run_count == 1
