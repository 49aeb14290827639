"""The threads of a worker: each repeats one kind of work until the worker ends."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from django.db import Error, close_old_connections, connections

from perf.jobs.periodic import run_due_work
from perf.jobs.runner import run_next_job
from perf.jobs.wakeup import listen, wait_for_call
from riskplatform.api.error_log import error_log
from riskplatform.kernel.heartbeat import heartbeat

POLL_S = 0.5
PERIODIC_POLL_S = 1.0
AFTER_DATABASE_ERROR_S = 2.0
# After SIGTERM a job may go on for so long; then it is released at its next step.
DRAIN_S = 20.0
LAST_STEP_S = 5.0
# To look for work takes some queries, each of which may wait.
ROUND_S = 90.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loop:
    """Work that has a thread of its own, because it must not wait for other work.

    `step` does what is due, in several processes at once, and returns whether that
    was anything. If so it is called again after `spacing_s`, else after `poll_s`, or
    on PostgreSQL as soon as it is notified (`perf.jobs.wakeup`).
    """

    step: Callable[[], bool]
    poll_s: float
    spacing_s: float = 0.0
    channel: str = ""


loops: dict[str, Loop] = {}


class Worker:
    """Works until a signal stops it; a thread that dies ends the process."""

    def __init__(self, *, threads: int) -> None:
        every_s = PERIODIC_POLL_S
        periodic = Loop(lambda: bool(run_due_work()), poll_s=every_s, spacing_s=every_s)
        jobs = Loop(lambda: bool(run_next_job(self._is_overdue)), poll_s=POLL_S)
        own = {"periodic": periodic} | {f"jobs-{n}": jobs for n in range(threads)}
        self._stopping = threading.Event()
        self._asked_s = float("inf")
        self._threads = [
            # Daemons, because a job may not come to a step in time: its lease ends.
            threading.Thread(target=self._repeat, args=(loop,), name=name, daemon=True)
            for name, loop in {**loops, **own}.items()
        ]

    def run(self) -> bool:
        """Return whether it ended by a signal, with all work done."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        heartbeat.start()
        for thread in self._threads:
            thread.start()
        while not self._stopping.wait(POLL_S):
            if not all(thread.is_alive() for thread in self._threads):
                return False
        for thread in self._threads:
            left_s = self._asked_s + DRAIN_S + LAST_STEP_S - time.monotonic()
            thread.join(timeout=max(left_s, 0.0))
        return not any(thread.is_alive() for thread in self._threads)

    def _repeat(self, loop: Loop) -> None:
        try:
            while not self._stopping.is_set():
                heartbeat.expect(within_s=ROUND_S + loop.poll_s)
                close_old_connections()
                try:
                    self._work(loop)
                except Error:
                    logger.exception("the database does not answer; the worker waits")
                    self._stopping.wait(AFTER_DATABASE_ERROR_S)
        except Exception:
            error_log.exception("a thread of the worker broke off, so the worker ends")
        finally:
            connections.close_all()

    def _work(self, loop: Loop) -> None:
        """Do what is due, and wait for more."""
        started_s = time.monotonic()
        # Before the work, so that no call during it is missed.
        is_called = bool(loop.channel) and listen(loop.channel)
        if loop.step():
            self._stopping.wait(loop.spacing_s - (time.monotonic() - started_s))
        elif is_called:
            wait_for_call()
        else:
            self._stopping.wait(loop.poll_s)

    def _is_overdue(self) -> bool:
        return time.monotonic() - self._asked_s > DRAIN_S

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._asked_s = min(self._asked_s, time.monotonic())
        self._stopping.set()
