"""Work that comes round: each is done by one process of many, at its time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.utils import timezone

from riskplatform.api.error_log import error_log
from riskplatform.kernel.heartbeat import heartbeat
from scoring.models import PeriodicRun
from scoring.services.jobs.leases import LEASE, kept_alive, new_runner

# A run that failed is made again after this time, or earlier if it is due.
AFTER_FAILURE_S = 60.0
# What takes longer hangs, and keeps all other work from its turn.
LONGEST_S = 1_800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodicWork:
    name: str
    every_s: float
    function: Callable[[], object]


_works: dict[str, PeriodicWork] = {}


def register_periodic(
    name: str, every_s: float, function: Callable[[], object]
) -> None:
    """Have the worker call `function` every so often; it has to bear repetition."""
    _works[name] = PeriodicWork(name=name, every_s=every_s, function=function)


def registered_works() -> dict[str, PeriodicWork]:
    return dict(_works)


def run_due_work() -> list[str]:
    """Do what is due and nobody else does; returns the names of what was done."""
    return [name for name in _list_due(timezone.now()) if _run(_works[name])]


def _list_due(now: datetime) -> list[str]:
    """Read first: on SQLite a conditional write locks even if it changes nothing."""
    known = {
        row.name: row for row in PeriodicRun.objects.filter(name__in=_works).iterator()
    }
    missing = [PeriodicRun(name=name, due_at=now) for name in _works.keys() - known]
    if missing:
        PeriodicRun.objects.bulk_create(missing, ignore_conflicts=True)
    return [name for name in _works if name not in known or _is_due(known[name], now)]


def _is_due(row: PeriodicRun, now: datetime) -> bool:
    is_free = row.lease_until is None or row.lease_until <= now
    return row.due_at <= now and is_free


def _run(work: PeriodicWork) -> bool:
    runner = new_runner()
    if not _claim(work.name, runner):
        return False
    mine = PeriodicRun.objects.filter(name=work.name, runner=runner)

    def renew() -> None:
        mine.update(lease_until=timezone.now() + LEASE)

    error, wait_s = "", work.every_s
    try:
        heartbeat.expect(within_s=LONGEST_S)
        with kept_alive(renew):
            work.function()
    except Exception as failure:
        error_log.exception("the periodic work %s failed", work.name)
        error = f"{type(failure).__name__}: {failure}".replace("\x00", "")
        wait_s = min(work.every_s, AFTER_FAILURE_S)
    now = timezone.now()
    mine.update(
        due_at=now + timedelta(seconds=wait_s),
        lease_until=None,
        finished_at=now,
        run_count=F("run_count") + 1,
        error=error,
    )
    return True


def _claim(name: str, runner: str) -> bool:
    now = timezone.now()
    is_free = Q(lease_until=None) | Q(lease_until__lte=now)
    claimed = PeriodicRun.objects.filter(is_free, name=name, due_at__lte=now).update(
        lease_until=now + LEASE, runner=runner, started_at=now
    )
    return claimed == 1
