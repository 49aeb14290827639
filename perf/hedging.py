"""Read from a second replica when the first is slow, and take the first answer.

Only for reads: both may be carried out. The delay is what 95 % of the reads of this
name took lately, so about one in twenty is sent twice; a budget holds it at that when
all replicas are slow, because then sending twice makes it worse.
"""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import lru_cache
from typing import TypeVar

from perf.concurrency import with_connections
from perf.deadlines import remaining_s
from perf.metrics import HEDGES
from riskplatform.kernel.errors import DeadlineError

MAX_THREADS = 32
QUANTILE = 0.95
# So many reads are remembered; before some are, nothing is known.
MAX_SAMPLES, ENOUGH = 128, 20
FIRST_DELAY_S = 0.1
# At most this share of the reads is sent twice, and so many at once after a calm.
SHARE, MOST_SAVED = 0.05, 5.0

Result = TypeVar("Result")


class Latencies:
    """How long the last reads took."""

    def __init__(self) -> None:
        self._taken_s: deque[float] = deque(maxlen=MAX_SAMPLES)

    def note(self, taken_s: float) -> None:
        self._taken_s.append(taken_s)

    def delay_s(self) -> float:
        """Give the time after which a read is slower than most."""
        taken_s = sorted(self._taken_s)
        if len(taken_s) < ENOUGH:
            return FIRST_DELAY_S
        return taken_s[int(QUANTILE * len(taken_s))]


class HedgeBudget:
    """Every read saves a part of a second one."""

    def __init__(self) -> None:
        self._saved = 1.0
        self._lock = threading.Lock()

    def save(self) -> None:
        with self._lock:
            self._saved = min(MOST_SAVED, self._saved + SHARE)

    def spend(self) -> bool:
        with self._lock:
            if self._saved < 1.0:
                return False
            self._saved -= 1.0
            return True


class Hedge:
    """Hedges reads; how slow one may be is known from those of the same name."""

    def __init__(self, *, lost: type[Exception]) -> None:
        self._lost = lost
        self._latencies: defaultdict[str, Latencies] = defaultdict(Latencies)
        self._budget = HedgeBudget()

    def read(self, name: str, replicas: Sequence[Callable[[], Result]]) -> Result:
        """Read from the first replica, and the second when it is slow or is lost.

        What a replica raises is raised, unless it is that the replica is lost and
        the other is not. The answer of the slower one is thrown away.
        """
        latencies, started_s = self._latencies[name], time.monotonic()
        self._budget.save()
        futures = [_read_in_thread(replicas[0])]
        wait(futures, timeout=latencies.delay_s())
        # A lost replica does no work, so the budget is not spent.
        is_lost = futures[0].done() and self._is_lost(futures[0])
        if is_lost or (not futures[0].done() and self._budget.spend()):
            futures += [_read_in_thread(replica) for replica in replicas[1:2]]
        first = self._first_answer(futures)
        latencies.note(time.monotonic() - started_s)
        if len(futures) > 1:
            HEDGES.labels("first" if first is futures[0] else "second").inc()
        return first.result()

    def _first_answer(self, futures: "list[Future[Result]]") -> "Future[Result]":
        pending = set(futures)
        while pending:
            done, pending = wait(pending, remaining_s(), FIRST_COMPLETED)
            if not done:
                raise DeadlineError("The query had too little time left. Try again.")
            for future in futures:
                if future in done and not self._is_lost(future):
                    return future
        return futures[0]

    def _is_lost(self, future: "Future[Result]") -> bool:
        return isinstance(future.exception(), self._lost)


def _read_in_thread(replica: Callable[[], Result]) -> "Future[Result]":
    return _threads().submit(copy_context().run, with_connections, replica)


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    """Start threads of their own: those of perf.concurrency may wait for these."""
    return ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="hedge")
