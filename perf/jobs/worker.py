"""The worker's threads: some run jobs, one does the work that comes round."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

from django.db import Error, close_old_connections, connections

from riskplatform.api.error_log import error_log
from riskplatform.kernel.heartbeat import heartbeat
from scoring.services.jobs.periodic import run_due_work
from scoring.services.jobs.running import run_next_job

POLL_S = 0.5
PERIODIC_POLL_S = 1.0
AFTER_DATABASE_ERROR_S = 2.0
# After SIGTERM a job may go on for so long; then it is handed back at its next step.
DRAIN_S = 20.0
LAST_STEP_S = 5.0
# To look for work takes some questions to the database, each of which may wait.
ROUND_S = 90.0

logger = logging.getLogger(__name__)


class Worker:
    """Works until it is asked to stop; a thread that dies ends the whole."""

    def __init__(self, *, threads: int) -> None:
        loops: list[Callable[[], float]] = [self._run_due_work]
        loops += [self._run_next_job] * threads
        self._stopping = threading.Event()
        self._asked_s = float("inf")
        self._threads = [
            # Daemons, because a job may not come to a step in time: its lease ends.
            threading.Thread(target=self._repeat, args=(loop,), daemon=True)
            for loop in loops
        ]

    def run(self) -> bool:
        """Return whether it ended because it was asked to, with all work done."""
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

    def _repeat(self, loop: Callable[[], float]) -> None:
        try:
            while not self._stopping.is_set():
                self._stopping.wait(self._attempt(loop))
        except Exception:
            error_log.exception("a thread of the worker broke off, so the worker ends")
        finally:
            connections.close_all()

    def _attempt(self, loop: Callable[[], float]) -> float:
        """Do what is due; give the seconds to wait then."""
        heartbeat.expect(within_s=ROUND_S)
        close_old_connections()
        try:
            return loop()
        except Error:
            logger.exception("the database does not answer; the worker waits")
            return AFTER_DATABASE_ERROR_S

    def _run_next_job(self) -> float:
        return POLL_S if run_next_job(is_overdue=self._is_overdue) is None else 0.0

    def _run_due_work(self) -> float:
        run_due_work()
        return PERIODIC_POLL_S

    def _is_overdue(self) -> bool:
        return time.monotonic() - self._asked_s > DRAIN_S

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._asked_s = min(self._asked_s, time.monotonic())
        self._stopping.set()
