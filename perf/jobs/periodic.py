"""Runs periodic work: each is done by one process of many, when it is due."""

from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from perf.jobs.models import PeriodicRun
from riskplatform.api.error_log import error_log
from riskplatform.kernel import periodic
from riskplatform.kernel.heartbeat import heartbeat
from riskplatform.kernel.periodic import PeriodicWork

# What takes longer hangs, and keeps all other work from its turn.
LONGEST_S = 1_800.0


def run_due_work() -> list[str]:
    """Do what is due and not claimed by another; returns the names of what was done."""
    # Read first: on SQLite a conditional write locks even if it changes nothing.
    runs = PeriodicRun.objects.filter(name__in=periodic.registered)
    missing = periodic.registered.keys() - set(runs.values_list("name", flat=True))
    if missing:
        PeriodicRun.objects.bulk_create(
            [PeriodicRun(name=name) for name in missing], ignore_conflicts=True
        )
    due = set(runs.due().values_list("name", flat=True))
    works = periodic.registered.items()
    return [name for name, work in works if name in due and _run(name, work)]


def _run(name: str, work: PeriodicWork) -> bool:
    mine = PeriodicRun.objects.filter(name=name).claim(started_at=timezone.now())
    for run in mine:
        error, wait_s, failures = "", work.every_s, 0
        try:
            heartbeat.expect(within_s=LONGEST_S)
            with run.renewing(longest_s=LONGEST_S):
                work.function()
        except Exception as failure:
            error_log.exception("the periodic work %s failed", name)
            error = f"{type(failure).__name__}: {failure}".replace("\x00", "")
            wait_s, failures = min(work.every_s, run.backoff_s()), run.attempts
        now = timezone.now()
        run.release(
            due_at=now + timedelta(seconds=wait_s),
            attempts=failures,
            finished_at=now,
            run_count=F("run_count") + 1,
            error=error,
        )
    return bool(mine)
